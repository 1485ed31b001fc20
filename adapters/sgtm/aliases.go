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
		if isNull(body[name]) && !isNull(value) {
			body[name] = value
		}
	}
	p := relay.Payload(body)
	add("transaction_id", body["order_id"])
	if v := p.Number("order_revenue"); v != "" {
		add("value", json.RawMessage(v))
	}
	if c := measurement.Currency(e, p); c != "" && !isNull(body["value"]) {
		add("currency", measurement.Text(c))
	}
	// Without one the usual client makes up another at every attempt.
	add("client_id", measurement.Text(measurement.ClientID(e, p)))
	add("ip_override", body["client_ip"])
	add("user_agent", body["client_user_agent"])
	body["event_time"] = json.RawMessage(strconv.FormatInt(min(e.Time().Unix(), e.Now.Unix()), 10))
}

func isNull(v json.RawMessage) bool { return len(v) == 0 || string(v) == "null" }
