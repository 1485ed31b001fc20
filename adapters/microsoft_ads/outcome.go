package microsoftads

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"relay/adapters/canonical"
	"relay/internal/relay"
)

// response is the body of a response. Parts are read loosely: a success in an odd form is a success.
type response struct {
	Received json.RawMessage `json:"eventsReceived"`
	Error    json.RawMessage `json:"error"`
	Details  json.RawMessage `json:"details"`
	TraceID  json.RawMessage `json:"traceId"`
}

// problem is the error of a response.
type problem struct {
	Code    json.RawMessage `json:"code"`
	Details json.RawMessage `json:"details"`
}

// detail is the finding for one property of an event.
type detail struct {
	Property json.RawMessage `json:"propertyName"`
	Code     json.RawMessage `json:"errorCode"`
	Warning  json.RawMessage `json:"isWarning"`
}

// Outcome classifies Microsoft's response. The details of a 2xx may state that the event was refused.
func (Adapter) Outcome(r relay.Response) relay.Result {
	var a response
	res, decided := canonical.Read(r, &a)
	var p problem
	_ = json.Unmarshal(a.Error, &p) // an error in another form has no code
	res.TraceID, res.Fields = canonical.TraceID(word(a.TraceID)), a.fields(p)
	switch {
	case r.Status == 404 && res.Outcome == relay.Rejected: // no such tag
		res.Outcome = relay.Unauthorized
	case decided:
	case strings.EqualFold(word(p.Code), "Unauthorized"):
		res.Outcome, res.Reason = relay.Unauthorized, relay.ReasonUnauthorized
	case res.Outcome == relay.Accepted && (a.refused(p) || word(a.Received) == "0"):
		res.Outcome, res.Reason = relay.Rejected, relay.ReasonVendorRejected
	}
	return res
}

// refused reports whether the response has an error, or a detail that is more than a warning.
func (a response) refused(p problem) bool {
	details := a.details(p)
	if len(details) == 0 {
		return word(p.Code) != ""
	}
	return slices.ContainsFunc(details, func(d detail) bool { return string(d.Warning) != "true" })
}

func (a response) details(p problem) []detail {
	var all []detail
	for _, raw := range []json.RawMessage{a.Details, p.Details} {
		var list []detail
		_ = json.Unmarshal(raw, &list) // another form has no details
		all = append(all, list...)
	}
	return all
}

// code matches error codes and property names. Any other text may repeat data that was sent.
var code = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]{0,39}$`)

// fields returns codes and the names of properties, never messages or values.
func (a response) fields(p problem) map[string]string {
	var properties, codes []string
	details := a.details(p)
	for _, d := range details[:min(len(details), 5)] {
		properties, codes = append(properties, shown(d.Property)), append(codes, shown(d.Code))
	}
	return canonical.Kept(map[string]string{"code": shown(p.Code), "properties": words(properties), "codes": words(codes)})
}

func shown(raw json.RawMessage) string {
	if s := word(raw); code.MatchString(s) {
		return s
	}
	return ""
}

func words(list []string) string {
	return strings.Join(slices.DeleteFunc(list, func(s string) bool { return s == "" }), " ")
}

// word returns a text, or the digits of a number.
func word(raw json.RawMessage) string { return relay.Payload{"v": raw}.Text("v") }
