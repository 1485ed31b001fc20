package reddit_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/adapters/reddit"
	"relay/internal/relay"
)

func answered(status int, body string) relay.Response {
	return relay.Response{Sent: true, Repeatable: true, Status: status, Body: []byte(body)}
}

const (
	unknownField = `{"error":{"code":400,"message":"JSON error \"unknown field\" on field \"jane@example.com\""}}`
	refusedV2    = `{"success":false,"error":{"reason":"UNAUTHORIZED","explanation":"about jane@example.com"}}`
	invalid      = `{"message":"Successfully processed 0 conversion events.","invalid_events":[{"error_message":"about jane@example.com"}]}`
)

// responses are the known ones of v2 and v3, and those of proxies in between.
var responses = []struct {
	name    string
	reply   relay.Response
	outcome relay.Outcome
	reason  relay.Reason
}{
	{"processed", answered(200, `{"data":{"message":"Successfully processed 1 conversion events."}}`), relay.Accepted, ""},
	{"processed, as v2 says it", answered(200, `{"message":"Successfully processed 1 conversion events."}`), relay.Accepted, ""},
	{"any object", answered(202, `{}`), relay.Accepted, ""},
	{"none invalid", answered(200, `{"invalid_events":[],"success":true,"error":null}`), relay.Accepted, ""},
	{"odd form", answered(200, `{"data":[],"invalid_events":{},"error":"none"}`), relay.Accepted, ""},
	{"invalid", answered(200, invalid), relay.Rejected, relay.ReasonVendorRejected},
	{"invalid within data", answered(200, `{"data":{"invalid_events":[{}]}}`), relay.Rejected, relay.ReasonVendorRejected},
	{"failed in 200", answered(200, `{"success":false}`), relay.Rejected, relay.ReasonVendorRejected},
	{"an error in 200", answered(200, unknownField), relay.Rejected, relay.ReasonVendorRejected},
	{"no body", answered(200, ""), relay.Retry, relay.ReasonNotJSON},
	{"text", answered(200, "ok"), relay.Retry, relay.ReasonNotJSON},
	{"a page", answered(200, "<html>"), relay.Retry, relay.ReasonNotJSON},
	{"400", answered(400, unknownField), relay.Rejected, relay.ReasonBadRequest},
	{"400 without a body", answered(400, ""), relay.Rejected, relay.ReasonBadRequest},
	{"401", answered(401, "Authorization Required"), relay.Unauthorized, relay.ReasonUnauthorized},
	{"403", answered(403, refusedV2), relay.Unauthorized, relay.ReasonUnauthorized},
	{"404, no such pixel", answered(404, `{}`), relay.Unauthorized, relay.ReasonNotFound},
	{"404 without a body", answered(404, ""), relay.Unauthorized, relay.ReasonNotFound},
	{"404 of a proxy", answered(404, "<html>"), relay.Retry, relay.ReasonNotJSON},
	{"410, a retired version", answered(410, ""), relay.Unauthorized, relay.ReasonNotFound},
	{"413", answered(413, ""), relay.Rejected, relay.ReasonTooLarge},
	{"302", answered(302, ""), relay.Rejected, relay.ReasonRedirect},
	{"408", answered(408, ""), relay.Retry, relay.ReasonTimeout},
	{"429", answered(429, refusedV2), relay.Retry, relay.ReasonThrottled},
	{"500", answered(500, invalid), relay.Retry, relay.ReasonServerError},
	{"503", answered(503, ""), relay.Retry, relay.ReasonServerError},
}

func TestEveryResponseHasAnOutcome(t *testing.T) {
	t.Parallel()
	for _, c := range responses {
		res := reddit.Adapter{}.Outcome(c.reply)
		require.Equal(t, c.outcome, res.Outcome, c.name)
		require.Equal(t, c.reason, res.Reason, c.name)
		require.NotContains(t, fmt.Sprint(res), "jane", c.name)
	}
	require.Equal(t, map[string]string{"reason": "400"}, reddit.Adapter{}.Outcome(answered(400, unknownField)).Fields)
	require.Equal(t, map[string]string{"reason": "UNAUTHORIZED"}, reddit.Adapter{}.Outcome(answered(403, refusedV2)).Fields)
	require.Equal(t, map[string]string{"invalid_events": "1"}, reddit.Adapter{}.Outcome(answered(200, invalid)).Fields)
}
