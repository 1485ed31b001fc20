package ga4

import "relay/internal/relay"

// TestRequest is the request for one event to the validating endpoint, which records nothing.
func (a Adapter) TestRequest(d relay.Destination, e relay.Event) (relay.Request, error) {
	d.Options.Test = true
	r, err := a.Request(d, e)
	r.Warnings = append(r.Warnings, "Google's validation endpoint checks the event, but not measurement_id and api_secret")
	return r, err
}
