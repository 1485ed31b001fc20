package snapchat

import "relay/internal/relay"

// TestRequest is the request for one event in Snapchat's test mode, which validates it and records nothing.
func (a Adapter) TestRequest(d relay.Destination, e relay.Event) (relay.Request, error) {
	d.Options.Test = true
	return a.Request(d, e)
}
