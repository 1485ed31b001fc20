package sgtm

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"

	"relay/adapters/canonical"
	"relay/adapters/measurement"
	"relay/internal/relay"
)

// custom passes the whole payload through, as far as options.allow and deny let it; the columns of the row win over the
// payload. The decision about consent is sent independently of the lists.
func custom(d relay.Destination, e relay.Event) (relay.Request, error) {
	rule := d.Options.Events[e.Type]
	consent := canonical.ReadConsent(e).With(d.Options)
	switch {
	case rule.Skip:
		return relay.Request{}, relay.Skip(relay.ReasonEventSkipped)
	case permits(d)(consent) != nil:
		return relay.Request{}, permits(d)(consent)
	}
	if err := canonical.Age(d, e, 0); err != nil {
		return relay.Request{}, err
	}
	body := canonical.Pass(e.Payload, d.Options)
	limited := enforces(d) && consent.AdsLimited(d.Options)
	if limited {
		body = withoutAds(body)
		consent.AdStorage, consent.AdUserData, consent.AdPersonalization = canonical.Denied, canonical.Denied, canonical.Denied
	}
	name := cmp.Or(rule.Name, e.Type)
	own(body, d, e, name)
	var warnings []string
	if d.Options.CustomAliases {
		warnings = aliases(body, d, e)
	}
	if decided(consent) && (d.Options.CustomAliases || limited || !speaks(body, d, e, consent)) {
		body["consent_state"] = consentState(consent, body["consent_state"])
	}
	r, err := post(d, cmp.Or(d.Settings[SettingPath], defaultPath), body)
	if err != nil {
		return relay.Request{}, err
	}
	r.EventName, r.Dropped, r.Warnings, r.MaxAge = name, dropped(e.Payload, body), warnings, canonical.Window(d, 0)
	return r, nil
}

// own adds the relay's own fields of the event.
func own(body map[string]json.RawMessage, d relay.Destination, e relay.Event, name string) {
	body["event_name"] = measurement.Text(name)
	body["event_id"] = measurement.Text(eventID(d, e, name))
	if !canonical.Denies(d.Options, "storefront_id") {
		body["storefront_id"] = measurement.Text(e.Storefront.Code)
	}
	if !canonical.Denies(d.Options, "order_id") {
		body["order_id"] = measurement.Text(e.OrderID())
	}
}

// eventID is the event's id as a vendor gets it; a hash where the admin denies the payload's own.
func eventID(d relay.Destination, e relay.Event, name string) string {
	if canonical.Denies(d.Options, "event_id") {
		return e.HashedID()
	}
	return e.VendorID(name)
}

// withoutAds is a body without the ad platforms' ids of clicks and browsers, at any depth.
func withoutAds(body map[string]json.RawMessage) map[string]json.RawMessage {
	out := map[string]json.RawMessage{}
	for k, v := range body {
		if !canonical.IsAdID(k) {
			out[k] = canonical.JSONWithoutAdIDs(v)
		}
	}
	return out
}

// speaks reports whether a body itself has the whole decision: no signal was held back, and neither the storefront nor the
// admin has made the decision stricter than the payload's.
func speaks(body map[string]json.RawMessage, d relay.Destination, e relay.Event, c canonical.Consent) bool {
	hidden := slices.ContainsFunc(c.Fields, func(name string) bool { return body[name] == nil })
	return !hidden && !e.Storefront.RequireConsent && !d.Options.LimitedDataUse && !d.Options.OptOut
}

func dropped(p relay.Payload, body map[string]json.RawMessage) []string {
	var names []string
	for _, k := range slices.Sorted(maps.Keys(p)) {
		if _, left := body[k]; !left {
			names = append(names, k)
		}
	}
	return names
}
