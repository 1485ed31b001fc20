// Package meta sends events to Meta's Conversions API.
//
// Sources: https://developers.facebook.com/docs/marketing-api/conversions-api/using-the-api and its pages on parameters
// (server-event, customer-information-parameters, custom-data), best-practices and deduplicate-pixel-and-server-events;
// facebook-nodejs-business-sdk @ebd272a3.
package meta

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"regexp"
	"time"
	"unicode/utf8"

	"relay/adapters/canonical"
	"relay/internal/relay"
)

// apiVersion is the Graph API's; each is supported for at least two years. Changes: https://developers.facebook.com/docs/graph-api/changelog
const apiVersion = "v25.0"

const (
	apiURL  = "https://graph.facebook.com"
	version = "meta/1"

	// maxAge is an hour below Meta's seven days: the request fails if the event is older on arrival.
	maxAge = 7*24*time.Hour - time.Hour
	// maxName limits the name of a custom event. It is unconfirmed, hence only a warning.
	maxName = 50
)

// Settings and secrets of a dataset, by the catalogue's names.
const (
	SettingPixelID       = "pixel_id"
	SettingTestEventCode = "test_event_code"
	SecretAccessToken    = "access_token"
	SecretAppSecret      = "app_secret" // optional; see proof
)

// Adapter renders events for Meta and reads its responses.
type Adapter struct{}

var (
	pixelID  = regexp.MustCompile(`^[0-9]{1,30}$`)
	testCode = regexp.MustCompile(`^[A-Za-z0-9_-]{0,100}$`)
)

// EventNames returns the default names and those proposed to an admin.
func (Adapter) EventNames() relay.EventNames { return Events.Relay() }

// Check returns an error that names the missing or malformed setting.
func (Adapter) Check(d relay.Destination) error {
	return cmp.Or(
		canonical.Check(d),
		canonical.CheckSetting(d, SettingPixelID, pixelID),
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
	warnOfName(f)
	ev, err := newEvent(f, e)
	if err != nil {
		return relay.Request{}, err
	}
	b := body{Data: []event{ev}, TestEventCode: d.Settings[SettingTestEventCode]}
	base := canonical.Base(d, apiURL, apiVersion)
	return f.Post(canonical.Version(version, base), base+"/"+d.Settings[SettingPixelID]+"/events"+proof(d),
		map[string]string{"Authorization": "Bearer " + d.Secrets[SecretAccessToken].Reveal()}, b)
}

// proof returns the query that proves knowledge of the app secret. It is in the query because query values are never recorded.
// https://developers.facebook.com/docs/graph-api/guides/secure-requests
func proof(d relay.Destination) string {
	secret := d.Secrets[SecretAppSecret]
	if !secret.IsSet() {
		return ""
	}
	mac := hmac.New(sha256.New, []byte(secret.Reveal()))
	mac.Write([]byte(d.Secrets[SecretAccessToken].Reveal()))
	return "?" + url.Values{"appsecret_proof": {hex.EncodeToString(mac.Sum(nil))}}.Encode()
}

// Events are Meta's names. It has no standard event for a refund and a cancellation: a custom one builds audiences. Campaigns
// optimise for standard events only.
var Events = canonical.EventNames{
	Default: map[string]string{"purchase_completed": "Purchase", "consult_started": "Lead"},
	Proposed: map[string]string{
		"rx_issued": "SubmitApplication", "refund": "Refund", "order_refunded": "Refund", "refund_issued": "Refund",
		"subscription_started": "Subscribe", "subscription_renewed": "Subscribe", "renewal": "Subscribe",
		"subscription_cancelled": "CancelSubscription", "cancellation": "CancelSubscription", "order_cancelled": "CancelOrder",
	},
	Standard: []string{"AddPaymentInfo", "AddToCart", "AddToWishlist", "CompleteRegistration", "Contact", "CustomizeProduct",
		"Donate", "FindLocation", "InitiateCheckout", "Lead", "PageView", "Purchase", "Schedule", "Search", "StartTrial",
		"SubmitApplication", "Subscribe", "ViewContent"},
}

func warnOfName(f *canonical.Fields) {
	Events.WarnOfSpelling(f)
	if utf8.RuneCountInString(f.Name) > maxName {
		f.Warn("the event's name is longer than 50 characters")
	}
}
