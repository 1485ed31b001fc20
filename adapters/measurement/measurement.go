// Package measurement builds the body of GA4's Measurement Protocol, which GA4 itself and the GA4 client of a server-side
// GTM container read. It knows nothing of addresses, credentials and answers.
//
// Source: https://developers.google.com/analytics/devguides/collection/protocol/ga4/reference
package measurement

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"relay"
)

// Names are GA4's names for our event types; others keep their own, made fit by Name.
var Names = map[string]string{
	"purchase_completed": "purchase",
	"consult_started":    "generate_lead",
}

// MaxName is the longest name of an event or a parameter, in characters.
const MaxName = 40

// Body is one request: client_id is required, the time is in microseconds since 1970.
type Body struct {
	ClientID        string          `json:"client_id"`
	UserID          string          `json:"user_id,omitempty"`
	TimestampMicros int64           `json:"timestamp_micros,omitempty"`
	Consent         *Consent        `json:"consent,omitempty"`
	UserData        json.RawMessage `json:"user_data,omitempty"`
	Events          []Event         `json:"events"`
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

// Params of our own making, in the order of their weight: what does not fit GA4's 25 is cut from the far end of the rest.
var mapped = []string{"transaction_id", "value", "currency", "items", "storefront_id", "event_id", "page_location",
	"engagement_time_msec", "session_id", "affiliate_id"}

// IsMapped reports whether a parameter is one that New makes from the event's known fields.
func IsMapped(param string) bool { return slices.Contains(mapped, param) }

// person are payload fields that Google forbids as parameters.
var person = []string{"email", "email_address", "phone", "phone_number", "first_name", "last_name", "name", "full_name",
	"street", "address", "address1", "address2", "city", "state", "zip", "zip_code", "postal_code", "country", "gender",
	"dob", "birthday", "date_of_birth", "client_ip", "ip", "ip_address", "user_agent", "external_id", "user_id",
	"customer_id", "user_data"}

// taken are payload fields that New reads, or that say nothing to GA4.
var taken = []string{"order_id", "order_revenue", "event_name", "event_time", "event_id", "storefront_id", "t-value",
	"session_id", "ga_client_id", "currency", "items", "page_location", "consent"}

var gaSession = regexp.MustCompile(`^\d{9,11}$`)

// New is the body for one event under a vendor's name, and the names of the payload fields that are not in it. keep says
// which payload fields the admin lets leave.
func New(e relay.Event, name string, keep func(field string) bool) (Body, []string) {
	p := relay.Payload{}
	var dropped []string
	for k, v := range e.Payload {
		if keep(k) {
			p[k] = v
		} else {
			dropped = append(dropped, k)
		}
	}
	params := known(e, p)
	for k, v := range p {
		switch param := Name(k); {
		case slices.Contains(taken, k):
		case slices.Contains(person, strings.ToLower(k)), !isScalar(v), params[param] != nil:
			dropped = append(dropped, k)
		default:
			params[param] = v
		}
	}
	slices.Sort(dropped)
	return Body{
		ClientID:        clientID(e, p),
		TimestampMicros: min(e.Time().UnixMicro(), e.Now.UnixMicro()),
		Events:          []Event{{Name: Name(name), Params: params}},
	}, dropped
}

// known are the parameters made from the fields that the relay understands.
func known(e relay.Event, p relay.Payload) map[string]json.RawMessage {
	params := map[string]json.RawMessage{
		"transaction_id": text(e.OrderID()),
		"storefront_id":  text(e.Storefront.Code),
		"event_id":       text(e.DedupID()),
		// Without it the event is missing from GA4's standard reports; 0 makes no active user.
		"engagement_time_msec": json.RawMessage("1"),
	}
	if v := p.Number("order_revenue"); v != "" {
		params["value"] = json.RawMessage(v)
		// A value without a currency is lost revenue.
		params["currency"] = text(Currency(e, p))
	}
	if items := p["items"]; len(items) > 0 && items[0] == '[' {
		params["items"] = items
	}
	if page := p.First("page_location", "page_url", "event_source_url", "url"); page != "" {
		params["page_location"] = text(page)
	}
	if id := p.Text("t-value"); id != "" {
		params["affiliate_id"] = text(id)
	}
	// GA4's own session number joins the event to its session; any other session id would only confuse it.
	if id := p.Text("session_id"); gaSession.MatchString(id) {
		params["session_id"] = text(id)
	} else if id != "" {
		params["relay_session_id"] = text(id)
	}
	return params
}

// Currency is the payload's, else the storefront's; upper case.
func Currency(e relay.Event, p relay.Payload) string {
	if c := p.Text("currency"); c != "" {
		return strings.ToUpper(c)
	}
	return strings.ToUpper(e.Storefront.Currency)
}

// clientID is the browser's id where the payload has it, else the session's, else a stable one made from the order.
func clientID(e relay.Event, p relay.Payload) string {
	id := p.Text("ga_client_id")
	if parts := strings.SplitN(id, ".", 3); len(parts) == 3 && strings.HasPrefix(id, "GA") {
		id = parts[2] // the _ga cookie is "GA1.x.<client id>"
	}
	if id == "" {
		id = p.Text("session_id")
	}
	if id == "" {
		sum := sha256.Sum256([]byte(e.Storefront.Code + ":" + e.OrderID()))
		id = hex.EncodeToString(sum[:16])
	}
	return id
}

var (
	unfit         = regexp.MustCompile(`[^A-Za-z0-9_]`)
	reservedStart = []string{"_", "firebase_", "ga_", "google_", "gtag."}
)

// Name makes a name fit for GA4: letters, digits and "_", beginning with a letter, at most 40 characters, none of the
// reserved prefixes.
func Name(s string) string {
	s = unfit.ReplaceAllString(s, "_")
	reserved := slices.ContainsFunc(reservedStart, func(p string) bool { return strings.HasPrefix(s, p) })
	if reserved || s == "" || !isLetter(s[0]) {
		s = "ev_" + s
	}
	return s[:min(len(s), MaxName)]
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func isScalar(v json.RawMessage) bool {
	return len(v) > 0 && v[0] != '{' && v[0] != '[' && v[0] != 'n'
}

func text(s string) json.RawMessage {
	b, _ := json.Marshal(s) // a string always marshals
	return b
}
