package db

import "relay/internal/relay"

// checkPayload checks a payload of a direct row as the API checks an item. An unreadable time is an error: with the row's
// time in its place, an old order would count as a sale of today.
func checkPayload(payload []byte) (relay.Reason, string) {
	p, err := relay.ParsePayload(payload)
	if err != nil {
		return relay.ReasonInvalidPayload, ""
	}
	if relay.HasLoneSurrogate(payload) {
		return relay.ReasonInvalidPayload, "event_payload holds an unpaired surrogate"
	}
	if _, stated, ok := p.EventTime(); stated && !ok {
		return relay.ReasonInvalidField, "event_time is not an RFC 3339 time, a DATETIME (2026-01-15 10:15:00, in UTC) or a Unix time"
	}
	return "", ""
}
