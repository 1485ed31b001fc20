// Package snapchat speaks Snapchat's Conversions API.
//
// Sources: https://developers.snap.com/api/marketing-api/Conversions-API/UsingTheAPI and its pages Parameters and
// VerifySetUp; github.com/Snapchat/business-sdk-v3-java @8ab70757, api/openapi.yaml.
package snapchat

import (
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

	// maxAge is what the page on parameters says of web events; another page of Snap's speaks of 37 days, which is for the
	// admin to try (max_age_hours).
	maxAge = 7 * 24 * time.Hour
)

// Settings and secrets of a pixel, by the catalogue's names. A snap_app_id is kept, not sent: the relay sends no app events.
const (
	SettingPixelID       = "pixel_id"
	SettingTestEventCode = "test_event_code"
	SecretAccessToken    = "access_token"
)

// Names are Snap's names for the events that are sent from the start. It has none for a lead.
var Names = map[string]string{"purchase_completed": purchase, "consult_started": "SIGN_UP"}

// Proposals are names for events that an admin may want to map. Snap has none for a refund and a cancellation: those are its
// free names.
var Proposals = map[string]string{
	"rx_issued": "CUSTOM_EVENT_1", "refund": "CUSTOM_EVENT_2", "order_refunded": "CUSTOM_EVENT_2", "refund_issued": "CUSTOM_EVENT_2",
	"subscription_started": "SUBSCRIBE", "subscription_renewed": "SUBSCRIBE", "renewal": "SUBSCRIBE",
	"subscription_cancelled": "CUSTOM_EVENT_3", "cancellation": "CUSTOM_EVENT_3", "order_cancelled": "CUSTOM_EVENT_3",
}

const purchase = "PURCHASE"

// Standard are all names that Snap knows. Whether it takes others nobody says, so that the relay does not.
var Standard = []string{"ACHIEVEMENT_UNLOCKED", "ADD_BILLING", "ADD_CART", "ADD_TO_WISHLIST", "AD_CLICK", "AD_VIEW", "APP_INSTALL",
	"APP_OPEN", "COMPLETE_TUTORIAL", "CUSTOM_EVENT_1", "CUSTOM_EVENT_2", "CUSTOM_EVENT_3", "CUSTOM_EVENT_4", "CUSTOM_EVENT_5",
	"INVITE", "LEVEL_COMPLETE", "LIST_VIEW", "LOGIN", "PAGE_VIEW", "PURCHASE", "RATE", "RESERVE", "SAVE", "SEARCH", "SHARE", "SIGN_UP",
	"SPENT_CREDITS", "START_CHECKOUT", "START_TRIAL", "SUBSCRIBE", "VIEW_CONTENT"}

// Currencies are all that Snap takes.
var Currencies = strings.Fields(`AED ALL AUD BGN BHD BRL CAD CHF CLP CNY COP CZK DKK DZD EGP EUR GBP GHS GIP HKD HRK HUF IDR ILS INR
	IQD ISK JOD JPY KES KRW KWD KZT LBP MAD MXN MYR NGN NOK NZD OMR PEN PHP PKR PLN QAR RON RUB SAR SEK SGD THB TRY TWD TZS UAH USD VND
	XOF ZAR`)

// Adapter is Snapchat's language.
type Adapter struct{}

var (
	pixelID  = regexp.MustCompile(`^[A-Za-z0-9_-]{1,100}$`)
	testCode = regexp.MustCompile(`^[!-~]{0,100}$`)
)

// EventNames are the names that are in force, and those that an admin may want.
func (Adapter) EventNames() relay.EventNames {
	return relay.EventNames{Default: Names, Proposed: Proposals}
}

// Check names the setting that is missing or malformed.
func (Adapter) Check(d relay.Destination) error {
	for _, err := range []error{
		canonical.Check(d),
		canonical.CheckSetting(d, SettingPixelID, pixelID),
		canonical.CheckSetting(d, SettingTestEventCode, testCode),
		canonical.CheckToken(d, SecretAccessToken),
		checkNames(d.Options.Events),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

func checkNames(events map[string]relay.EventRule) error {
	for _, event := range slices.Sorted(maps.Keys(events)) {
		name := strings.TrimSpace(events[event].Name)
		if name == "" || slices.Contains(Standard, name) {
			continue
		}
		if upper := strings.ToUpper(name); slices.Contains(Standard, upper) {
			return fmt.Errorf("events: the name for %s is spelled %s", event, upper)
		}
		return errors.New("events: Snapchat knows no such name as the one for " + event + "; one of its own is CUSTOM_EVENT_1 to 5")
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
	ev, err := newEvent(f, e)
	if err != nil {
		return relay.Request{}, err
	}
	base := canonical.Base(d, apiURL, apiVersion)
	return f.Post(version+" "+base[strings.LastIndex(base, "/")+1:], endpoint(base, d), nil,
		body{Data: []event{ev}, TestEventCode: d.Settings[SettingTestEventCode]})
}

// endpoint has the token in its query, the one place that Snap's documents and its own SDK know.
func endpoint(base string, d relay.Destination) string {
	path := base + "/" + d.Settings[SettingPixelID] + "/events"
	if d.Options.Test {
		path += "/validate"
	}
	return path + "?" + url.Values{"access_token": {d.Secrets[SecretAccessToken].Reveal()}}.Encode()
}
