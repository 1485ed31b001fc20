// Package ga4 speaks GA4's Measurement Protocol, directly to Google. Google answers 2xx whatever it thinks of an event, the
// secret included, so everything is made right, or refused, before it is sent.
//
// Source: https://developers.google.com/analytics/devguides/collection/protocol/ga4/reference
package ga4

import (
	"cmp"
	"net/url"
	"regexp"
	"strings"
	"time"

	"relay/adapters/canonical"
	"relay/adapters/measurement"
	"relay/internal/relay"
)

// Settings and secrets of a data stream, as the catalogue names them. A firebase_app_id is kept, not sent: the relay sends
// web events.
const (
	SettingMeasurementID = "measurement_id"
	SecretAPI            = "api_secret"
)

const (
	version  = "ga4/1" // the protocol has no version of its own
	global   = "https://www.google-analytics.com"
	european = "https://region1.google-analytics.com"
	collect  = "/mp/collect"
	validate = "/debug/mp/collect"

	// maxAge is how far back Google takes an event.
	maxAge = 72 * time.Hour
	// maxBody is the longest body that Google takes, in bytes.
	maxBody = 130_000
)

// Names are GA4's names for the events that are sent from the start.
var Names = measurement.Names

// Proposals are names for events that an admin may want to map.
var Proposals = measurement.Proposals

var measurementID = regexp.MustCompile(`^G-[A-Za-z0-9]{1,100}$`)

// Adapter is GA4's language.
type Adapter struct{}

// EventNames are the names that are in force, and those that an admin may want.
func (Adapter) EventNames() relay.EventNames {
	return relay.EventNames{Default: Names, Proposed: Proposals}
}

// Check names the setting that is missing or malformed.
func (Adapter) Check(d relay.Destination) error {
	if err := canonical.Check(d); err != nil {
		return err
	}
	if err := canonical.CheckSetting(d, SettingMeasurementID, measurementID); err != nil {
		return err
	}
	return canonical.CheckToken(d, SecretAPI)
}

// Request is the exact request for one event.
func (a Adapter) Request(d relay.Destination, e relay.Event) (relay.Request, error) {
	if err := canonical.Ready(d, a.Check); err != nil {
		return relay.Request{}, err
	}
	f, err := canonical.Open(d, e, canonical.Rules{Names: Names, MaxAge: maxAge, Consent: canonical.Consent.Analytics, Restricts: true})
	if err != nil {
		return relay.Request{}, err
	}
	body, err := measurement.Build(f, d, e, nil)
	if err != nil {
		return relay.Request{}, err
	}
	r, err := f.Post(version, endpoint(d), nil, body)
	if err != nil {
		return relay.Request{}, err
	}
	if len(r.Body) > maxBody {
		return relay.Request{}, relay.Refuse(relay.ReasonTooLarge, "items")
	}
	r.Dropped = body.Dropped(r.Dropped, f.Consent)
	// GA4 drops a second copy of a purchase by its transaction_id, and counts one of anything else.
	r.Repeatable = d.Options.Test || body.HasOrder()
	return r, nil
}

// endpoint is the address with its query, which holds the secret: the protocol knows no other place for it.
func endpoint(d relay.Destination) string {
	base := strings.TrimRight(cmp.Or(d.Settings[canonical.SettingBaseURL], global), "/")
	if d.Options.EU && base == global {
		base = european
	}
	path := collect
	if d.Options.Test {
		path = validate
	}
	q := url.Values{"measurement_id": {d.Settings[SettingMeasurementID]}, "api_secret": {d.Secrets[SecretAPI].Reveal()}}
	return base + path + "?" + q.Encode()
}
