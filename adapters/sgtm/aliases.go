package sgtm

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"relay/adapters/canonical"
	"relay/adapters/measurement"
	"relay/internal/relay"
)

// read are the names under which the usual tags, and the clients before them, read fields that payloads spell in many ways.
var read = map[string][]string{
	"fbc": {"fbc", "_fbc"}, "fbp": {"fbp", "_fbp"}, "ttp": {"_ttp", "ttp"}, "epik": {"_epik", "epik"},
	"ScCid": {"_scclid", "scclid"}, "_scid": {"_scid", "scid"},
	"email": {"email"}, "phone": {"phone"}, "first_name": {"first_name"}, "last_name": {"last_name"}, "external_id": {"external_id"},
	"city": {"city"}, "state": {"state"}, "zip": {"zip"}, "country": {"country"},
}

// aliases adds the GA4-style names that the usual tags read, unless the body has them, and converts event_time to seconds since
// 1970, as those tags read it.
func aliases(body map[string]json.RawMessage, d relay.Destination, e relay.Event) []string {
	var warnings []string
	p := relay.Payload(maps.Clone(body))
	add := func(name string, value json.RawMessage) {
		if isNull(body[name]) && !isNull(value) {
			body[name] = value
		}
	}
	add("transaction_id", body["order_id"])
	path, raw := canonical.Find(p, "order_revenue")
	if v := (relay.Payload{path: raw}).Number(path); v != "" {
		add("value", json.RawMessage(v))
	} else if path != "" && path != "value" {
		warnings = append(warnings, path+" is not a number; the tags receive no value")
	}
	if c := currency(p, d, e); c != "" && !isNull(body["value"]) {
		add("currency", measurement.Text(c))
	}
	for name, value := range understood(p, d, e) {
		add(name, value)
	}
	for field, names := range read {
		value := found(p, d.Options, field, names)
		for _, name := range names {
			add(name, value)
		}
	}
	body["event_time"] = json.RawMessage(strconv.FormatInt(canonical.Time(e).Unix(), 10))
	return warnings
}

// currency is the payload's under any spelling, else the storefront's; "" where the payload has one that cannot be read.
func currency(p relay.Payload, d relay.Destination, e relay.Event) string {
	const field = "currency"
	path, raw := canonical.Find(p, field)
	if path == "" || canonical.Denies(d.Options, field) {
		return measurement.Currency(e, nil)
	}
	if text := (relay.Payload{field: raw}); text.Text(field) != "" {
		return measurement.Currency(e, text)
	}
	return ""
}

// found is the text of a field under any spelling; nil where there is none, or the admin denies the field.
func found(p relay.Payload, o relay.Options, field string, names []string) json.RawMessage {
	if canonical.Denies(o, field) {
		return nil
	}
	text := p.First(names...)
	if _, raw := canonical.Find(p, field); text == "" {
		text = relay.Payload{field: raw}.Text(field)
	}
	if text == "" {
		return nil
	}
	return measurement.Text(text)
}

// understood returns direct GA4's reading of the fields that the lists allow, in any spelling, under the names
// that tags read. The container is the storefront's own, so that no other option keeps anything back.
func understood(p relay.Payload, d relay.Destination, e relay.Event) map[string]json.RawMessage {
	e.Payload = maps.Clone(p)
	delete(e.Payload, "order_revenue") // bad money would end it all
	delete(e.Payload, "value")
	e.Storefront.RequireConsent = false
	d = relay.Destination{Settings: d.Settings, Options: relay.Options{Identifiers: canonical.Hashed, SendIP: true, SendUserAgent: true, KeepURLQuery: true,
		Allow: []string{canonical.ItemName, canonical.ItemBrand, canonical.ItemCategory}, Deny: d.Options.Deny}}
	f, err := canonical.Open(d, e, canonical.Rules{Names: map[string]string{e.Type: e.Type}, Restricts: true, Container: true,
		Consent: func(canonical.Consent) error { return nil }})
	if err != nil {
		return nil
	}
	f.Consent = canonical.Consent{}
	b, err := measurement.Build(f, d, e, nil)
	if err != nil {
		return nil
	}
	params := b.Events[0].Params
	out := map[string]json.RawMessage{
		// Without one the usual client makes up another at every attempt.
		"client_id":     measurement.Text(b.ClientID),
		"items":         params["items"],
		"page_location": params["page_location"],
		"ga_session_id": params["session_id"],
	}
	for name, text := range map[string]string{"ip_override": b.IPOverride, "user_agent": f.UserAgent()} {
		if text != "" {
			out[name] = measurement.Text(text)
		}
	}
	return out
}

func isNull(v json.RawMessage) bool { return slices.Contains([]string{"", "null"}, string(v)) }
