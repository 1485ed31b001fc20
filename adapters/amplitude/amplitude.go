// Package amplitude sends events to Amplitude's HTTP V2 API.
//
// Source: https://amplitude.com/docs/apis/analytics/http-v2
package amplitude

import (
	"cmp"
	"time"

	"relay/adapters/canonical"
	"relay/internal/relay"
)

const (
	version = "amplitude/1 v2"

	// remembered is how long Amplitude keeps the ids of events. From then on a second copy would count.
	remembered = 7 * 24 * time.Hour
)

// Settings and secrets of a project, by the catalogue's names. The secret key serves other APIs.
const (
	SettingResidency = "data_residency"
	SecretAPIKey     = "api_key"
)

var regions = canonical.Regions{Setting: SettingResidency, Home: "US", Addresses: map[string]string{
	"US": "https://api2.amplitude.com", "EU": "https://api.eu.amplitude.com",
}}

// Events have no names of the vendor's.
var Events = canonical.EventNames{
	Default: map[string]string{"purchase_completed": sale, "consult_started": "lead"},
	Proposed: map[string]string{
		"rx_issued": "application_submitted", "refund": "refund", "order_refunded": "refund", "refund_issued": "refund",
		"subscription_started": "subscription_started", "subscription_renewed": "subscription_renewed", "renewal": "subscription_renewed",
		"subscription_cancelled": "subscription_cancelled", "cancellation": "subscription_cancelled", "order_cancelled": "order_cancelled",
	},
}

// Adapter renders events for Amplitude and reads its responses.
type Adapter struct{}

// EventNames returns the default names and those proposed to an admin.
func (Adapter) EventNames() relay.EventNames { return Events.Relay() }

// Check returns an error that names the missing or malformed setting.
func (Adapter) Check(d relay.Destination) error {
	return cmp.Or(canonical.CheckAs(d, canonical.Traits{Plain: true}), regions.Check(d), canonical.CheckToken(d, SecretAPIKey))
}

// Request returns the request for one event. The key is in its body: the API has no other place for it.
func (a Adapter) Request(d relay.Destination, e relay.Event) (relay.Request, error) {
	f, err := canonical.Prepare(d, e, a.Check, canonical.Rules{Names: Events.Default, Consent: canonical.Consent.Analytics, Plain: true})
	if err != nil {
		return relay.Request{}, err
	}
	ev, err := newEvent(f, e)
	if err != nil {
		return relay.Request{}, err
	}
	b := body{APIKey: d.Secrets[SecretAPIKey].Reveal(), Events: []event{ev}}
	if len([]rune(ev.UserID)) < shortest {
		b.Options.MinIDLength = 1
	}
	r, err := f.Post(version, regions.Base(d)+"/2/httpapi", nil, b)
	r.Repeatable = r.Repeatable && e.Age() <= remembered
	return r, err
}
