package webhook

import (
	"encoding/json"
	"maps"

	"relay/internal/relay"
)

// TestEvent is the type of a test event. A webhook has no test mode: the receiver recognises a test by its type.
const TestEvent = "relay.test"

// TestRequest returns the request for one event of the type relay.test. It has no sale and no person, because the receiver may
// forward every event, and no option suppresses it.
func (a Adapter) TestRequest(d relay.Destination, e relay.Event) (relay.Request, error) {
	d.Options = relay.Options{Events: map[string]relay.EventRule{TestEvent: {Name: TestEvent}}}
	e.Type = TestEvent
	e.Storefront.RequireConsent = false // the event has no person whose consent could be required
	e.Payload = maps.Clone(e.Payload)
	maps.DeleteFunc(e.Payload, func(name string, _ json.RawMessage) bool { return name != "event_time" })
	return a.Request(d, e)
}
