package canonical

import (
	"bytes"
	"encoding/json"
	"maps"
	"regexp"

	"relay/internal/relay"
)

// Post returns the request with body as JSON. The vendor drops duplicates by event id.
func (f *Fields) Post(version, url string, header map[string]string, body any) (relay.Request, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(body); err != nil {
		return relay.Request{}, relay.Refuse(relay.ReasonInvalidPayload, "event_payload")
	}
	all := map[string]string{"Content-Type": "application/json"}
	maps.Copy(all, header)
	return relay.Request{
		Method:     "POST",
		URL:        url,
		Header:     all,
		Body:       bytes.TrimSuffix(b.Bytes(), []byte("\n")),
		Version:    version,
		EventName:  f.Name,
		Dropped:    f.Dropped(),
		Withheld:   f.Withheld(),
		Warnings:   f.Warnings,
		Repeatable: true,
		MaxAge:     f.MaxAge,
	}, nil
}

// Read decodes a response's JSON into body and reports whether the outcome is decided without the vendor's own codes. It is
// for an incomplete response, a retryable status or a redirect, and for a web page or, with a 2xx, anything but a JSON object: a
// proxy responded then, and the attempt is retried.
func Read(r relay.Response, body any) (res relay.Result, decided bool) {
	res = r.Result()
	parsed := json.Unmarshal(r.Body, body) == nil && bytes.HasPrefix(bytes.TrimSpace(r.Body), []byte("{"))
	switch {
	case r.Status < 200, res.Outcome == relay.Retry, res.Reason == relay.ReasonRedirect:
		return res, true
	case r.TransportError != relay.NoTransportError && !parsed: // a refusal may hide "not now" in the part that is missing
		res.Outcome, res.Reason = relay.Retry, relay.ReasonNetwork
		return res, true
	case r.IsHTML(), res.Outcome == relay.Accepted && !parsed:
		res.Outcome, res.Reason = relay.Retry, relay.ReasonNotJSON
		return res, true
	}
	return res, !parsed
}

var traceID = regexp.MustCompile(`^[A-Za-z0-9_.:+/=-]{1,100}$`)

// TraceID returns the vendor's id of a request if it has the form of one; anything else may be text of the vendor's.
func TraceID(s string) string {
	if !traceID.MatchString(s) {
		return ""
	}
	return s
}
