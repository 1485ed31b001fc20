package measurement

import (
	"encoding/json"
	"slices"

	"relay/adapters/canonical"
	"relay/internal/relay"
)

// Purchase is GA4's name for an order, the one event of which it drops a second copy.
const Purchase = "purchase"

// Build returns the body for one event in GA4's schema, the same for Google and for the GA4 client of a container: other fields
// are withheld. said are parameters that the caller adds; extra are further payload fields that leave under their own
// names as far as there is room.
// The error is a *relay.Refusal: money that is none.
func Build(f *canonical.Fields, d relay.Destination, e relay.Event, said map[string]json.RawMessage, extra ...string) (Body, error) {
	if fit := EventName(f.Name); fit != f.Name {
		f.Warn("GA4 does not accept the event's name; it is sent as " + fit)
		f.Name = fit
	}
	params, err := parameters(d, e, f, said, extra)
	if err != nil {
		return Body{}, err
	}
	b := Body{
		ClientID:        clientID(e, f),
		TimestampMicros: canonical.Time(e).UnixMicro(),
		Consent:         NewConsent(d, f.Consent),
		Events:          []Event{{Name: f.Name, Params: params}},
		IPOverride:      f.IP(),
	}
	if !f.Consent.AdsLimited(d.Options) { // Google uses user_data for ads
		b.UserID, b.UserData = f.ExternalID(), newUserData(f)
	}
	return b, nil
}

// Dropped are names of payload fields without those that the body's consent repeats.
func (b Body) Dropped(names []string, c canonical.Consent) []string {
	if b.Consent == nil {
		return names
	}
	return slices.DeleteFunc(names, func(name string) bool { return slices.Contains(c.Fields, name) })
}

// HasOrder reports whether GA4 can detect a duplicate of the event.
func (b Body) HasOrder() bool {
	return b.Events[0].Name == Purchase && b.Events[0].Params["transaction_id"] != nil
}

// NewConsent is a decision about ads in one of the two values that the protocol has for it. It replaces the deprecated
// non_personalized_ads. nil is a silent one.
func NewConsent(d relay.Destination, c canonical.Consent) *Consent {
	if c.AdsLimited(d.Options) {
		return &Consent{AdUserData: string(canonical.Denied), AdPersonalization: string(canonical.Denied)}
	}
	words := Consent{AdUserData: string(c.AdUserData), AdPersonalization: string(c.AdPersonalization)}
	if words == (Consent{}) {
		return nil
	}
	return &words
}
