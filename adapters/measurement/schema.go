package measurement

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"relay/adapters/canonical"
	"relay/internal/relay"
)

// Google's limits, in characters where they are of texts.
//
// Source: https://developers.google.com/analytics/devguides/collection/protocol/ga4/sending-events#limitations
const (
	maxParams   = 25
	maxValue    = 100
	maxTitle    = 300
	maxReferrer = 420
	maxLocation = 1000
	maxItems    = 200
)

// taken are payload fields that never become a parameter under their own name: the relay reads them, or says it itself.
var taken = []string{"order_id", "order_revenue", "event_name", "event_time", "event_id", "storefront_id", "t-value",
	"session_id", "ga_session_id", "ga_client_id", "currency", "items", "page_location", "consent"}

// field is a parameter and where its value comes from.
type field struct {
	param string
	read  func(*canonical.Fields) json.RawMessage
}

// fields lists the parameters that are sent beside value and currency, by weight: of more than 25 the last are dropped.
func fields(d relay.Destination, e relay.Event) []field {
	return append([]field{
		{"event_id", func(f *canonical.Fields) json.RawMessage { return cut(f.EventID(), maxValue) }},
		// Without it the event is missing from GA4's standard reports; 0 makes no active user.
		{"engagement_time_msec", func(*canonical.Fields) json.RawMessage { return json.RawMessage("1") }},
		{"items", items},
		{"storefront_id", func(f *canonical.Fields) json.RawMessage { return cut(f.Storefront(), maxValue) }},
		{"page_location", func(f *canonical.Fields) json.RawMessage { return cut(f.SourceURL(), maxLocation) }},
		{"session_id", func(f *canonical.Fields) json.RawMessage {
			return cut(f.Identifier(sessionNumber, sessionFields(d, e.Payload)...), maxValue)
		}},
		{"relay_session_id", func(f *canonical.Fields) json.RawMessage {
			id := f.Identifier(nil, "session_id")
			if sessionNumber(id) != "" {
				return nil
			}
			return cut(id, maxValue)
		}},
		named("affiliate_id", "t-value"),
		{"gclid", func(f *canonical.Fields) json.RawMessage {
			if f.Consent.AdsLimited(d.Options) { // the id of a click on an ad
				return nil
			}
			return cut(f.Identifier(nil, "gclid"), maxValue)
		}},
	}, others...)
}

// others are payload fields under their own names. Those that may reveal a treatment leave only where the
// admin lists them.
var others = []field{
	amount("tax"), amount("shipping"), same("coupon"), same("affiliation"), same("customer_type"), same("lead_source"),
	same("payment_type"), same("shipping_tier"),
	same("utm_source"), same("utm_medium"), same("utm_campaign"), same("utm_id"),
	listed("utm_term", maxValue), listed("utm_content", maxValue),
	listed("page_title", maxTitle),
	{"page_referrer", func(f *canonical.Fields) json.RawMessage { return cut(f.Referrer(), maxReferrer) }},
	listed("search_term", maxValue),
}

// parameters are an event's, as many as GA4 takes. A field that finds no room is not read, and so counts as dropped.
func parameters(d relay.Destination, e relay.Event, f *canonical.Fields, said map[string]json.RawMessage, extra []string,
) (map[string]json.RawMessage, error) {
	p := map[string]json.RawMessage{}
	maps.Copy(p, said)
	value, currency, err := f.Money()
	if err != nil {
		return nil, err
	}
	if value != "" {
		p["value"], p["currency"] = json.RawMessage(value), Text(currency)
	} else if f.Name == Purchase {
		f.Warn("a purchase without a value adds no revenue")
	}
	if id := f.OrderID(); id != "" {
		p["transaction_id"] = cut(id, maxValue)
	}
	for _, x := range append(fields(d, e), extras(d, extra)...) {
		if len(p) == maxParams {
			break
		}
		if p[x.param] != nil {
			continue
		}
		if v := x.read(f); v != nil {
			p[x.param] = v
		}
	}
	if p["session_id"] == nil {
		f.Warn("no GA4 session: GA4 will report the event as unassigned (ga_session_id or the cookie _ga_<stream>" + off(f) + ")")
	}
	return p, nil
}

// off is a hint where the options keep the session here.
func off(f *canonical.Fields) string {
	if f.Identifies() {
		return ""
	}
	return ", with options.identifiers"
}

// extras are payload fields under their own names, made fit for GA4. A field that the relay reads itself leaves only in
// the relay's form, and Google forbids those that identify a person.
func extras(d relay.Destination, names []string) []field {
	var list []field
	for _, name := range names {
		param := Name(name)
		if slices.Contains(taken, name) || slices.Contains(taken, param) || canonical.Reads(name) || relay.IsPersonalField(name) || relay.IsPersonalField(param) {
			continue
		}
		list = append(list, field{param, func(f *canonical.Fields) json.RawMessage {
			return f.Scalar(name, func(s string) json.RawMessage { return cut(bare(d, s), maxValue) })
		}})
	}
	return list
}

// bare is a text without the query and the fragment of the URL that it is, as pages leave: they may name a person.
func bare(d relay.Destination, s string) string {
	if i := strings.IndexAny(s, "?#"); i >= 0 && !d.Options.KeepURLQuery && (strings.Contains(s[:i], "://") || strings.HasPrefix(s, "/")) {
		return s[:i]
	}
	return s
}

// named is a text of the payload under a name of ours.
func named(param, from string) field {
	return field{param, func(f *canonical.Fields) json.RawMessage { return cut(f.Text(from), maxValue) }}
}

func same(param string) field { return named(param, param) }

func listed(param string, most int) field {
	return field{param, func(f *canonical.Fields) json.RawMessage { return cut(f.Listed(param), most) }}
}

// amount is a number, or a text that is one.
func amount(param string) field {
	return field{param, func(f *canonical.Fields) json.RawMessage {
		if v := f.Amount(param); v != "" {
			return json.RawMessage(v)
		}
		return nil
	}}
}

// cut is s as JSON, at most so many characters of it; nil is an empty one.
func cut(s string, most int) json.RawMessage {
	if s == "" {
		return nil
	}
	return Text(shorter(s, most))
}

// short is s as far as GA4 takes it.
func short(s string) string { return shorter(s, maxValue) }

func shorter(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most])
}
