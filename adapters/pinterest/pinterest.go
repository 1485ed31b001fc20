// Package pinterest sends events to Pinterest's Conversions API. The schema is closed: one unknown key and Pinterest rejects
// the request, so the relay adds no keys of its own.
//
// Sources: github.com/pinterest/api-description @c05b1897, v5/openapi.json (API 5.23.0);
// https://developers.pinterest.com/docs/track-conversions/track-conversions-in-the-api/
package pinterest

import (
	"cmp"
	"regexp"
	"time"

	"relay/adapters/canonical"
	"relay/internal/relay"
)

// apiVersion is in the path. Changes: https://developers.pinterest.com/docs/changelog/changelog/
const apiVersion = "v5"

const (
	apiURL  = "https://api.pinterest.com"
	version = "pinterest/1"

	// maxAge is our choice: Pinterest documents no limit, but rejects old events.
	maxAge = 7 * 24 * time.Hour
	// online is the age up to which Pinterest counts an event as a web event.
	online = time.Hour
	// untilNext is longer than the wait between two attempts, 8 minutes at most unless an admin or Pinterest asks for more: the second
	// copy has to be online, too.
	untilNext = 10 * time.Minute
)

// Settings and secrets of an ad account, by the catalogue's names. A tag_id is stored for the browser tag and not sent.
const (
	SettingAdAccountID = "ad_account_id"
	SecretAccessToken  = "access_token"
)

// Events are Pinterest's names. It has none for a refund and a cancellation: "custom" builds an audience. Reports show
// standard events only; any other name builds an audience and counts as no conversion.
var Events = canonical.EventNames{
	Default: map[string]string{"purchase_completed": "checkout", "consult_started": "lead"},
	Proposed: map[string]string{
		"rx_issued": "submit_application", "refund": "custom", "order_refunded": "custom", "refund_issued": "custom",
		"subscription_started": "subscribe", "subscription_renewed": "subscribe", "renewal": "subscribe",
		"subscription_cancelled": "custom", "cancellation": "custom", "order_cancelled": "custom",
	},
	Standard: []string{"add_payment_info", "add_to_cart", "add_to_wishlist", "app_install", "app_open", "checkout", "contact",
		"custom", "customize_product", "find_location", "initiate_checkout", "lead", "page_visit", "schedule", "search", "signup",
		"start_trial", "submit_application", "subscribe", "view_category", "view_content", "watch_video"},
}

// Adapter renders events for Pinterest and reads its responses.
type Adapter struct{}

var adAccountID = regexp.MustCompile(`^[0-9]{1,18}$`)

// EventNames returns the default names and those proposed to an admin.
func (Adapter) EventNames() relay.EventNames { return Events.Relay() }

// Check returns an error that names the missing or malformed setting.
func (Adapter) Check(d relay.Destination) error {
	return cmp.Or(
		canonical.Check(d),
		canonical.CheckSetting(d, SettingAdAccountID, adAccountID),
		canonical.CheckToken(d, SecretAccessToken),
	)
}

// Request returns the request for one event.
func (a Adapter) Request(d relay.Destination, e relay.Event) (relay.Request, error) {
	f, err := canonical.Prepare(d, e, a.Check, canonical.Rules{Names: Events.Default, MaxAge: maxAge, Restricts: true})
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
	r, err := f.Post(canonical.Version(version, base), url,
		map[string]string{"Authorization": "Bearer " + d.Secrets[SecretAccessToken].Reveal()}, body{Data: []event{ev}})
	// An offline event, as Pinterest also calls one that arrives late, is counted again for each copy.
	r.Repeatable = d.Options.Test || ev.ActionSource == web && e.Age() <= online-untilNext
	return r, err
}

func warn(f *canonical.Fields, e relay.Event) {
	if !Events.IsStandard(f.Name) {
		f.Warn("not a standard event at Pinterest: it builds an audience and is not reported as a conversion")
	}
	if e.Age() > online {
		f.Warn("the event is older than an hour: Pinterest counts it as offline, and counts duplicates")
	}
}
