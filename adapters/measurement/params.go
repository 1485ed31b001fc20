package measurement

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"relay"
)

// draft collects the parameters of one event, and notes which payload fields are in them.
type draft struct {
	event   relay.Event
	options relay.Options
	payload relay.Payload // what the admin lets leave
	params  map[string]json.RawMessage
	left    map[string]bool
}

func newDraft(e relay.Event, o relay.Options) *draft {
	d := &draft{event: e, options: o, payload: relay.Payload{}, params: map[string]json.RawMessage{}, left: map[string]bool{}}
	for field, value := range e.Payload {
		if o.Allows(field) {
			d.payload[field] = value
		}
	}
	return d
}

// put sets a parameter that is made from payload fields.
func (d *draft) put(param string, value json.RawMessage, fields ...string) {
	d.params[param] = value
	for _, f := range fields {
		d.left[f] = true
	}
}

// known puts what the relay understands.
func (d *draft) known() {
	d.put("event_id", Text(d.event.DedupID()), "event_id", "event_name")
	// Without it the event is missing from GA4's standard reports; 0 makes no active user.
	d.put("engagement_time_msec", json.RawMessage("1"))
	if !d.options.Denies("order_id") {
		d.put("transaction_id", Text(d.event.OrderID()), "order_id")
	}
	if !d.options.Denies("storefront_id") {
		d.put("storefront_id", Text(d.event.Storefront.Code), "storefront_id")
	}
	if _, _, ok := d.event.Payload.EventTime(); ok {
		d.left["event_time"] = true
	}
	if d.payload.Text("ga_client_id") != "" {
		d.left["ga_client_id"] = true
	}
	d.money()
	if items := d.payload["items"]; bytes.HasPrefix(items, []byte("[")) {
		d.put("items", items, "items")
	}
	d.page()
	if id := d.payload.Text("t-value"); id != "" {
		d.put("affiliate_id", Text(id), "t-value")
	}
	// GA4's own session number joins the event to its session; any other session id would only confuse it.
	if id := d.payload.Text("session_id"); gaSession.MatchString(id) {
		d.put("session_id", Text(id), "session_id")
	} else if id != "" {
		d.put("relay_session_id", Text(id), "session_id")
	}
}

// money puts value and currency: a value without a currency is lost revenue.
func (d *draft) money() {
	for _, field := range []string{"order_revenue", "value"} {
		if v := d.payload.Number(field); v != "" {
			d.put("value", json.RawMessage(v), field)
			break
		}
	}
	own := d.payload.Text("currency") != ""
	if c := Currency(d.event, d.payload); c != "" && (own || d.params["value"] != nil) {
		d.put("currency", Text(c))
		d.left["currency"] = own
	}
}

// page puts where the shopper was, without the query where that holds an e-mail address, which Google forbids.
func (d *draft) page() {
	page := d.payload.First("page_location", "page_url", "event_source_url", "url")
	if i := strings.IndexAny(page, "?#"); i >= 0 && relay.HoldsMailAddress(page) {
		page = page[:i]
	}
	if page != "" && !relay.HoldsMailAddress(page) {
		d.put("page_location", Text(page))
		d.left["page_location"] = d.payload.Text("page_location") != ""
	}
}

// consent is what the payload says of it in GA4's own words, in either case: one word for everything, or one for each part;
// nil where it says nothing that GA4 reads.
func (d *draft) consent() *Consent {
	word := func(p relay.Payload, field string) string {
		if w := strings.ToUpper(p.Text(field)); w == "GRANTED" || w == "DENIED" {
			return w
		}
		return ""
	}
	parts, _ := relay.ParsePayload(d.payload["consent"]) // none, where it is one word
	all := word(d.payload, "consent")
	c := Consent{
		AdUserData:        cmp.Or(all, word(parts, "ad_user_data")),
		AdPersonalization: cmp.Or(all, word(parts, "ad_personalization")),
	}
	if c == (Consent{}) {
		return nil
	}
	d.left["consent"] = true
	return &c
}

// rest puts every other field under its own name, as far as Google takes it. Where two fields come to the same name the one
// that has it exactly wins, then the first by the alphabet.
func (d *draft) rest() {
	fields := slices.SortedFunc(maps.Keys(d.payload), func(a, b string) int {
		return cmp.Or(cmp.Compare(inexact(a), inexact(b)), strings.Compare(a, b))
	})
	for _, field := range fields {
		param, value := Name(field), d.payload[field]
		switch {
		case d.left[field], slices.Contains(taken, field), slices.Contains(taken, param), d.params[param] != nil:
		case relay.Identifies(field), relay.Identifies(param), !isScalar(value), relay.HoldsMailAddress(d.payload.Text(field)):
		default:
			d.put(param, value, field)
		}
	}
}

func inexact(field string) int {
	if Name(field) == field {
		return 0
	}
	return 1
}

// dropped are the fields of the whole payload that are in no parameter.
func (d *draft) dropped() []string {
	var fields []string
	for _, f := range slices.Sorted(maps.Keys(d.event.Payload)) {
		if !d.left[f] {
			fields = append(fields, f)
		}
	}
	return fields
}

func isScalar(v json.RawMessage) bool {
	return len(v) > 0 && v[0] != '{' && v[0] != '[' && v[0] != 'n'
}
