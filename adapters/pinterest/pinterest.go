// Package pinterest speaks Pinterest's Conversions API. Its schema is closed: one key that it does not know, and nothing of
// the request is taken. So there is no key here of our own.
//
// Sources: github.com/pinterest/api-description @c05b1897, v5/openapi.json (API 5.23.0);
// https://developers.pinterest.com/docs/track-conversions/track-conversions-in-the-api/
package pinterest

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"relay/adapters/canonical"
	"relay/internal/relay"
)

// apiVersion is in the path. Changes: https://developers.pinterest.com/docs/changelog/changelog/
const apiVersion = "v5"

const (
	apiURL  = "https://api.pinterest.com"
	version = "pinterest/1"

	// maxAge is ours: Pinterest names no limit, and refuses events of long ago.
	maxAge = 7 * 24 * time.Hour
	// online is how late an event may come and still count as a web event.
	online = time.Hour
)

// Settings and secrets of an ad account, by the catalogue's names. A tag_id is kept for the browser's sake, not sent.
const (
	SettingAdAccountID = "ad_account_id"
	SecretAccessToken  = "access_token"
)

// Names are Pinterest's names for the events that are sent from the start.
var Names = map[string]string{"purchase_completed": "checkout", "consult_started": "lead"}

// Proposals are names for events that an admin may want to map. Pinterest has none for a refund and a cancellation: "custom"
// makes an audience.
var Proposals = map[string]string{
	"rx_issued": "submit_application", "refund": "custom", "order_refunded": "custom", "refund_issued": "custom",
	"subscription_started": "subscribe", "subscription_renewed": "subscribe", "renewal": "subscribe",
	"subscription_cancelled": "custom", "cancellation": "custom", "order_cancelled": "custom",
}

// Standard are the names that Pinterest's reports know; any other makes an audience, and no conversion.
var Standard = []string{"add_payment_info", "add_to_cart", "add_to_wishlist", "app_install", "app_open", "checkout", "contact",
	"custom", "customize_product", "find_location", "initiate_checkout", "lead", "page_visit", "schedule", "search", "signup",
	"start_trial", "submit_application", "subscribe", "view_category", "view_content", "watch_video"}

// Adapter is Pinterest's language.
type Adapter struct{}

var adAccountID = regexp.MustCompile(`^[0-9]{1,18}$`)

// EventNames are the names that are in force, and those that an admin may want.
func (Adapter) EventNames() relay.EventNames {
	return relay.EventNames{Default: Names, Proposed: Proposals}
}

// Check names the setting that is missing or malformed.
func (Adapter) Check(d relay.Destination) error {
	for _, err := range []error{
		canonical.Check(d),
		canonical.CheckSetting(d, SettingAdAccountID, adAccountID),
		canonical.CheckToken(d, SecretAccessToken),
	} {
		if err != nil {
			return err
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
	warn(f, e)
	ev, err := newEvent(f, d, e)
	if err != nil {
		return relay.Request{}, err
	}
	base := canonical.Base(d, apiURL, apiVersion)
	url := base + "/ad_accounts/" + d.Settings[SettingAdAccountID] + "/events"
	if d.Options.Test {
		url += "?test=true"
	}
	return f.Post(version+" "+base[strings.LastIndex(base, "/")+1:], url,
		map[string]string{"Authorization": "Bearer " + d.Secrets[SecretAccessToken].Reveal()}, body{Data: []event{ev}})
}

func warn(f *canonical.Fields, e relay.Event) {
	if !slices.Contains(Standard, f.Name) {
		f.Warn("Pinterest has no such event: it makes an audience, and does not show as a conversion")
	}
	if e.Age() > online {
		f.Warn("the event is older than an hour: Pinterest counts it as offline, and a second copy too")
	}
}
