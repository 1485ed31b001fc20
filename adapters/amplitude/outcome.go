package amplitude

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"time"

	"relay/adapters/canonical"
	"relay/internal/relay"
)

// response is the body of a response. Its error is a text that may repeat data.
type response struct {
	Ingested json.RawMessage `json:"events_ingested"`
	Error    json.RawMessage `json:"error"`
	Missing  json.RawMessage `json:"missing_field"`

	InvalidFields json.RawMessage `json:"events_with_invalid_fields"` // names of fields to indexes of events
	MissingFields json.RawMessage `json:"events_with_missing_fields"`
}

// pause is what Amplitude asks for after too many events of one user, without a header.
const pause = 30 * time.Second

// aboutKey matches the text of an error about the key. The texts of this API are not confirmed; those of Amplitude's other ones are
// "Invalid API key".
var aboutKey = regexp.MustCompile(`(?i)api[ _-]?key`)

// Outcome classifies Amplitude's response. A wrong key is a 400.
func (Adapter) Outcome(r relay.Response) relay.Result {
	var a response
	res, decided := canonical.Read(r, &a)
	res.Fields = canonical.Kept(map[string]string{
		"missing_field": canonical.Words(a.Missing), "invalid_fields": canonical.Words(names(a.InvalidFields)...), "missing_fields": canonical.Words(names(a.MissingFields)...),
	})
	switch {
	case res.Reason == relay.ReasonThrottled && res.RetryAfter == 0:
		res.RetryAfter = pause
	case decided:
	case r.Status == 400 && (aboutKey.MatchString(text(a.Error)) || aboutKey.MatchString(text(a.Missing))):
		res.Outcome, res.Reason = relay.Unauthorized, relay.ReasonUnauthorized
	case res.Outcome == relay.Accepted && text(a.Ingested) == "0":
		res.Outcome, res.Reason = relay.Rejected, relay.ReasonVendorRejected
	}
	return res
}

// names are the names of an object's members, sorted, as values.
func names(raw json.RawMessage) []json.RawMessage {
	var object map[string]json.RawMessage
	_ = json.Unmarshal(raw, &object) // another form has no names
	var list []json.RawMessage
	for _, name := range slices.Sorted(maps.Keys(object)) {
		quoted, _ := json.Marshal(name) // a text always marshals
		list = append(list, quoted)
	}
	return list
}

func text(raw json.RawMessage) string { return relay.Payload{"v": raw}.Text("v") }
