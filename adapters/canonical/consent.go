package canonical

import (
	"relay/internal/relay"
)

// Decision is a shopper's decision about one purpose.
type Decision string

// The decisions, by their names in consent mode.
const (
	Unset   Decision = "" // the payload holds no signal
	Granted Decision = "GRANTED"
	Denied  Decision = "DENIED"
)

// The parts of consent mode on which adapters decide.
const (
	AdStorage         = "ad_storage"
	AdUserData        = "ad_user_data"
	AdPersonalization = "ad_personalization"
	AnalyticsStorage  = "analytics_storage"
)

// Consent is the shopper's decision as an event's payload carries it, all signals taken together: where two signals
// disagree, the stricter one counts. docs/AD-ANALYTICS-PLATFORMS.md has the table of signals.
type Consent struct {
	AdStorage         Decision
	AdUserData        Decision
	AdPersonalization Decision
	AnalyticsStorage  Decision

	// Restricted asks for restricted processing (an opt-out of sale): the platform's own field for it, or no event.
	Restricted bool
	// Country and State are the numbers of data_processing_options_country and _state; 0 lets the platform find out.
	Country, State int

	// Fields are the payload fields that said something, sorted.
	Fields []string
}

// ReadConsent is the consent of an event. It reads the payload as it arrived: no allow-list and no deny-list comes before
// it. Silence permits, unless the storefront requires consent; then every part on which the payload is silent is denied.
func ReadConsent(e relay.Event) Consent {
	var c Consent
	c.scan(e.Payload, 0)
	if c.State != 0 && c.Country == 0 { // the numbers of states are American
		c.Country = usa
	}
	if e.Storefront.RequireConsent {
		for _, part := range c.parts() {
			if *part == Unset {
				*part = Denied
			}
		}
	}
	return c
}

// With adds the admin's restriction of every event; it never makes the consent less strict.
func (c Consent) With(o relay.Options) Consent {
	c.Restricted = c.Restricted || o.LimitedDataUse
	if o.OptOut {
		c.AdPersonalization = Denied
	}
	if c.Country == 0 && c.State == 0 {
		c.Country, c.State = o.LimitedCountry, o.LimitedState
	}
	return c
}

// Ads refuses an event that may not serve advertising.
func (c Consent) Ads() error {
	if c.AdStorage == Denied || c.AdUserData == Denied {
		return relay.Skip(relay.ReasonConsentDenied)
	}
	return nil
}

// AdsPersonalized refuses an event that may not serve advertising, and one that may only be counted, for a platform that has no
// field to say so.
func (c Consent) AdsPersonalized() error {
	if !c.Personalized() {
		return relay.Skip(relay.ReasonConsentDenied)
	}
	return c.Ads()
}

// Analytics refuses an event that may not be measured.
func (c Consent) Analytics() error {
	if c.AnalyticsStorage == Denied {
		return relay.Skip(relay.ReasonConsentDenied)
	}
	return nil
}

// Everything refuses an event of a shopper who denied any part, for a destination whose use of the event is not known.
func (c Consent) Everything() error {
	for _, part := range c.parts() {
		if *part == Denied {
			return relay.Skip(relay.ReasonConsentDenied)
		}
	}
	return nil
}

// Personalized reports whether ads may learn from the event; with false it may only be counted (opt_out and the like).
func (c Consent) Personalized() bool { return c.AdPersonalization != Denied }

// AdsLimited reports whether an event that is measured must stay away from advertising: the shopper refused ads or asked
// for restricted processing, or the admin did so for everyone. Click ids and browser ids of ad platforms then stay here.
func (c Consent) AdsLimited(o relay.Options) bool {
	return c.Restricted || o.LimitedDataUse || o.OptOut || c.Ads() != nil
}

// Of is the decision about one part of consent mode, by its name.
func (c Consent) Of(part string) Decision {
	if p := c.parts()[part]; p != nil {
		return *p
	}
	return Unset
}

func (c *Consent) parts() map[string]*Decision {
	return map[string]*Decision{AdStorage: &c.AdStorage, AdUserData: &c.AdUserData, AdPersonalization: &c.AdPersonalization,
		AnalyticsStorage: &c.AnalyticsStorage}
}

// adParts are the parts that a decision about advertising as a whole covers.
var adParts = []string{AdStorage, AdUserData, AdPersonalization}

// everything are all parts.
var everything = append([]string{AnalyticsStorage}, adParts...)

// decide notes a decision about parts. A refusal is never taken back by another signal.
func (c *Consent) decide(d Decision, parts []string) {
	known := c.parts()
	for _, part := range parts {
		if p := known[part]; d != Unset && *p != Denied {
			*p = d
		}
	}
}

// refuse denies everything: a person's will is at stake, so that a value that cannot be understood counts as a refusal.
func (c *Consent) refuse() { c.decide(Denied, everything) }
