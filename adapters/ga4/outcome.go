package ga4

import (
	"encoding/json"
	"regexp"

	"relay/internal/relay"
)

// Outcome classifies Google's response. Any 2xx means that the event arrived, not that it was accepted; only the validation
// endpoint reports errors. If the response to an event other than a purchase is lost, the outcome is Unknown: the event may have
// arrived, and a duplicate would be counted.
func (Adapter) Outcome(r relay.Response) relay.Result {
	res := r.Result()
	if r.Status < 200 || r.Status >= 300 {
		return res
	}
	if r.IsHTML() { // a proxy responded, not Google
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

// Message is an error that the validation endpoint reports: its path and a code such as VALUE_INVALID or NAME_RESERVED. The
// endpoint does not check measurement_id and api_secret.
//
// Source: https://developers.google.com/analytics/devguides/collection/protocol/ga4/validating-events
type Message struct {
	FieldPath string `json:"fieldPath"`
	Code      string `json:"validationCode"`
}

// plainToken matches paths and codes; any other text may repeat a value that was sent.
var plainToken = regexp.MustCompile(`^[A-Za-z0-9_.\[\]]{1,100}$`)

// Messages reads the validation endpoint's response; none means that the event is valid. The collecting endpoint sends no
// body.
func Messages(body []byte) []Message {
	var response struct {
		Messages []Message `json:"validationMessages"`
	}
	if json.Unmarshal(body, &response) != nil {
		return nil
	}
	for i, m := range response.Messages {
		response.Messages[i] = Message{known(m.FieldPath), known(m.Code)}
	}
	return response.Messages
}

func known(s string) string {
	if !plainToken.MatchString(s) {
		return ""
	}
	return s
}
