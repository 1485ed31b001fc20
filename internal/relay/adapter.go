package relay

import (
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"
)

// Adapter renders events for one platform and reads its responses. It is pure: no clock, no network, no database, so that a
// request can be previewed, audited and tested without being sent.
type Adapter interface {
	// Check validates a destination's settings. Its error names the missing or malformed field.
	Check(Destination) error
	// Request returns the exact HTTP request for one event. A *Refusal means that the event can never be sent as it is, or is
	// skipped at this destination.
	Request(Destination, Event) (Request, error)
	// Outcome classifies the response.
	Outcome(Response) Result
}

// EventNames maps our event types to the vendor's names: the defaults, which an admin can override, and proposals for an
// admin.
type EventNames struct {
	Default  map[string]string
	Proposed map[string]string
	// NeedID are the event types that leave once options.events names the vendor's id for them. Such a vendor has ids instead of
	// names, and a default would be another advertiser's.
	NeedID []string
}

// Warner is implemented by adapters that warn of settings that are complete.
type Warner interface {
	SettingWarnings(Destination) []string
}

// Render returns the exact request for one event at a destination. It refuses events that no destination accepts, then calls
// the adapter.
func Render(a Adapter, d Destination, e Event) (Request, error) {
	if err := e.CheckTime(); err != nil {
		return Request{}, err
	}
	return a.Request(d, e)
}

// Namer is implemented by adapters that send an event only under a mapped name.
type Namer interface {
	EventNames() EventNames
}

// TestMode is implemented by adapters whose vendor has a test mode: the vendor validates the request without counting it. A
// container has no test mode and receives an event named as a test.
type TestMode interface {
	// TestRequest returns the request for one event in the vendor's test mode. A *Refusal names the missing setting.
	TestRequest(Destination, Event) (Request, error)
}

// Request is one HTTP request, ready to leave but for its Auth. It prints without its secrets: URL and header values may hold some.
type Request struct {
	Method string
	URL    string
	Header map[string]string
	Body   []byte

	Version    string        // of the adapter and the vendor's API, for the record
	EventName  string        // the vendor's name for the event
	Dropped    []string      // names of payload fields that do not leave
	Withheld   []Withheld    // payload fields that a policy kept back
	Warnings   []string      // for an admin, without values
	Repeatable bool          // the vendor drops a second copy of this request
	Validates  bool          // the vendor only validates this request, so that its success holds no result
	MaxAge     time.Duration // how old the event may be at this destination; 0 is no limit

	Auth    Auth              // the part that exists only at the moment of sending
	secrets map[string]Secret // those that Auth names; see For
}

// Withheld is a payload field, or a part of one, that does not leave as it is, and the rule that keeps it back.
type Withheld struct {
	Field string `json:"field"` // "items.sku", "page_location"
	Why   string `json:"why"`   // plain text without a value: "data policy health: pages are sent as their origin"
}

// Format prints method and redacted URL under every verb.
func (r Request) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, r.Method+" "+RedactURL(r.URL))
}

// MarshalText is the same for JSON and for slog's handlers.
func (r Request) MarshalText() ([]byte, error) { return []byte(fmt.Sprint(r)), nil }

// RedactURL returns a URL without user, query values and fragment. A URL that does not parse, or is opaque ("mailto:..."), is
// hidden whole.
func RedactURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Opaque != "" {
		return hidden
	}
	var names []string
	query := u.Query()
	for _, k := range sortedKeys(query) {
		if strings.Join(query[k], "") == "" || RedactName(strings.ReplaceAll(k, " ", "_")) == Redacted {
			k = "…" // "?jane@example.com" is a name without a value
		} else {
			k = url.QueryEscape(k) + "=…"
		}
		names = append(names, k)
	}
	u.User, u.RawQuery, u.ForceQuery, u.Fragment, u.RawFragment = nil, "", false, "", ""
	s := u.String()
	if len(names) > 0 {
		s += "?" + strings.Join(names, "&")
	}
	return s
}

// Refusal is the reason for not sending an event to a destination at all. With Skip it counts as skipped, not as failed.
type Refusal struct {
	Reason Reason
	Field  string // the field that is missing or wrong; may be empty
	Skip   bool
}

// Error names reason and field, without a value.
func (r *Refusal) Error() string {
	if r.Field == "" {
		return string(r.Reason)
	}
	return string(r.Reason) + ": " + r.Field
}

// Refuse returns a Refusal that fails the delivery.
func Refuse(reason Reason, field string) error { return &Refusal{Reason: reason, Field: field} }

// Skip returns a Refusal that is not a failure.
func Skip(reason Reason) error { return &Refusal{Reason: reason, Skip: true} }
