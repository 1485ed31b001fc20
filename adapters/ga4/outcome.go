package ga4

import (
	"encoding/json"
	"regexp"

	"relay/internal/relay"
)

// Outcome reads Google's answer. Any 2xx means that it arrived, not that it was taken to heart; only the validating endpoint
// says more. Where the answer to something other than a purchase is lost on the way, nobody knows, and a second copy would
// count twice: Unknown.
func (Adapter) Outcome(r relay.Reply) relay.Result {
	res := r.Result()
	if r.Status < 200 || r.Status >= 300 {
		return res
	}
	if r.IsHTML() { // something before Google answered
		res.Outcome, res.Reason = relay.Retry, relay.ReasonNotJSON
		return res
	}
	res.Outcome, res.Reason = relay.Accepted, ""
	if found := Messages(r.Body); len(found) > 0 {
		res.Outcome, res.Reason = relay.Rejected, relay.ReasonVendorRejected
		res.Fields = map[string]string{"validation_code": found[0].Code, "field_path": found[0].FieldPath}
	}
	return res
}

// Message is what the validating endpoint found: where, and a code such as VALUE_INVALID or NAME_RESERVED. The endpoint does
// not look at measurement_id and api_secret.
//
// Source: https://developers.google.com/analytics/devguides/collection/protocol/ga4/validating-events
type Message struct {
	FieldPath string `json:"fieldPath"`
	Code      string `json:"validationCode"`
}

// plainToken is what a path and a code look like; a text that is anything else may repeat a value.
var plainToken = regexp.MustCompile(`^[A-Za-z0-9_.\[\]]{1,100}$`)

// Messages reads the validating endpoint's answer; none means that the event is fine. The collecting endpoint has no answer.
func Messages(body []byte) []Message {
	var answer struct {
		Messages []Message `json:"validationMessages"`
	}
	if json.Unmarshal(body, &answer) != nil {
		return nil
	}
	for i, m := range answer.Messages {
		answer.Messages[i] = Message{known(m.FieldPath), known(m.Code)}
	}
	return answer.Messages
}

func known(s string) string {
	if !plainToken.MatchString(s) {
		return ""
	}
	return s
}
