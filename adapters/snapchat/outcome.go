package snapchat

import (
	"bytes"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"

	"relay/adapters/canonical"
	"relay/internal/relay"
)

// response is the body of a response, of the events endpoint and of the validation endpoint. Parts that
// Snap's schema leaves open are read loosely: a success in an odd form is a success.
//
// Source: github.com/Snapchat/business-sdk-v3-java @8ab70757, api/openapi.yaml, EventResponse and ValidateResponse
type response struct {
	Status    json.RawMessage `json:"status"` // VALID or INVALID, FAILED where Snap's servers say so
	Reason    json.RawMessage `json:"reason"`
	Errors    json.RawMessage `json:"errors"`
	RequestID json.RawMessage `json:"request_id"`
	EventLogs json.RawMessage `json:"event_logs"` // the result of each event
}

// entry is one of event_logs.
type entry struct {
	Status      json.RawMessage `json:"status"`
	EventStatus json.RawMessage `json:"event_status"`
	Reason      json.RawMessage `json:"reason"`
	Errors      json.RawMessage `json:"errors"`
	Valid       json.RawMessage `json:"valid"`
}

// known are the statuses that are kept; refusals are those of them that refuse. Any other word is not a refusal.
var (
	refusals = []string{"INVALID", "FAILED", "FAILURE", "FAIL", "ERROR", "REJECTED", "REJECT", "DENIED", "UNAUTHORIZED"}
	known    = append([]string{"VALID"}, refusals...)
)

// Outcome classifies Snap's response: the body's status is more precise than HTTP's. No body at all is a success; a pixel and a token
// that do not belong together are recognised by a word in the reason.
func (Adapter) Outcome(r relay.Response) relay.Result {
	res := r.Result()
	if res.Outcome == relay.Accepted && len(bytes.TrimSpace(r.Body)) == 0 {
		return res
	}
	var a response
	res, decided := canonical.Read(r, &a)
	res.Fields, res.TraceID = a.fields(), canonical.TraceID(word(a.RequestID))
	switch {
	case decided:
	case a.refused() && a.unauthorized():
		res.Outcome, res.Reason = relay.Unauthorized, relay.ReasonUnauthorized
	case a.refused() && res.Outcome == relay.Accepted:
		res.Outcome, res.Reason = relay.Rejected, relay.ReasonVendorRejected
	}
	return res
}

// refused reports whether the response, or its entry for an event, is a rejection.
func (a response) refused() bool {
	return isRefusal(a.Status) || slices.ContainsFunc(a.entries(), entry.refused)
}

// isRefusal reports whether a status is a word of refusal, or begins or ends with one: INVALID_REQUEST, PARTIAL_FAILURE. One event
// was sent, so that no part of it is taken.
func isRefusal(status json.RawMessage) bool {
	parts := strings.FieldsFunc(strings.ToUpper(word(status)), func(r rune) bool { return r < 'A' || r > 'Z' })
	return len(parts) > 0 && (slices.Contains(refusals, parts[0]) || slices.Contains(refusals, parts[len(parts)-1]) && parts[0] != "NO")
}

func (e entry) refused() bool {
	return isRefusal(e.Status) || isRefusal(e.EventStatus) || strings.EqualFold(word(e.Valid), "false") || string(e.Valid) == "false" || len(errorMessages(e.Errors)) > 0
}

// entries are those of event_logs; none where they have another form.
func (a response) entries() []entry {
	var list []entry
	if json.Unmarshal(a.EventLogs, &list) == nil {
		return list
	}
	var one entry
	if json.Unmarshal(a.EventLogs, &one) != nil {
		return nil
	}
	var byKey map[string]entry // by the event's index or id
	if json.Unmarshal(a.EventLogs, &byKey) == nil {
		list = slices.Collect(maps.Values(byKey))
	}
	return append(list, one)
}

// errorMessages are the texts of errors, be they a list or an object with one; none where they have another form.
func errorMessages(raw json.RawMessage) []json.RawMessage {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) == nil {
		return list
	}
	var errs struct {
		Codes    []json.RawMessage `json:"codes"`
		Messages []json.RawMessage `json:"error_msgs"`
	}
	_ = json.Unmarshal(raw, &errs) // errors in another form have no messages
	return append(errs.Messages, errs.Codes...)
}

// unauthorized reports whether a reason or an error message says so.
func (a response) unauthorized() bool {
	texts := append(errorMessages(a.Errors), a.Reason)
	for _, e := range a.entries() {
		texts = append(append(texts, errorMessages(e.Errors)...), e.Reason)
	}
	return slices.ContainsFunc(texts, func(text json.RawMessage) bool {
		return strings.Contains(strings.ToLower(word(text)), "unauthorized")
	})
}

// code is the form of an error code; any other text may repeat data that was sent.
var code = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,40}$`)

// fields returns the response's status and codes, never its messages.
func (a response) fields() map[string]string {
	f := map[string]string{}
	if s := strings.ToUpper(word(a.Status)); slices.Contains(known, s) {
		f["status"] = s
	}
	var errs struct {
		Codes []json.RawMessage `json:"codes"`
	}
	_ = json.Unmarshal(a.Errors, &errs) // errors in another form have no codes
	var codes []string
	for _, raw := range errs.Codes[:min(len(errs.Codes), 10)] {
		if c := word(raw); code.MatchString(c) {
			codes = append(codes, c)
		}
	}
	f["codes"] = strings.Join(codes, " ")
	return canonical.Kept(f)
}

// word is a text, or a number's digits.
func word(raw json.RawMessage) string { return relay.Payload{"v": raw}.Text("v") }
