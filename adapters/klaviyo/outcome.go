package klaviyo

import (
	"encoding/json"

	"relay/adapters/canonical"
	"relay/internal/relay"
)

// problem is an error of a response. Its title and detail may repeat an address.
type problem struct {
	Code   json.RawMessage `json:"code"`
	Source json.RawMessage `json:"source"`
}

// Outcome classifies Klaviyo's response. The success is 202 without a body: the event is validated, and not yet recorded. 404 and
// 410 are the address or a retired revision (the status of which is not documented), so that every event would get them.
func (Adapter) Outcome(r relay.Response) relay.Result {
	var body struct {
		Errors json.RawMessage `json:"errors"`
	}
	res, decided := canonical.ReadStatus(r, &body)
	var problems []problem
	_ = json.Unmarshal(body.Errors, &problems) // another form has no codes
	res.Fields = fields(problems)
	switch {
	case (r.Status == 404 || r.Status == 410) && res.Outcome == relay.Rejected:
		res.Outcome, res.Reason = relay.Unauthorized, relay.ReasonNotFound
	case !decided && res.Outcome == relay.Accepted && len(problems) > 0:
		res.Outcome, res.Reason = relay.Rejected, relay.ReasonVendorRejected
	}
	return res
}

// fields returns codes and the places of errors, never texts.
func fields(problems []problem) map[string]string {
	var codes, pointers []json.RawMessage
	for _, p := range problems {
		var source struct {
			Pointer json.RawMessage `json:"pointer"`
		}
		_ = json.Unmarshal(p.Source, &source) // an error may have no place
		codes, pointers = append(codes, p.Code), append(pointers, source.Pointer)
	}
	return canonical.Kept(map[string]string{"codes": canonical.Words(codes...), "pointers": canonical.Words(pointers...)})
}
