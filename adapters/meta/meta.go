// Package meta speaks Meta's Conversions API.
//
// Sources: https://developers.facebook.com/docs/marketing-api/conversions-api/using-the-api and its pages on parameters
// (server-event, customer-information-parameters, custom-data), best-practices and deduplicate-pixel-and-server-events;
// facebook-nodejs-business-sdk @ebd272a3.
package meta

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"relay/adapters/canonical"
	"relay/internal/relay"
)

// apiVersion is Graph's; one lives for at least two years here. Changes: https://developers.facebook.com/docs/graph-api/changelog
const apiVersion = "v25.0"

const (
	apiURL  = "https://graph.facebook.com"
	version = "meta/1"

	// maxAge is an hour short of Meta's seven days: one event that is older by the time it arrives makes the request fail.
	maxAge = 7*24*time.Hour - time.Hour
	// maxName is how long a custom event's name may be; unconfirmed, therefore a warning.
	maxName = 50
)

// Settings and secrets of a dataset, by the catalogue's names.
const (
	SettingPixelID       = "pixel_id"
	SettingTestEventCode = "test_event_code"
	SecretAccessToken    = "access_token"
	SecretAppSecret      = "app_secret" // optional: proves that the token's owner is the app
)

// Adapter is Meta's language.
type Adapter struct{}

var (
	pixelID  = regexp.MustCompile(`^[0-9]{1,30}$`)
	testCode = regexp.MustCompile(`^[A-Za-z0-9_-]{0,100}$`)
)

// EventNames are the names that are in force, and those that an admin may want.
func (Adapter) EventNames() relay.EventNames {
	return relay.EventNames{Default: Names, Proposed: Proposals}
}

// Check names the setting that is missing or malformed.
func (Adapter) Check(d relay.Destination) error {
	for _, check := range []error{
		canonical.Check(d),
		canonical.CheckSetting(d, SettingPixelID, pixelID),
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
	b := body{Data: []event{ev}, TestEventCode: d.Settings[SettingTestEventCode]}
	base := canonical.Base(d, apiURL, apiVersion)
	return f.Post(version+" "+base[strings.LastIndex(base, "/")+1:], base+"/"+d.Settings[SettingPixelID]+"/events"+proof(d),
		map[string]string{"Authorization": "Bearer " + d.Secrets[SecretAccessToken].Reveal()}, b)
}

// proof is the query that shows knowledge of the app's secret; a query, because its values are never recorded.
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

// Names are Meta's names for the events that are sent from the start.
var Names = map[string]string{"purchase_completed": "Purchase", "consult_started": "Lead"}

// Proposals are names for events that an admin may want to map. Meta has no standard event for a refund and a cancellation: a
// custom one builds audiences.
var Proposals = map[string]string{
	"rx_issued": "SubmitApplication", "refund": "Refund", "order_refunded": "Refund", "refund_issued": "Refund",
	"subscription_started": "Subscribe", "subscription_renewed": "Subscribe", "renewal": "Subscribe",
	"subscription_cancelled": "CancelSubscription", "cancellation": "CancelSubscription", "order_cancelled": "CancelOrder",
}

// Standard are the names that Meta's campaigns optimise for; any other is a custom event.
var Standard = []string{"AddPaymentInfo", "AddToCart", "AddToWishlist", "CompleteRegistration", "Contact", "CustomizeProduct",
	"Donate", "FindLocation", "InitiateCheckout", "Lead", "PageView", "Purchase", "Schedule", "Search", "StartTrial",
	"SubmitApplication", "Subscribe", "ViewContent"}

func warnOfName(f *canonical.Fields) {
	if slices.Contains(Standard, f.Name) {
		return
	}
	if i := slices.IndexFunc(Standard, func(s string) bool { return strings.EqualFold(s, f.Name) }); i >= 0 {
		f.Warn("the event's name is a custom one; the standard event is spelled " + Standard[i])
	}
	if utf8.RuneCountInString(f.Name) > maxName {
		f.Warn("the event's name is longer than 50 characters")
	}
}
