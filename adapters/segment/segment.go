// Package segment sends events to Twilio Segment's HTTP tracking API.
//
// Source: https://www.twilio.com/docs/segment/connections/sources/catalog/libraries/server/http-api
package segment

import (
	"cmp"

	"relay/adapters/canonical"
	"relay/adapters/tracking"
	"relay/internal/relay"
)

const version = "segment/1"

// SettingRegion is where the workspace is, by the catalogue's name: US, which is also the default, or EU.
const SettingRegion = "region"

// regions are Segment's addresses. Its pages name two hosts for the EU, this one and eu1.api.segmentapis.com: which of them is meant
// to last is UNCONFIRMED, and the platform's api_base_url sets another. The US host silently loses the events of EU workspaces.
var regions = canonical.Regions{Setting: SettingRegion, Home: "US", Addresses: map[string]string{
	"US": "https://api.segment.io/v1",
	"EU": "https://events.eu1.segmentapis.com/v1",
}}

// Adapter renders events for Segment and reads its responses.
type Adapter struct{}

// EventNames returns the default names and those proposed to an admin.
func (Adapter) EventNames() relay.EventNames { return tracking.Events.Relay() }

// Check returns an error that names the missing or malformed setting.
func (Adapter) Check(d relay.Destination) error {
	var region error
	if d.Settings[SettingRegion] != "" {
		region = regions.Check(d)
	}
	return cmp.Or(tracking.Check(d), region)
}

// Request returns the request for one event. It is repeatable: Segment drops a second copy by messageId, within a window that it does
// not state.
func (a Adapter) Request(d relay.Destination, e relay.Event) (relay.Request, error) {
	return tracking.Request(tracking.At(d, regions.Base(d)), e, a.Check, version)
}

// Outcome classifies Segment's response. An acceptance says little: Segment responds 200 to a wrong write key, too.
func (Adapter) Outcome(r relay.Response) relay.Result { return tracking.Outcome(r) }
