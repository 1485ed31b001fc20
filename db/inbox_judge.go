package db

import "relay/internal/relay"

// judgePayload checks a payload of OMS as the API checks an item. The row's own time instead of one that cannot be read would
// make an old order a sale of today.
func judgePayload(payload []byte) (relay.Reason, string) {
	p, err := relay.ParsePayload(payload)
	if err != nil {
		return relay.ReasonInvalidPayload, ""
	}
	if relay.HasLoneSurrogate(payload) {
		return relay.ReasonInvalidPayload, "event_payload has half a character in it, an unpaired surrogate"
	}
	if _, stated, ok := p.EventTime(); stated && !ok {
		return relay.ReasonInvalidField, "event_time is no RFC 3339 time, no DATETIME (2026-01-15 10:15:00, in UTC) and no Unix time"
	}
	return "", ""
}
