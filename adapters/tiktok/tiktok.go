// Package tiktok sends events to TikTok's Events API 2.0, whose path says v1.3.
//
// Sources: https://business-api.tiktok.com/portal/docs/report-app-web-offline-or-crm-events/v1.3 and
// https://ads.tiktok.com/help (standard events, event deduplication); segmentio/action-destinations @970a17ee,
// destinations/tiktok-conversions; rudder-transformer @c98d160c, destinations/tiktok_ads.
package tiktok

import (
	"cmp"
	"regexp"
	"time"

	"relay/adapters/canonical"
	"relay/internal/relay"
)

// apiVersion is of TikTok's Business API. Changes: https://business-api.tiktok.com/portal/docs?id=1740579480076290
const apiVersion = "v1.3"

const (
	apiURL  = "https://business-api.tiktok.com/open_api"
	path    = "/event/track/" // without the final slash the server redirects
	version = "tiktok/1"

	// maxAge is our choice; TikTok documents none.
	maxAge = 7 * 24 * time.Hour
)

// Settings and secrets of a pixel, by the catalogue's names.
const (
	SettingPixelCode     = "pixel_code"
	SettingTestEventCode = "test_event_code"
	SecretAccessToken    = "access_token"
)

// Adapter renders events for TikTok and reads its responses.
type Adapter struct{}

var (
	pixelCode = regexp.MustCompile(`^[A-Za-z0-9_-]{1,100}$`)
	testCode  = regexp.MustCompile(`^[A-Za-z0-9_-]{0,100}$`)
)

// EventNames returns the default names and those proposed to an admin.
func (Adapter) EventNames() relay.EventNames { return Events.Relay() }

// Check returns an error that names the missing or malformed setting.
func (Adapter) Check(d relay.Destination) error {
	return cmp.Or(
		canonical.Check(d),
		canonical.CheckSetting(d, SettingPixelCode, pixelCode),
		canonical.CheckSetting(d, SettingTestEventCode, testCode),
		canonical.CheckToken(d, SecretAccessToken),
	)
}

// Request returns the request for one event.
func (a Adapter) Request(d relay.Destination, e relay.Event) (relay.Request, error) {
	f, err := canonical.Prepare(d, e, a.Check, canonical.Rules{Names: Events.Default, MaxAge: maxAge, Restricts: true})
	if err != nil {
		return relay.Request{}, err
	}
	Events.WarnOfSpelling(f)
	ev, err := newEvent(f, e)
	if err != nil {
		return relay.Request{}, err
	}
	b := body{
		EventSource: "web", EventSourceID: d.Settings[SettingPixelCode], TestEventCode: d.Settings[SettingTestEventCode],
		Data: []event{ev},
	}
	base := canonical.Base(d, apiURL, apiVersion)
	return f.Post(canonical.Version(version, base), base+path,
		map[string]string{"Access-Token": d.Secrets[SecretAccessToken].Reveal()}, b) // with a "Bearer" prefix TikTok returns error 40105
}

// Events are TikTok's names. An old pixel sends CompletePayment and SubmitForm; TikTok drops duplicates only if both sides use
// the same name, so an admin then maps them. TikTok has no standard event for a refund and a cancellation: a custom one builds
// audiences. Campaigns optimise for standard events only.
var Events = canonical.EventNames{
	Default: map[string]string{"purchase_completed": "Purchase", "consult_started": "Lead"},
	Proposed: map[string]string{
		"rx_issued": "SubmitApplication", "refund": "Refund", "order_refunded": "Refund", "refund_issued": "Refund",
		"subscription_started": "Subscribe", "subscription_renewed": "Subscribe", "renewal": "Subscribe",
		"subscription_cancelled": "CancelSubscription", "cancellation": "CancelSubscription", "order_cancelled": "CancelOrder",
	},
	Standard: []string{"AddPaymentInfo", "AddToCart", "AddToWishlist", "ApplicationApproval", "CompleteRegistration", "Contact",
		"CustomizeProduct", "Download", "FindLocation", "InitiateCheckout", "Lead", "Purchase", "Schedule", "Search", "StartTrial",
		"SubmitApplication", "Subscribe", "ViewContent",
		// those of old pixels
		"CompletePayment", "PlaceAnOrder", "SubmitForm", "ClickButton", "Pageview"},
}

// withRevenue are the standard events that TikTok rejects without value and currency.
var withRevenue = []string{"Purchase", "CompletePayment", "PlaceAnOrder"}
