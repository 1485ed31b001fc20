package canonical

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"relay"
)

// The parts of a consent-mode object on which somebody decides.
const (
	AdStorage         = "ad_storage"
	AdUserData        = "ad_user_data"
	AdPersonalization = "ad_personalization"
	AnalyticsStorage  = "analytics_storage"
)

// What Consent says.
const (
	Granted = "GRANTED"
	Denied  = "DENIED"
)

// consentMode are all parts that consent mode knows.
var consentMode = []string{AdStorage, AdUserData, AdPersonalization, AnalyticsStorage, "functionality_storage",
	"personalization_storage", "security_storage"}

// Ads refuses an event whose payload says in "consent" that the shopper denied advertising: the word denied, or a
// consent-mode object whose ad_storage or ad_user_data is denied. Words that nobody understands deny, since it is a
// person's will that is at stake; silence does not.
func Ads(e relay.Event) error { return granted(e, AdStorage, AdUserData) }

// Analytics is Ads for measuring: analytics_storage.
func Analytics(e relay.Event) error { return granted(e, AnalyticsStorage) }

// Personalized reports whether ads may be made after the event; with false it may only be counted (opt_out and the like).
func Personalized(e relay.Event) bool { return granted(e, AdPersonalization) == nil }

// Consent is what the payload says of one part: Granted, Denied, or "" where it says nothing. An object in words of
// somebody else's ({"marketing": false}) denies everything.
func Consent(e relay.Event, part string) string {
	raw := bytes.TrimSpace(e.Payload["consent"])
	if len(raw) > 0 && raw[0] == '{' {
		var parts map[string]json.RawMessage
		known := func(name string) bool { return parts[name] != nil }
		if json.Unmarshal(raw, &parts) != nil || len(parts) > 0 && !slices.ContainsFunc(consentMode, known) {
			return Denied
		}
		raw = parts[part]
	}
	return word(raw)
}

func granted(e relay.Event, parts ...string) error {
	for _, part := range parts {
		if Consent(e, part) == Denied {
			return relay.Skip(relay.ReasonConsentDenied)
		}
	}
	return nil
}

func word(raw json.RawMessage) string {
	switch strings.ToLower(strings.Trim(string(bytes.TrimSpace(raw)), `" `)) {
	case "", "null":
		return ""
	case "granted", "true":
		return Granted
	}
	return Denied
}
