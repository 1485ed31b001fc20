package relay

import (
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"
)

// Adapter speaks one platform's language. It is pure: no clock, no network, no database. What is sent can therefore be
// previewed, audited and tested without sending.
type Adapter interface {
	// Check looks at a destination's settings; its error names the field that is missing or malformed.
	Check(Destination) error
	// Request is the exact HTTP request for one event. A *Refusal as error means that the event can never be sent as it
	// is, or is not wanted there.
	Request(Destination, Event) (Request, error)
	// Outcome reads the answer.
	Outcome(Reply) Result
}

// EventNames are an adapter's words for our event types: those that are in force until an admin says otherwise, and those
// that it proposes to an admin.
type EventNames struct {
	Default  map[string]string
	Proposed map[string]string
}

// Render is the exact request for one event at a destination. It refuses what no destination takes, then asks the adapter.
func Render(a Adapter, d Destination, e Event) (Request, error) {
	if err := e.CheckTime(); err != nil {
		return Request{}, err
	}
	return a.Request(d, e)
}

// Namer is what an adapter offers beside Adapter that sends nothing under a name of its own accord.
type Namer interface {
	EventNames() EventNames
}

// TestMode is what an adapter may offer beside Adapter: a request that the vendor looks at, in its own test mode, without
// counting it. A container, which has no test mode, gets an event that is named as a test.
type TestMode interface {
	// TestRequest is the request for one event in the vendor's test mode. A *Refusal says what setting it lacks.
	TestRequest(Destination, Event) (Request, error)
}

// Request is one HTTP request, ready to leave. It prints without its secrets: URL and header values may hold some.
type Request struct {
	Method string
	URL    string
	Header map[string]string
	Body   []byte

	Version    string        // of the adapter and the vendor's API, for the record
	EventName  string        // the vendor's name for the event
	Dropped    []string      // names of payload fields that do not leave
	Withheld   []Withheld    // payload fields that a policy kept back
	Warnings   []string      // what an admin should know, without values
	Repeatable bool          // the vendor drops a second copy of this request
	MaxAge     time.Duration // how old the event may be at this destination; 0 is no limit
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

// RedactURL is a URL without user, query values and fragment. What does not parse, or has no path that could be told from
// the rest ("mailto:..."), is hidden whole.
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

// Refusal is why an event is not sent to a destination at all. With Skip it is not wanted there, which is no failure.
type Refusal struct {
	Reason Reason
	Field  string // the field that is missing or wrong; may be empty
	Skip   bool
}

// Error names reason and field; there is no value in it.
func (r *Refusal) Error() string {
	if r.Field == "" {
		return string(r.Reason)
	}
	return string(r.Reason) + ": " + r.Field
}

// Refuse is a Refusal that fails the delivery.
func Refuse(reason Reason, field string) error { return &Refusal{Reason: reason, Field: field} }

// Skip is a Refusal that is no failure.
func Skip(reason Reason) error { return &Refusal{Reason: reason, Skip: true} }
