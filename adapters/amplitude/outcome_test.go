package amplitude_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/adapters/amplitude"
	"relay/internal/relay"
)

func answered(status int, body string) relay.Response {
	return relay.Response{Sent: true, Repeatable: true, Status: status, Body: []byte(body)}
}

const (
	invalid = `{"code":400,"error":"Request missing required field, jane@example.com","missing_field":"event_type",` +
		`"events_with_invalid_fields":{"time":[0],"jane@example.com":[0]},"events_with_missing_fields":{"user_id":[0]},"silenced_events":[]}`
	wrongKey = `{"code":400,"error":"Invalid API key: 0123456789abcdef"}`
)

func TestEveryResponseHasAnOutcome(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		reply   relay.Response
		outcome relay.Outcome
		reason  relay.Reason
	}{
		{"ingested", answered(200, `{"code":200,"events_ingested":1,"payload_size_bytes":190,"server_upload_time":1795420801000}`), relay.Accepted, ""},
		{"no count", answered(200, `{"code":200}`), relay.Accepted, ""},
		{"none ingested", answered(200, `{"code":200,"events_ingested":0}`), relay.Rejected, relay.ReasonVendorRejected},
		{"success as text, as the batch API says it", answered(200, "success"), relay.Retry, relay.ReasonNotJSON},
		{"no body", answered(200, ""), relay.Retry, relay.ReasonNotJSON},
		{"a page", answered(200, "<html>"), relay.Retry, relay.ReasonNotJSON},
		{"400", answered(400, invalid), relay.Rejected, relay.ReasonBadRequest},
		{"a silenced device", answered(400, `{"code":400,"silenced_devices":["d"]}`), relay.Rejected, relay.ReasonBadRequest},
		{"a wrong key", answered(400, wrongKey), relay.Unauthorized, relay.ReasonUnauthorized},
		{"no key", answered(400, `{"code":400,"error":"Request missing required field","missing_field":"api_key"}`), relay.Unauthorized, relay.ReasonUnauthorized},
		{"401", answered(401, ""), relay.Unauthorized, relay.ReasonUnauthorized},
		{"403", answered(403, ""), relay.Unauthorized, relay.ReasonUnauthorized},
		{"413", answered(413, `{"code":413,"error":"Payload too large"}`), relay.Rejected, relay.ReasonTooLarge},
		{"302", answered(302, ""), relay.Rejected, relay.ReasonRedirect},
		{"408", answered(408, ""), relay.Retry, relay.ReasonTimeout},
		{"429", answered(429, `{"code":429,"error":"Too many requests for some devices and users","eps_threshold":30,"throttled_users":{"jane@example.com":31}}`), relay.Retry, relay.ReasonThrottled},
		{"500", answered(500, wrongKey), relay.Retry, relay.ReasonServerError},
		{"503", answered(503, ""), relay.Retry, relay.ReasonServerError},
	} {
		res := amplitude.Adapter{}.Outcome(c.reply)
		require.Equal(t, c.outcome, res.Outcome, c.name)
		require.Equal(t, c.reason, res.Reason, c.name)
		require.NotContains(t, fmt.Sprint(res), "jane", c.name)
		require.NotContains(t, fmt.Sprint(res), "0123456789abcdef", c.name)
	}
	require.Equal(t, map[string]string{"missing_field": "event_type", "invalid_fields": "time", "missing_fields": "user_id"},
		amplitude.Adapter{}.Outcome(answered(400, invalid)).Fields)
	throttled := answered(429, "{}")
	require.Equal(t, 30*time.Second, amplitude.Adapter{}.Outcome(throttled).RetryAfter)
	throttled.Header = map[string]string{"Retry-After": "90"}
	require.Equal(t, 90*time.Second, amplitude.Adapter{}.Outcome(throttled).RetryAfter)
}
