// Package tiktok speaks TikTok's Events API 2.0, whose path says v1.3.
//
// Sources: https://business-api.tiktok.com/portal/docs/report-app-web-offline-or-crm-events/v1.3 and
// https://ads.tiktok.com/help (standard events, event deduplication); segmentio/action-destinations @970a17ee,
// destinations/tiktok-conversions; rudder-transformer @c98d160c, destinations/tiktok_ads.
package tiktok

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"relay/adapters/canonical"
	"relay/internal/relay"
)

// apiVersion is of TikTok's Business API. Changes: https://business-api.tiktok.com/portal/docs?id=1740579480076290
const apiVersion = "v1.3"

const (
	apiURL  = "https://business-api.tiktok.com/open_api"
	path    = "/event/track/" // without the last slash there is a redirect
	version = "tiktok/1"

	// maxAge is our own choice: TikTok names none.
	maxAge = 7 * 24 * time.Hour
)

// Settings and secrets of a pixel, by the catalogue's names.
const (
	SettingPixelCode     = "pixel_code"
	SettingTestEventCode = "test_event_code"
	SecretAccessToken    = "access_token"
)

// Adapter is TikTok's language.
type Adapter struct{}

var (
	pixelCode = regexp.MustCompile(`^[A-Za-z0-9_-]{1,100}$`)
	testCode  = regexp.MustCompile(`^[A-Za-z0-9_-]{0,100}$`)
)

// EventNames are the names that are in force, and those that an admin may want.
func (Adapter) EventNames() relay.EventNames {
	return relay.EventNames{Default: Names, Proposed: Proposals}
}

// Check names the setting that is missing or malformed.
func (Adapter) Check(d relay.Destination) error {
	for _, check := range []error{
		canonical.Check(d),
		canonical.CheckSetting(d, SettingPixelCode, pixelCode),
		canonical.CheckSetting(d, SettingTestEventCode, testCode),
		canonical.CheckToken(d, SecretAccessToken),
	} {
		if check != nil {
			return check
		}
	}
	return nil
}

// Request is the exact request for one event.
func (a Adapter) Request(d relay.Destination, e relay.Event) (relay.Request, error) {
	if err := canonical.Ready(d, a.Check); err != nil {
		return relay.Request{}, err
	}
	f, err := canonical.Open(d, e, canonical.Rules{Names: Names, MaxAge: maxAge, Restricts: true})
	if err != nil {
		return relay.Request{}, err
	}
	warnOfName(f)
	ev, err := newEvent(f, e)
	if err != nil {
		return relay.Request{}, err
	}
	b := body{
		EventSource: "web", EventSourceID: d.Settings[SettingPixelCode], TestEventCode: d.Settings[SettingTestEventCode],
		Data: []event{ev},
	}
	base := canonical.Base(d, apiURL, apiVersion)
	return f.Post(version+" "+base[strings.LastIndex(base, "/")+1:], base+path,
		map[string]string{"Access-Token": d.Secrets[SecretAccessToken].Reveal()}, b) // a "Bearer" before it is error 40105
}

// Names are TikTok's names for the events that are sent from the start. A pixel of old says CompletePayment and SubmitForm,
// and both sides must say the same for TikTok to drop copies: then an admin maps them so.
var Names = map[string]string{"purchase_completed": "Purchase", "consult_started": "Lead"}

// Proposals are names for events that an admin may want to map. TikTok has no standard event for a refund and a cancellation:
// a custom one builds audiences.
var Proposals = map[string]string{
	"rx_issued": "SubmitApplication", "refund": "Refund", "order_refunded": "Refund", "refund_issued": "Refund",
	"subscription_started": "Subscribe", "subscription_renewed": "Subscribe", "renewal": "Subscribe",
	"subscription_cancelled": "CancelSubscription", "cancellation": "CancelSubscription", "order_cancelled": "CancelOrder",
}

// Standard are the names that TikTok's campaigns optimise for, the last row those of old; any other is a custom event.
var Standard = []string{"AddPaymentInfo", "AddToCart", "AddToWishlist", "ApplicationApproval", "CompleteRegistration", "Contact",
	"CustomizeProduct", "Download", "FindLocation", "InitiateCheckout", "Lead", "Purchase", "Schedule", "Search", "StartTrial",
	"SubmitApplication", "Subscribe", "ViewContent",
	"CompletePayment", "PlaceAnOrder", "SubmitForm", "ClickButton", "Pageview"}

// withRevenue are the standard events that TikTok refuses without value and currency.
var withRevenue = []string{"Purchase", "CompletePayment", "PlaceAnOrder"}

func warnOfName(f *canonical.Fields) {
	if slices.Contains(Standard, f.Name) {
		return
	}
	if i := slices.IndexFunc(Standard, func(s string) bool { return strings.EqualFold(s, f.Name) }); i >= 0 {
		f.Warn("the event's name is a custom one; the standard event is spelled " + Standard[i])
	}
}
