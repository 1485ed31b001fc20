// Package customerio sends events to Customer.io's Track API, version 2.
//
// Sources: https://docs.customer.io/integrations/api/track/; Customer.io's own OpenAPI document, in github.com/api-evangelist/customer-io
// @b501ffb.
package customerio

import (
	"cmp"
	"regexp"

	"relay/adapters/canonical"
	"relay/internal/relay"
)

const (
	version = "customer_io/1 v2"

	// maxBody is the longest request that Customer.io accepts, in bytes.
	maxBody = 32 << 10
)

// Settings and secrets of a workspace, by the catalogue's names.
const (
	SettingSiteID = "site_id"
	SettingRegion = "region"
	SecretAPIKey  = "api_key"
)

// regions are the hosts. The American one hands European data on through America, and the European one refuses American data.
var regions = canonical.Regions{Setting: SettingRegion, Home: "US", Addresses: map[string]string{
	"US": "https://track.customer.io/api", "EU": "https://track-eu.customer.io/api",
}}

// Events have no names of the vendor's. A consultation and a prescription have no default: an event starts campaigns and is shown
// beside the person.
var Events = canonical.EventNames{
	Default: map[string]string{"purchase_completed": "purchase"},
	Proposed: map[string]string{
		"consult_started": "lead", "refund": "refund", "order_refunded": "refund", "refund_issued": "refund",
		"subscription_started": "subscription_started", "subscription_renewed": "subscription_renewed", "renewal": "subscription_renewed",
		"subscription_cancelled": "subscription_cancelled", "cancellation": "subscription_cancelled", "order_cancelled": "order_cancelled",
	},
}

// siteID is the user of HTTP Basic, which ends at a colon.
var siteID = regexp.MustCompile(`^[!-9;-~]{1,100}$`)

// Adapter renders events for Customer.io and reads its responses.
type Adapter struct{}

// EventNames returns the default names and those proposed to an admin.
func (Adapter) EventNames() relay.EventNames { return Events.Relay() }

// Check returns an error that names the missing or malformed setting.
func (Adapter) Check(d relay.Destination) error {
	return cmp.Or(
		canonical.CheckAs(d, canonical.Traits{Plain: true}),
		canonical.CheckSetting(d, SettingSiteID, siteID),
		regions.Check(d),
		canonical.CheckToken(d, SecretAPIKey),
	)
}

// Request returns the request for one event.
func (a Adapter) Request(d relay.Destination, e relay.Event) (relay.Request, error) {
	f, err := canonical.Prepare(d, e, a.Check, canonical.Rules{Names: Events.Default, Consent: canonical.Consent.Everything, Plain: true})
	if err != nil {
		return relay.Request{}, err
	}
	ev, err := newEvent(f, e)
	if err != nil {
		return relay.Request{}, err
	}
	r, err := f.Post(version, regions.Base(d)+"/v2/entity",
		map[string]string{"Authorization": canonical.BasicAuth(d.Settings[SettingSiteID], d.Secrets[SecretAPIKey].Reveal())}, ev)
	if err == nil && len(r.Body) > maxBody {
		return relay.Request{}, relay.Refuse(relay.ReasonTooLarge, "event_payload")
	}
	return r, err
}
