package googleads

import (
	"encoding/json"
	"maps"
	"slices"

	"relay/internal/relay"
)

// testClick is a click id that no click has had. Google validates its form at most: it looks for the click later. It is not the order of
// a test event, which leaves nowhere as it is under the data policy health.
const testClick = "EAIaIQobChMI7f"

// TestRequest is the request for one event that Google validates and does not record. It is sent for the event's own conversion
// action, else for the first that the options name.
func (a Adapter) TestRequest(d relay.Destination, e relay.Event) (relay.Request, error) {
	d.Options.Test = true
	if d.Options.Events[e.Type].Name == "" {
		for _, kind := range slices.Sorted(maps.Keys(d.Options.Events)) {
			if d.Options.Events[kind].Name != "" && !d.Options.Events[kind].Skip {
				e.Type = kind
				return a.testRequest(d, e)
			}
		}
		return relay.Request{}, relay.Refuse(relay.ReasonMissingField, "events")
	}
	return a.testRequest(d, e)
}

func (a Adapter) testRequest(d relay.Destination, e relay.Event) (relay.Request, error) {
	if e.Payload != nil && e.Payload.Text("gclid") == "" {
		e.Payload = maps.Clone(e.Payload)
		e.Payload["gclid"] = json.RawMessage(`"` + testClick + `"`)
	}
	return a.Request(d, e)
}
