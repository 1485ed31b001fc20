// Package ga4 sends events to GA4's Measurement Protocol, directly to Google. Google responds 2xx even if the event or the
// secret is invalid, so the adapter corrects or refuses everything before it is sent.
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

// Settings and secrets of a data stream, by the catalogue's names. A firebase_app_id is stored and not sent: the relay sends
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

	// maxAge is the oldest event that Google accepts.
	maxAge = 72 * time.Hour
	// maxBody is the longest body that Google accepts, in bytes.
	maxBody = 130_000
)

// Events are GA4's names. Any name of our own is an event at GA4, too.
var Events = canonical.EventNames{Default: measurement.Names, Proposed: measurement.Proposals}

var measurementID = regexp.MustCompile(`^G-[A-Za-z0-9]{1,100}$`)

// Adapter renders events for GA4 and reads its responses.
type Adapter struct{}

// EventNames returns the default names and those proposed to an admin.
func (Adapter) EventNames() relay.EventNames { return Events.Relay() }

// Check returns an error that names the missing or malformed setting.
func (Adapter) Check(d relay.Destination) error {
	return cmp.Or(
		canonical.Check(d),
		canonical.CheckSetting(d, SettingMeasurementID, measurementID),
		canonical.CheckToken(d, SecretAPI),
	)
}

// Request returns the request for one event.
func (a Adapter) Request(d relay.Destination, e relay.Event) (relay.Request, error) {
	f, err := canonical.Prepare(d, e, a.Check,
		canonical.Rules{Names: Events.Default, MaxAge: maxAge, Consent: canonical.Consent.Analytics, Restricts: true})
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
	// GA4 drops duplicates of a purchase by transaction_id, and counts duplicates of every other event.
	r.Repeatable = d.Options.Test || body.HasOrder()
	return r, nil
}

// endpoint returns the URL. Its query holds the secret: the protocol has no other place for it.
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
