// Package measurement builds the body of GA4's Measurement Protocol, which GA4 itself and the GA4 client of a server-side
// GTM container read. It knows nothing of addresses, credentials and responses.
//
// Source: https://developers.google.com/analytics/devguides/collection/protocol/ga4/reference
package measurement

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"relay/internal/relay"
)

// Names are GA4's names for our event types; others keep their own, made fit by Name.
var Names = map[string]string{
	"purchase_completed": "purchase",
	"consult_started":    "generate_lead",
}

// Proposals are names for events that an admin may want to map; a name of our own, too, is an event at GA4. GA4 has no name
// for a renewal, which is a purchase of its own, and none for a cancellation.
var Proposals = map[string]string{
	"rx_issued": "submit_application", "refund": "refund", "order_refunded": "refund", "refund_issued": "refund",
	"subscription_started": "subscribe", "subscription_renewed": "purchase", "renewal": "purchase",
	"subscription_cancelled": "cancel_subscription", "cancellation": "cancel_subscription", "order_cancelled": "refund",
}

// MaxName is the longest name of an event or a parameter, in characters.
const MaxName = 40

// Body is one request: client_id is required, the time is in microseconds since 1970.
type Body struct {
	ClientID        string    `json:"client_id"`
	UserID          string    `json:"user_id,omitempty"`
	TimestampMicros int64     `json:"timestamp_micros,omitempty"`
	Consent         *Consent  `json:"consent,omitempty"`
	Events          []Event   `json:"events"`
	IPOverride      string    `json:"ip_override,omitempty"`
	UserData        *userData `json:"user_data,omitempty"`
}

// Consent holds GRANTED or DENIED.
type Consent struct {
	AdUserData        string `json:"ad_user_data,omitempty"`
	AdPersonalization string `json:"ad_personalization,omitempty"`
}

// Event is a name with its parameters: JSON scalars, except for the array "items".
type Event struct {
	Name   string                     `json:"name"`
	Params map[string]json.RawMessage `json:"params"`
}

// Currency is the payload's, else the storefront's; upper case.
func Currency(e relay.Event, p relay.Payload) string {
	if c := p.Text("currency"); c != "" {
		return strings.ToUpper(c)
	}
	return strings.ToUpper(e.Storefront.Currency)
}

var (
	unfit         = regexp.MustCompile(`[^A-Za-z0-9_]`)
	reservedStart = []string{"_", "firebase_", "ga_", "google_"}
	// reserved are GA4's own events: it silently drops an event of ours under one of these names.
	reserved = strings.Fields(`ad_activeview ad_click ad_exposure ad_impression ad_query adunit_exposure
		app_background app_clear_data app_exception app_install app_remove app_store_refund app_store_subscription_cancel
		app_store_subscription_convert app_store_subscription_renew app_update dynamic_link_app_open
		dynamic_link_app_update dynamic_link_first_open error first_open first_visit in_app_purchase
		notification_dismiss notification_foreground notification_open notification_receive notification_send os_update
		screen_view session_start user_engagement`)
)

// Name makes a name fit for GA4: letters, digits and "_", beginning with a letter, at most 40 characters, none of the
// reserved prefixes.
func Name(s string) string {
	s = unfit.ReplaceAllString(s, "_")
	if s == "" || !isLetter(s[0]) || slices.ContainsFunc(reservedStart, func(p string) bool { return strings.HasPrefix(s, p) }) {
		s = "ev_" + s
	}
	return s[:min(len(s), MaxName)]
}

// EventName is Name for an event: none of GA4's own.
func EventName(s string) string {
	if s = Name(s); slices.Contains(reserved, s) {
		return "ev_" + s
	}
	return s
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// Text is s as a JSON string, with the characters of URLs as they are.
func Text(s string) json.RawMessage {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string always encodes
	return bytes.TrimSpace(b.Bytes())
}
