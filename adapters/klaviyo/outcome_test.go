package klaviyo_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/adapters/klaviyo"
	"relay/internal/relay"
)

func answered(status int, body string) relay.Response {
	return relay.Response{Sent: true, Repeatable: true, Status: status, Body: []byte(body)}
}

const invalid = `{"errors":[{"id":"1","status":400,"code":"invalid","title":"Invalid input.","detail":"jane@example.com is wrong",` +
	`"source":{"pointer":"/data/attributes/metric"}},{"code":"jane@example.com","source":{"pointer":"jane@example.com"}},null]}`

func TestEveryResponseHasAnOutcome(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		reply   relay.Response
		outcome relay.Outcome
		reason  relay.Reason
	}{
		{"202 without a body", answered(202, ""), relay.Accepted, ""},
		{"202 with an object", answered(202, `{}`), relay.Accepted, ""},
		{"errors in an odd form", answered(202, `{"errors":"none"}`), relay.Accepted, ""},
		{"no errors", answered(202, `{"errors":[]}`), relay.Accepted, ""},
		{"errors in a success", answered(202, invalid), relay.Rejected, relay.ReasonVendorRejected},
		{"202, broken off", relay.Response{Sent: true, Repeatable: true, Status: 202, TransportError: relay.TransportCut}, relay.Accepted, ""},
		{"a page", answered(202, "<html>"), relay.Retry, relay.ReasonNotJSON},
		{"400", answered(400, invalid), relay.Rejected, relay.ReasonBadRequest},
		{"400 without a body", answered(400, ""), relay.Rejected, relay.ReasonBadRequest},
		{"401", answered(401, `{"errors":[{"code":"not_authenticated"}]}`), relay.Unauthorized, relay.ReasonUnauthorized},
		{"403, no scope", answered(403, `{"errors":[{"code":"permission_denied"}]}`), relay.Unauthorized, relay.ReasonUnauthorized},
		{"404", answered(404, `{"errors":[{"code":"not_found"}]}`), relay.Unauthorized, relay.ReasonNotFound},
		{"404 of a proxy", answered(404, "<html>"), relay.Retry, relay.ReasonNotJSON},
		{"409", answered(409, invalid), relay.Rejected, relay.ReasonBadRequest},
		{"410, a retired revision", answered(410, ""), relay.Unauthorized, relay.ReasonNotFound},
		{"413", answered(413, ""), relay.Rejected, relay.ReasonTooLarge},
		{"422", answered(422, invalid), relay.Rejected, relay.ReasonBadRequest},
		{"302", answered(302, ""), relay.Rejected, relay.ReasonRedirect},
		{"408", answered(408, ""), relay.Retry, relay.ReasonTimeout},
		{"429", answered(429, `{"errors":[{"code":"throttled"}]}`), relay.Retry, relay.ReasonThrottled},
		{"500", answered(500, invalid), relay.Retry, relay.ReasonServerError},
		{"503", answered(503, ""), relay.Retry, relay.ReasonServerError},
	} {
		res := klaviyo.Adapter{}.Outcome(c.reply)
		require.Equal(t, c.outcome, res.Outcome, c.name)
		require.Equal(t, c.reason, res.Reason, c.name)
		require.NotContains(t, fmt.Sprint(res), "jane", c.name)
	}
	res := klaviyo.Adapter{}.Outcome(answered(400, invalid))
	require.Equal(t, map[string]string{"codes": "invalid", "pointers": "/data/attributes/metric"}, res.Fields)
	throttled := answered(429, "")
	throttled.Header = map[string]string{"Retry-After": "17"}
	require.Equal(t, 17*time.Second, klaviyo.Adapter{}.Outcome(throttled).RetryAfter)
}
