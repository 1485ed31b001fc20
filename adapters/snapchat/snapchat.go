// Package snapchat sends events to Snapchat's Conversions API.
//
// Sources: https://developers.snap.com/api/marketing-api/Conversions-API/UsingTheAPI and its pages Parameters and
// VerifySetUp; github.com/Snapchat/business-sdk-v3-java @8ab70757, api/openapi.yaml.
package snapchat

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"relay/adapters/canonical"
	"relay/internal/relay"
)

// apiVersion is in the path. Changes: https://developers.snap.com/api/marketing-api/Conversions-API/Introduction
const apiVersion = "v3"

const (
	apiURL  = "https://tr.snapchat.com"
	version = "snapchat/1"

	// maxAge is the limit for web events on the page Parameters. Another page names 37 days; an admin can set that
	// (max_age_hours).
	maxAge = 7 * 24 * time.Hour
)

// Settings and secrets of a pixel, by the catalogue's names. A snap_app_id is stored and not sent: the relay sends no app events.
const (
	SettingPixelID       = "pixel_id"
	SettingTestEventCode = "test_event_code"
	SecretAccessToken    = "access_token"
)

// Events are Snapchat's names. It has none for a lead; a refund and a cancellation use its free names CUSTOM_EVENT_1 to 5.
// Standard lists all names that Snapchat documents. Whether it takes others is not documented, so Check refuses them.
var Events = canonical.EventNames{
	Default: map[string]string{"purchase_completed": purchase, "consult_started": "SIGN_UP"},
	Proposed: map[string]string{
		"rx_issued": "CUSTOM_EVENT_1", "refund": "CUSTOM_EVENT_2", "order_refunded": "CUSTOM_EVENT_2", "refund_issued": "CUSTOM_EVENT_2",
		"subscription_started": "SUBSCRIBE", "subscription_renewed": "SUBSCRIBE", "renewal": "SUBSCRIBE",
		"subscription_cancelled": "CUSTOM_EVENT_3", "cancellation": "CUSTOM_EVENT_3", "order_cancelled": "CUSTOM_EVENT_3",
	},
	Standard: []string{"ACHIEVEMENT_UNLOCKED", "ADD_BILLING", "ADD_CART", "ADD_TO_WISHLIST", "AD_CLICK", "AD_VIEW", "APP_INSTALL",
		"APP_OPEN", "COMPLETE_TUTORIAL", "CUSTOM_EVENT_1", "CUSTOM_EVENT_2", "CUSTOM_EVENT_3", "CUSTOM_EVENT_4", "CUSTOM_EVENT_5",
		"INVITE", "LEVEL_COMPLETE", "LIST_VIEW", "LOGIN", "PAGE_VIEW", "PURCHASE", "RATE", "RESERVE", "SAVE", "SEARCH", "SHARE", "SIGN_UP",
		"SPENT_CREDITS", "START_CHECKOUT", "START_TRIAL", "SUBSCRIBE", "VIEW_CONTENT"},
}

const purchase = "PURCHASE"

// Currencies are those that Snapchat accepts.
var Currencies = strings.Fields(`AED ALL AUD BGN BHD BRL CAD CHF CLP CNY COP CZK DKK DZD EGP EUR GBP GHS GIP HKD HRK HUF IDR ILS INR
	IQD ISK JOD JPY KES KRW KWD KZT LBP MAD MXN MYR NGN NOK NZD OMR PEN PHP PKR PLN QAR RON RUB SAR SEK SGD THB TRY TWD TZS UAH USD VND
	XOF ZAR`)

// Adapter renders events for Snapchat and reads its responses.
type Adapter struct{}

var (
	pixelID  = regexp.MustCompile(`^[A-Za-z0-9_-]{1,100}$`)
	testCode = regexp.MustCompile(`^[!-~]{0,100}$`)
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
		checkNames(d.Options.Events),
	)
}

func checkNames(events map[string]relay.EventRule) error {
	for _, event := range slices.Sorted(maps.Keys(events)) {
		name := strings.TrimSpace(events[event].Name)
		if name == "" || Events.IsStandard(name) {
			continue
		}
		if s := Events.Spelling(name); s != "" {
			return fmt.Errorf("events: the name for %s is spelled %s", event, s)
		}
		return errors.New("events: Snapchat has no event of the name set for " + event + "; for a custom event use CUSTOM_EVENT_1 to 5")
	}
	return nil
}

// Request returns the request for one event.
func (a Adapter) Request(d relay.Destination, e relay.Event) (relay.Request, error) {
	f, err := canonical.Prepare(d, e, a.Check, canonical.Rules{Names: Events.Default, MaxAge: maxAge, Restricts: true})
	if err != nil {
		return relay.Request{}, err
	}
	ev, err := newEvent(f, e)
	if err != nil {
		return relay.Request{}, err
	}
	base := canonical.Base(d, apiURL, apiVersion)
	return f.Post(canonical.Version(version, base), endpoint(base, d), nil,
		body{Data: []event{ev}, TestEventCode: d.Settings[SettingTestEventCode]})
}

// endpoint returns the URL with the token in its query, the only place that Snapchat documents and its SDK uses.
func endpoint(base string, d relay.Destination) string {
	path := base + "/" + d.Settings[SettingPixelID] + "/events"
	if d.Options.Test {
		path += "/validate"
	}
	return path + "?" + url.Values{"access_token": {d.Secrets[SecretAccessToken].Reveal()}}.Encode()
}
