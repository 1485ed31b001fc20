package snapchat

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"relay"
	"relay/adapters/canonical"
)

// answer is the body of an answer, of the events endpoint as well as of the validating one. What Snap's schema does not
// pin down is read loosely: a success in an odd form is a success.
//
// Source: github.com/Snapchat/business-sdk-v3-java @8ab70757, api/openapi.yaml, EventResponse and ValidateResponse
type answer struct {
	Status    json.RawMessage `json:"status"` // VALID or INVALID
	Reason    json.RawMessage `json:"reason"`
	Errors    json.RawMessage `json:"errors"`
	RequestID json.RawMessage `json:"request_id"`
}

const (
	valid   = "VALID"
	invalid = "INVALID"
)

// Outcome reads Snap's answer: the body's status says more than HTTP's. No body at all is a success; a pixel and a token
// that do not belong together are told by a word in the reason.
func (Adapter) Outcome(r relay.Reply) relay.Result {
	res := r.Result()
	if res.Outcome == relay.Accepted && len(bytes.TrimSpace(r.Body)) == 0 {
		return res
	}
	var a answer
	res, decided := canonical.Read(r, &a)
	res.Fields, res.TraceID = a.fields(), canonical.TraceID(word(a.RequestID))
	status := strings.ToUpper(word(a.Status))
	switch {
	case decided:
	case status == invalid && a.unauthorized():
		res.Outcome, res.Reason = relay.Unauthorized, relay.ReasonUnauthorized
	case status == invalid && res.Outcome == relay.Accepted:
		res.Outcome, res.Reason = relay.Rejected, relay.ReasonVendorRejected
	}
	return res
}

// unauthorized reports whether a reason or an error message says so.
func (a answer) unauthorized() bool {
	var errs struct {
		Messages []json.RawMessage `json:"error_msgs"`
	}
	_ = json.Unmarshal(a.Errors, &errs) // errors in another form have no messages
	return slices.ContainsFunc(append(errs.Messages, a.Reason), func(text json.RawMessage) bool {
		return strings.Contains(strings.ToLower(word(text)), "unauthorized")
	})
}

// code is what an error code looks like; a text that is anything else may repeat what was sent.
var code = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,40}$`)

// fields are the answer's status and codes; never its messages.
func (a answer) fields() map[string]string {
	f := map[string]string{}
	if s := strings.ToUpper(word(a.Status)); s == valid || s == invalid {
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
	if len(codes) > 0 {
		f["codes"] = strings.Join(codes, " ")
	}
	if len(f) == 0 {
		return nil
	}
	return f
}

// word is a text, or a number's digits.
func word(raw json.RawMessage) string { return relay.Payload{"v": raw}.Text("v") }
