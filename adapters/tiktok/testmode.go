package tiktok

import "relay/internal/relay"

// TestRequest is the request for one event in TikTok's test mode: with a test_event_code it shows among the test events. The
// code is the admin's, from TikTok's own pages, and expires.
func (a Adapter) TestRequest(d relay.Destination, e relay.Event) (relay.Request, error) {
	if d.Settings[SettingTestEventCode] == "" {
		return relay.Request{}, relay.Refuse(relay.ReasonMissingField, SettingTestEventCode)
	}
	return a.Request(d, e)
}
