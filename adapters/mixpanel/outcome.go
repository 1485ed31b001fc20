package mixpanel

import (
	"encoding/json"

	"relay/adapters/canonical"
	"relay/internal/relay"
)

// record is an event that Mixpanel refused. Its message may repeat a value.
type record struct {
	Field json.RawMessage `json:"field"`
}

// Outcome classifies Mixpanel's response. A 200 says how many events were imported.
func (Adapter) Outcome(r relay.Response) relay.Result {
	var body struct {
		Imported json.RawMessage `json:"num_records_imported"`
		Failed   json.RawMessage `json:"failed_records"`
	}
	res, decided := canonical.Read(r, &body)
	var failed []record
	_ = json.Unmarshal(body.Failed, &failed) // another form names no fields
	var names []json.RawMessage
	for _, record := range failed {
		names = append(names, record.Field)
	}
	res.Fields = canonical.Kept(map[string]string{"fields": canonical.Words(names...)})
	none := (relay.Payload{"n": body.Imported}).Text("n") == "0"
	if !decided && res.Outcome == relay.Accepted && (none || len(failed) > 0) {
		res.Outcome, res.Reason = relay.Rejected, relay.ReasonVendorRejected
	}
	return res
}
