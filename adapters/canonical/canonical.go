// Package canonical is shared by the ad platforms: which events they get at all, which payload fields may leave, and the meaning
// of the fields. Everything is denied unless an adapter reads it and the admin's options allow it: a field that is not read
// from Fields does not leave, and is listed by name.
//
// It knows no vendor: names, limits and the form of a request are the adapters'.
package canonical

import (
	"cmp"
	"strings"
	"time"

	"relay/internal/relay"
)

// Rules are a platform's own conditions for an event.
type Rules struct {
	// Names are the vendor's names for the event types that are sent by default.
	Names map[string]string
	// MaxAge is the oldest event that the vendor accepts.
	MaxAge time.Duration
	// Consent is the check of the shopper's consent; Consent.Ads if it is nil.
	Consent func(Consent) error
	// Restricts says that the platform has a field for restricted processing of one event. Where it has none, an event that
	// asks for it is skipped.
	Restricts bool
	// Plain says that the platform matches by identifiers that are not hashes. They leave under options.plain_identifiers.
	Plain bool
	// Container says that the destination is the storefront's own container, for client type ga4. Events without a mapping
	// keep their own name, options.allow adds fields instead of limiting them, browser identifiers leave
	// without options.identifiers, and the storefront's data policy does not bind it.
	Container bool
}

// Open decides whether an event is sent to an ad platform, and if so returns its fields. The error is a *relay.Refusal: not
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
	return newFields(d, e, r, name, consent), nil
}

// consent returns the event's consent combined with the admin's options, unless it forbids the event.
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

// name is Name; a container receives unmapped events under their own name.
func (r Rules) name(d relay.Destination, e relay.Event) (string, error) {
	name, err := Name(d, e, r.Names)
	if r.Container && err != nil && !d.Options.Events[e.Type].Skip && e.Type != "" {
		return e.Type, nil
	}
	return name, err
}

// Name is the vendor's name for an event: the admin's, else the default of the few event types that have one. Everything
// else is not sent: an event's name alone can reveal a patient ("rx_issued").
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

// Window returns the maximum age of an event at a destination: the admin's limit, else the platform's.
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

// Time returns the event's time. A time in the future, which no platform accepts, becomes now.
func Time(e relay.Event) time.Time {
	if t := e.Time(); t.Before(e.Now) {
		return t
	}
	return e.Now.UTC()
}

// FixedTime is Time for a vendor that recognizes a second copy by the event's time, too: a time in the future becomes that of the row,
// which is the same on every attempt. A time before earliest, which the vendor does not know, is refused.
func FixedTime(e relay.Event, earliest time.Time) (time.Time, error) {
	t := e.Time()
	if t.After(e.CreatedAt) {
		t = e.CreatedAt.UTC()
	}
	if t.After(e.Now) {
		t = e.Now.UTC()
	}
	if t.Before(earliest) {
		return time.Time{}, relay.Refuse(relay.ReasonTooOld, "event_time")
	}
	return t, nil
}
