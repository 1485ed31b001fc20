package sgtm

import (
	"cmp"
	"encoding/json"

	"relay/adapters/canonical"
	"relay/adapters/measurement"
	"relay/internal/relay"
)

// enforces reports whether the relay itself acts on a refusal, as at direct GA4, or leaves that to the container's tags.
func enforces(d relay.Destination) bool {
	byClient := relay.ConsentForward
	if d.Settings[SettingClientType] == ClientGA4 {
		byClient = relay.ConsentEnforce
	}
	return cmp.Or(d.Options.Consent, byClient) == relay.ConsentEnforce
}

// permits returns the check of consent that decides whether the event leaves.
func permits(d relay.Destination) func(canonical.Consent) error {
	if enforces(d) {
		return canonical.Consent.Analytics
	}
	return func(canonical.Consent) error { return nil }
}

// decided reports whether there is a decision to pass on. Silence is none: a tag that requires consent has to see that it
// has not been given.
func decided(c canonical.Consent) bool {
	return c.Restricted || c.AdStorage != "" || c.AdUserData != "" || c.AdPersonalization != "" || c.AnalyticsStorage != ""
}

// part is the decision about one part, with restricted processing as a refusal of ads: a container has no field for it.
func part(c canonical.Consent, name string) canonical.Decision {
	if c.Restricted && name != canonical.AnalyticsStorage {
		return canonical.Denied
	}
	return c.Of(name)
}

// consentState is the form that the common vendor tags for server containers read: one boolean for each part. A part on
// which a decided payload is silent is permitted, as everywhere in the relay. own is the payload's value of that name, whose
// further parts stay.
func consentState(c canonical.Consent, own json.RawMessage) json.RawMessage {
	state := map[string]json.RawMessage{}
	_ = json.Unmarshal(own, &state) // anything but an object has no parts
	if state == nil {
		state = map[string]json.RawMessage{}
	}
	for _, name := range []string{canonical.AdStorage, canonical.AdUserData, canonical.AdPersonalization, canonical.AnalyticsStorage} {
		state[name] = json.RawMessage("true")
		if part(c, name) == canonical.Denied {
			state[name] = json.RawMessage("false")
		}
	}
	b, err := json.Marshal(state)
	if err != nil {
		return nil
	}
	return b
}

// gcsParam is the parameter of a GA4 hit from which the tags of a container, Google's and others, read consent.
const gcsParam = "x-ga-gcs"

// gcs is consent in the form of gcsParam: "G1", then ad_storage and analytics_storage as 1, 0, or - where nothing is known.
func gcs(c canonical.Consent) json.RawMessage {
	sign := func(name string) string {
		switch part(c, name) {
		case canonical.Granted:
			return "1"
		case canonical.Denied:
			return "0"
		}
		return "-"
	}
	return measurement.Text("G1" + sign(canonical.AdStorage) + sign(canonical.AnalyticsStorage))
}
