package canonical

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/url"
	"regexp"
	"strings"

	"relay/internal/relay"
)

// Post returns the request with body as JSON. It is Repeatable: the vendor drops duplicates by event id. An adapter whose vendor
// does not resets that.
func (f *Fields) Post(version, address string, header map[string]string, body any) (relay.Request, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(body); err != nil {
		return relay.Request{}, relay.Refuse(relay.ReasonInvalidPayload, "event_payload")
	}
	return f.post(version, address, "application/json", header, bytes.TrimSuffix(b.Bytes(), []byte("\n"))), nil
}

// PostForm is Post with a form in place of JSON. The record of attempts shows nothing of it.
func (f *Fields) PostForm(version, address string, header map[string]string, form url.Values) relay.Request {
	return f.post(version, address, "application/x-www-form-urlencoded", header, []byte(form.Encode()))
}

func (f *Fields) post(version, address, contentType string, header map[string]string, body []byte) relay.Request {
	all := map[string]string{"Content-Type": contentType}
	maps.Copy(all, header)
	return relay.Request{
		Method:     "POST",
		URL:        address,
		Header:     all,
		Body:       body,
		Version:    version,
		EventName:  f.Name,
		Dropped:    f.Dropped(),
		Withheld:   f.Withheld(),
		Warnings:   f.Warnings,
		Repeatable: true,
		MaxAge:     f.MaxAge,
	}
}

// Read decodes a response's JSON into body and reports whether the outcome is decided without the vendor's own codes. It is
// for an incomplete response, a retryable status or a redirect, and for a web page or, with a 2xx, anything but a JSON object: a
// proxy responded then, and the attempt is retried.
func Read(r relay.Response, body any) (res relay.Result, decided bool) {
	res, parsed, decided := read(r, body)
	if !decided && res.Outcome == relay.Accepted && !parsed {
		res.Outcome, res.Reason = relay.Retry, relay.ReasonNotJSON
		return res, true
	}
	return res, decided || !parsed
}

// ReadStatus is Read for a platform whose success may have any body but a web page, or none (202, 201, the text "ok"). With a
// JSON object, the outcome is not decided yet. A success whose body broke off is one: the status is known, and the vendor has the event.
func ReadStatus(r relay.Response, body any) (res relay.Result, decided bool) {
	res, parsed, decided := read(r, body)
	if r.TransportError != relay.NoTransportError && r.Status >= 200 && r.Status < 300 && !beginsPage(r) {
		res.Outcome, res.Reason = relay.Accepted, ""
		return res, !parsed
	}
	return res, decided || !parsed
}

// beginsPage reports whether the part of a body that came, which may be nothing, is or may be the beginning of a web page.
func beginsPage(r relay.Response) bool {
	start := bytes.TrimLeft(r.Body, "\ufeff \t\r\n")
	html := strings.HasPrefix(strings.ToLower(r.Get("Content-Type")), "text/html")
	return bytes.HasPrefix(start, []byte("<")) || html && len(start) == 0
}

func read(r relay.Response, body any) (res relay.Result, parsed, decided bool) {
	res = r.Result()
	parsed = json.Unmarshal(r.Body, body) == nil && bytes.HasPrefix(bytes.TrimSpace(r.Body), []byte("{"))
	switch {
	case r.Status < 200, res.Outcome == relay.Retry, res.Outcome == relay.Unknown, res.Reason == relay.ReasonRedirect:
		return res, parsed, true
	case r.TransportError != relay.NoTransportError && !parsed: // a refusal may hide "not now" in the part that is missing
		res.Outcome, res.Reason = relay.Retry, relay.ReasonNetwork
		return res, parsed, true
	case r.IsHTML():
		res.Outcome, res.Reason = relay.Retry, relay.ReasonNotJSON
		return res, parsed, true
	}
	return res, parsed, false
}

var traceID = regexp.MustCompile(`^[A-Za-z0-9_.:+/=-]{1,100}$`)

// TraceID returns the vendor's id of a request if it has the form of one; anything else may be text of the vendor's.
func TraceID(s string) string {
	if !traceID.MatchString(s) {
		return ""
	}
	return s
}

// BasicAuth is the value of the header Authorization for a user and a password.
func BasicAuth(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// Words are the texts among values of a vendor's response that have the form of a code or of a field's path, at most five of them;
// any other text may repeat data that was sent.
func Words(values ...json.RawMessage) string {
	var list []string
	for _, raw := range values {
		if s := (relay.Payload{"v": raw}).Text("v"); word.MatchString(s) && len(list) < 5 {
			list = append(list, s)
		}
	}
	return strings.Join(list, " ")
}

var word = regexp.MustCompile(`^[A-Za-z$/][A-Za-z0-9$/_.\[\]-]{0,79}$`)
