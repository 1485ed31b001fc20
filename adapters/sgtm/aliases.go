package sgtm

import (
	"encoding/json"
	"maps"
	"strconv"

	"relay"
	"relay/adapters/canonical"
	"relay/adapters/measurement"
)

// spellings are names of one thing: shops write one, tags read another.
var spellings = [][]string{
	{"fbc", "_fbc"}, {"fbp", "_fbp"}, {"ttp", "_ttp"},
	{"_epik", "epik", "click_id"},
	{"_scclid", "scclid", "ScCid", "sccid", "sc_click_id"},
	{"_scid", "scid", "sc_cookie1"},
}

// read are how many names of each list of spellings tags read; the others are only taken from.
const read = 2

// aliases adds the GA4-style names that the usual tags read, where the body has not got them, and turns event_time into
// seconds since 1970, which is what those tags take it for.
func aliases(body map[string]json.RawMessage, e relay.Event) []string {
	var warnings []string
	add := func(name string, value json.RawMessage) {
		if isNull(body[name]) && !isNull(value) {
			body[name] = value
		}
	}
	p := relay.Payload(maps.Clone(body))
	add("transaction_id", body["order_id"])
	if v := p.Number("order_revenue"); v != "" {
		add("value", json.RawMessage(v))
	} else if p.Text("order_revenue") != "" {
		warnings = append(warnings, "order_revenue is no number; the tags get no value of it")
	}
	if c := measurement.Currency(e, p); c != "" && !isNull(body["value"]) {
		add("currency", measurement.Text(c))
	}
	for name, value := range understood(p, e) {
		add(name, value)
	}
	for _, names := range spellings {
		if v := p.First(names...); v != "" {
			for _, name := range names[:read] {
				add(name, measurement.Text(v))
			}
		}
	}
	body["event_time"] = json.RawMessage(strconv.FormatInt(canonical.Time(e).Unix(), 10))
	return warnings
}

// understood is what direct GA4 makes of the fields that the lists have let pass, whatever their spelling, under the names
// that tags read. The container is the storefront's own, so that no other option keeps anything back.
func understood(p relay.Payload, e relay.Event) map[string]json.RawMessage {
	e.Payload = maps.Clone(p)
	delete(e.Payload, "order_revenue") // bad money would end it all
	delete(e.Payload, "value")
	e.Storefront.DataPolicy, e.Storefront.RequireConsent = relay.DataPolicyStandard, false
	d := relay.Destination{Options: relay.Options{Identifiers: canonical.Hashed, SendIP: true, SendUserAgent: true, KeepURLQuery: true,
		Allow: []string{canonical.ItemName, canonical.ItemBrand, canonical.ItemCategory}}}
	f, err := canonical.Open(d, e, canonical.Rules{Names: map[string]string{e.Type: e.Type}, Restricts: true, Container: true,
		Consent: func(canonical.Consent) error { return nil }})
	if err != nil {
		return nil
	}
	f.Consent = canonical.Consent{}
	b, err := measurement.Build(f, d, e)
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

func isNull(v json.RawMessage) bool { return len(v) == 0 || string(v) == "null" }
