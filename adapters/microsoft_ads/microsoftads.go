// Package microsoftads sends events to Microsoft Advertising's UET Conversions API.
//
// Sources: https://learn.microsoft.com/en-us/advertising/guides/uet-conversion-api-integration;
// github.com/segmentio/action-destinations @970a17ee, ms-bing-capi. Microsoft enables the API for each account.
package microsoftads

import (
	"cmp"
	"regexp"
	"time"

	"relay/adapters/canonical"
	"relay/internal/relay"
)

const (
	apiURL     = "https://capi.uet.microsoft.com"
	apiVersion = "v1"
	version    = "microsoft_ads/1"

	// maxAge is an hour below Microsoft's seven days, which count on arrival.
	maxAge = 7*24*time.Hour - time.Hour
)

// Settings and secrets of a UET tag, by the catalogue's names.
const (
	SettingTagID   = "uet_tag_id"
	SecretAPIToken = "api_token"
)

// Events are event actions. Microsoft defines none of them: it compares them with the actions of the advertiser's own goals.
var Events = canonical.EventNames{
	Default: map[string]string{"purchase_completed": "purchase", "consult_started": "lead"},
	Proposed: map[string]string{
		"rx_issued": "submit_application", "refund": "refund", "order_refunded": "refund", "refund_issued": "refund",
		"subscription_started": "subscribe", "subscription_renewed": "subscribe", "renewal": "subscribe",
		"subscription_cancelled": "cancel_subscription", "cancellation": "cancel_subscription", "order_cancelled": "cancel_order",
	},
}

// Adapter renders events for Microsoft Advertising and reads its responses.
type Adapter struct{}

var tagID = regexp.MustCompile(`^[0-9]{1,20}$`)

// EventNames returns the default names and those proposed to an admin.
func (Adapter) EventNames() relay.EventNames { return Events.Relay() }

// Check returns an error that names the missing or malformed setting.
func (Adapter) Check(d relay.Destination) error {
	return cmp.Or(
		canonical.Check(d),
		canonical.CheckSetting(d, SettingTagID, tagID),
		canonical.CheckToken(d, SecretAPIToken),
	)
}

// Request returns the request for one event.
func (a Adapter) Request(d relay.Destination, e relay.Event) (relay.Request, error) {
	f, err := canonical.Prepare(d, e, a.Check, canonical.Rules{Names: Events.Default, MaxAge: maxAge, Consent: canonical.Consent.AdsPersonalized})
	if err != nil {
		return relay.Request{}, err
	}
	ev, err := newEvent(f, e)
	if err != nil {
		return relay.Request{}, err
	}
	base := canonical.Base(d, apiURL, apiVersion)
	return f.Post(canonical.Version(version, base), base+"/"+d.Settings[SettingTagID]+"/events",
		map[string]string{"Authorization": "Bearer " + d.Secrets[SecretAPIToken].Reveal()}, body{Data: []event{ev}})
}
