// Package reddit sends events to Reddit's Conversions API, version 3.
//
// Sources: https://ads-api.reddit.com/docs/v3/operations/Post%20Conversion%20Events; the connectors of RudderStack and Tealium for v3.
// Of v3 not confirmed by a page of Reddit's: the bodies of responses, the form of phone numbers before their hash, and whether an event
// with a test_id is recorded, too.
package reddit

import (
	"cmp"
	"regexp"
	"time"

	"relay/adapters/canonical"
	"relay/internal/relay"
)

const (
	apiURL     = "https://ads-api.reddit.com/api"
	apiVersion = "v3"
	version    = "reddit/1"

	// maxAge is an hour below Reddit's seven days, which count on arrival.
	maxAge = 7*24*time.Hour - time.Hour
)

// Settings and secrets of a pixel, by the catalogue's names. The test id is sent with test events alone.
const (
	SettingPixelID    = "pixel_id"
	SettingTestID     = "test_id"
	SecretAccessToken = "access_token"
)

// Events are Reddit's names. Any other name is that of a custom event.
var Events = canonical.EventNames{
	Default: map[string]string{"purchase_completed": purchase, "consult_started": "LEAD"},
	Proposed: map[string]string{
		"rx_issued": "application_submitted", "refund": "refund", "order_refunded": "refund", "refund_issued": "refund",
		"subscription_started": "subscribe", "subscription_renewed": "subscribe", "renewal": "subscribe",
		"subscription_cancelled": "cancel_subscription", "cancellation": "cancel_subscription", "order_cancelled": "cancel_order",
	},
	Standard: []string{"ADD_TO_CART", "ADD_TO_WISHLIST", "LEAD", "PAGE_VISIT", purchase, "SEARCH", "SIGN_UP", "VIEW_CONTENT"},
}

// purchase is the event of which Reddit wants value and currency.
const purchase = "PURCHASE"

// Adapter renders events for Reddit and reads its responses.
type Adapter struct{}

// idForm is the form of a pixel's id ("a2_…", "t2_…") and of a test's.
var idForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,100}$`)

// EventNames returns the default names and those proposed to an admin.
func (Adapter) EventNames() relay.EventNames { return Events.Relay() }

// Check returns an error that names the missing or malformed setting.
func (Adapter) Check(d relay.Destination) error {
	return cmp.Or(
		canonical.Check(d),
		canonical.CheckSetting(d, SettingPixelID, idForm),
		checkTestID(d),
		canonical.CheckToken(d, SecretAccessToken),
	)
}

func checkTestID(d relay.Destination) error {
	if d.Settings[SettingTestID] == "" {
		return nil
	}
	return canonical.CheckSetting(d, SettingTestID, idForm)
}

// Request returns the request for one event.
func (a Adapter) Request(d relay.Destination, e relay.Event) (relay.Request, error) {
	return a.request(d, e, "")
}

// TestRequest returns the request for one event under the test id of Reddit's Events Manager, where it then shows.
func (a Adapter) TestRequest(d relay.Destination, e relay.Event) (relay.Request, error) {
	if d.Settings[SettingTestID] == "" {
		return relay.Request{}, relay.Refuse(relay.ReasonMissingField, SettingTestID)
	}
	return a.request(d, e, d.Settings[SettingTestID])
}

func (a Adapter) request(d relay.Destination, e relay.Event, test string) (relay.Request, error) {
	f, err := canonical.Prepare(d, e, a.Check, canonical.Rules{Names: Events.Default, MaxAge: maxAge, Restricts: true})
	if err != nil {
		return relay.Request{}, err
	}
	if !f.Consent.Personalized() { // counted only: Reddit does not say that its limited data use (LDU) is enough for it
		return relay.Request{}, relay.Skip(relay.ReasonConsentDenied)
	}
	Events.WarnOfSpelling(f)
	ev, err := newEvent(f, e)
	if err != nil {
		return relay.Request{}, err
	}
	base := canonical.Base(d, apiURL, apiVersion)
	return f.Post(canonical.Version(version, base), base+"/pixels/"+d.Settings[SettingPixelID]+"/conversion_events",
		map[string]string{"Authorization": "Bearer " + d.Secrets[SecretAccessToken].Reveal()}, body{Data: data{TestID: test, Events: []event{ev}}})
}
