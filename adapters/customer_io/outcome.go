package customerio

import (
	"encoding/json"
	"slices"

	"relay/adapters/canonical"
	"relay/internal/relay"
)

// problem is an error of a response. Its message may repeat data that was sent.
type problem struct {
	Reason json.RawMessage `json:"reason"`
	Field  json.RawMessage `json:"field"`
}

// Outcome classifies Customer.io's response. 207 is a success that may hold errors.
func (Adapter) Outcome(r relay.Response) relay.Result {
	var body struct {
		Errors json.RawMessage `json:"errors"`
	}
	res, decided := canonical.Read(r, &body)
	var problems []json.RawMessage // objects, and texts in some responses
	_ = json.Unmarshal(body.Errors, &problems)
	res.Fields = fields(problems)
	if !decided && res.Outcome == relay.Accepted && slices.ContainsFunc(problems, func(p json.RawMessage) bool { return string(p) != "null" }) {
		res.Outcome, res.Reason = relay.Rejected, relay.ReasonVendorRejected
	}
	return res
}

// fields returns reasons and the names of fields, never texts.
func fields(problems []json.RawMessage) map[string]string {
	var reasons, names []json.RawMessage
	for _, raw := range problems {
		var p problem
		_ = json.Unmarshal(raw, &p) // a text
		reasons, names = append(reasons, p.Reason), append(names, p.Field)
	}
	return canonical.Kept(map[string]string{"reasons": canonical.Words(reasons...), "fields": canonical.Words(names...)})
}
