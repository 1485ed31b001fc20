// Package canonical is what the ad platforms share: which events they get at all, which payload fields may leave, and what
// the fields mean. Everything is denied unless an adapter asks for it and the admin's options let it: what nobody reads off
// Fields does not leave, and is listed by name.
//
// It knows no vendor: names, limits and the form of a request are the adapters'.
package canonical

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"relay"
)

// Rules are a platform's own terms for taking an event.
type Rules struct {
	// Names are the vendor's names for the event types that are sent without an admin having asked for it.
	Names map[string]string
	// MaxAge is how old an event the vendor takes.
	MaxAge time.Duration
	// Consent is what the shopper must not have denied; Consent.Ads where it is nil.
	Consent func(Consent) error
	// Restricts says that the platform has a field for restricted processing of one event. Where it has none, an event that
	// asks for it is skipped.
	Restricts bool
	// Container says that the destination is the storefront's own container, for client type ga4. Events without a mapping
	// keep their own name, options.allow adds to what leaves in place of limiting it, and what tells browsers apart leaves
	// without options.identifiers.
	Container bool
}

// Open decides whether an event goes to an ad platform, and if so hands out its fields. The error is a *relay.Refusal: not
// mapped, skipped, no consent, too old, no payload.
func Open(d relay.Destination, e relay.Event, r Rules) (*Fields, error) {
	name, err := r.name(d, e)
	if err != nil {
		return nil, err
	}
	if e.Payload == nil {
		return nil, relay.Refuse(relay.ReasonInvalidPayload, "event_payload")
	}
	consent, err := r.consent(d, e)
	if err != nil {
		return nil, err
	}
	if err := Age(d, e, r.MaxAge); err != nil {
		return nil, err
	}
	f := &Fields{Name: name, MaxAge: Window(d, r.MaxAge), container: r.Container, Consent: consent, destination: d, event: e, left: map[string]bool{}}
	if !strings.EqualFold(name, e.Type) {
		f.hidden = fold(e.Type)
	}
	f.leave("event_name", "event_id")
	if _, ok := relay.ParseTime(e.Payload.Text("event_time")); ok {
		f.leave("event_time")
	}
	return f, nil
}

// consent is the event's consent with the admin's wishes in it, unless it forbids the event.
func (r Rules) consent(d relay.Destination, e relay.Event) (Consent, error) {
	c := ReadConsent(e).With(d.Options)
	if c.Restricted && !r.Restricts {
		return c, relay.Skip(relay.ReasonConsentDenied)
	}
	if r.Consent == nil {
		return c, c.Ads()
	}
	return c, r.Consent(c)
}

// name is Name; a container gets the events that nobody has mapped under their own.
func (r Rules) name(d relay.Destination, e relay.Event) (string, error) {
	name, err := Name(d, e, r.Names)
	if r.Container && err != nil && !d.Options.Events[e.Type].Skip && e.Type != "" {
		return e.Type, nil
	}
	return name, err
}

// Name is the vendor's name for an event: the admin's, else the default of the few event types that have one. Everything
// else is not sent: an event's name alone can tell of a patient ("rx_issued").
func Name(d relay.Destination, e relay.Event, defaults map[string]string) (string, error) {
	rule := d.Options.Events[e.Type]
	if rule.Skip {
		return "", relay.Skip(relay.ReasonEventSkipped)
	}
	if name := cmp.Or(strings.TrimSpace(rule.Name), defaults[e.Type]); name != "" {
		return name, nil
	}
	return "", relay.Skip(relay.ReasonNotMapped)
}

// Window is how old an event may be at a destination: the admin's limit, else the platform's.
func Window(d relay.Destination, platform time.Duration) time.Duration {
	if h := d.Options.MaxAgeHours; h > 0 {
		return time.Duration(min(h, 100*365*24)) * time.Hour
	}
	return platform
}

// Age refuses an event that is older than the destination's window; a window of 0 is none.
func Age(d relay.Destination, e relay.Event, platform time.Duration) error {
	if window := Window(d, platform); window > 0 && e.Age() > window {
		return relay.Refuse(relay.ReasonTooOld, "event_time")
	}
	return nil
}

// Time is when the event happened; a time in the future, which no platform takes, is now.
func Time(e relay.Event) time.Time {
	if t := e.Time(); t.Before(e.Now) {
		return t
	}
	return e.Now.UTC()
}

// Fields hands out what may leave of one event, and remembers what has left. It is made for one request.
type Fields struct {
	Name     string        // the vendor's name of the event
	MaxAge   time.Duration // how old the event may be at this destination
	Warnings []string      // what an admin should know of this event, without values
	Consent  Consent       // the shopper's and the admin's, the stricter of both

	container   bool
	destination relay.Destination
	event       relay.Event
	hidden      string // the folded event type, where the vendor is not to read it
	left        map[string]bool
	inner       []string // fields inside of items that do not leave
}

// Warn adds a warning.
func (f *Fields) Warn(words string) { f.Warnings = append(f.Warnings, words) }

// Dropped are the names of the payload fields that do not leave, sorted.
func (f *Fields) Dropped() []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(f.event.Payload)) {
		if !f.left[name] {
			names = append(names, name)
		}
	}
	names = append(names, f.inner...)
	slices.Sort(names)
	return slices.Compact(names)
}

func (f *Fields) leave(names ...string) {
	for _, name := range names {
		if _, ok := f.event.Payload[name]; ok {
			f.left[name] = true
		}
	}
}

// Text is the first non-empty text, or number's digits, among payload fields that the admin lets leave. A text that holds
// an e-mail address, or the event's own name where the vendor gets another one, stays here.
func (f *Fields) Text(fields ...string) string { return f.first(f.fit, fields) }

// Listed is Text for fields that may tell what somebody is treated for (names of goods, search terms): they leave only
// where the admin's list of allowed fields names them.
func (f *Fields) Listed(fields ...string) string {
	return f.first(f.fit, slices.DeleteFunc(fields, func(name string) bool { return !f.lists(name) }))
}

// Scalar is a payload field of any name as JSON: a number or a truth value as it was written, a text under the rules of Text;
// nil where there is none.
func (f *Fields) Scalar(name string, cut func(string) json.RawMessage) json.RawMessage {
	raw := bytes.TrimSpace(f.event.Payload[name])
	switch {
	case !f.allows(name), len(raw) == 0, strings.ContainsRune("{[n", rune(raw[0])):
		return nil
	case raw[0] == '"':
		return cut(f.Text(name))
	}
	f.leave(name)
	return raw
}

// Integer is the first count among payload fields: a whole number from 0 to 999,999,999.
func (f *Fields) Integer(fields ...string) json.Number {
	return json.Number(f.first(func(s string) string { return string(count(s)) }, fields))
}

// Identifier is the first text of an identifier that is not hashed (click ids, browser cookies), unchanged. It leaves only
// where identifiers are switched on, and to a container. clean gives "" for what is malformed; nil takes everything.
func (f *Fields) Identifier(clean func(string) string, fields ...string) string {
	if !f.identifies() && !f.container {
		return ""
	}
	if clean == nil {
		clean = f.fit
	}
	return f.first(clean, fields)
}

// identifies reports whether identifiers may leave.
func (f *Fields) identifies() bool { return f.destination.Options.Identifiers == Hashed }

// allows reports whether the admin lets a payload field leave.
func (f *Fields) allows(name string) bool {
	if f.container {
		return !f.destination.Options.Denies(name)
	}
	return f.destination.Options.Allows(name)
}

// lists reports whether the admin allows a field by name.
func (f *Fields) lists(name string) bool {
	return slices.Contains(f.destination.Options.Allow, name) && f.destination.Options.Allows(name)
}

// first is the first field that may leave and of which clean leaves something; it then counts as left.
func (f *Fields) first(clean func(string) string, fields []string) string {
	for _, name := range fields {
		if !f.allows(name) {
			continue
		}
		if s := f.event.Payload.Text(name); s != "" {
			if s = clean(s); s != "" {
				f.leave(name)
				return s
			}
		}
	}
	return ""
}

// fit is s, unless the vendor must not read it.
func (f *Fields) fit(s string) string {
	if relay.HoldsMailAddress(s) || f.hidden != "" && strings.Contains(fold(s), f.hidden) {
		return ""
	}
	return s
}

// fold makes spellings of a name alike: "rx_issued" and "Rx-Issued" are "rxissued".
func fold(s string) string {
	return strings.NewReplacer("_", "", "-", "", " ", "", ".", "").Replace(strings.ToLower(s))
}

// letters is a name's letters and digits in lower case: "Ad-Storage" and "adStorage" are "adstorage".
func letters(name string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, name)
}
