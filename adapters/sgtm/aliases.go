package sgtm

import (
	"encoding/json"
	"strconv"

	"relay"
	"relay/adapters/measurement"
)

// aliases adds the GA4-style names that the usual tags read, where the body has not got them, and turns event_time into
// seconds since 1970, which is what those tags take it for.
func aliases(body map[string]json.RawMessage, e relay.Event) {
	add := func(name string, value json.RawMessage) {
		if _, taken := body[name]; !taken && len(value) > 0 {
			body[name] = value
		}
	}
	p := relay.Payload(body)
	add("transaction_id", text(e.OrderID()))
	if v := p.Number("order_revenue"); v != "" {
		add("value", json.RawMessage(v))
		add("currency", text(measurement.Currency(e, p)))
	}
	for alias, field := range map[string]string{"client_id": "session_id", "ip_override": "client_ip"} {
		add(alias, body[field])
	}
	body["event_time"] = json.RawMessage(strconv.FormatInt(min(e.Time().Unix(), e.Now.Unix()), 10))
}
