package customerio_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	customerio "relay/adapters/customer_io"
	"relay/internal/relay"
)

func answered(status int, body string) relay.Response {
	return relay.Response{Sent: true, Repeatable: true, Status: status, Body: []byte(body)}
}

const invalid = `{"errors":[{"batch_index":0,"reason":"invalid","field":"identifiers.id","message":"jane@example.com is wrong"},` +
	`{"reason":"about jane@example.com"},"jane@example.com",null]}`

func TestEveryResponseHasAnOutcome(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		reply   relay.Response
		outcome relay.Outcome
		reason  relay.Reason
	}{
		{"200", answered(200, `{}`), relay.Accepted, ""},
		{"no errors", answered(200, `{"errors":[null]}`), relay.Accepted, ""},
		{"errors in an odd form", answered(200, `{"errors":"none"}`), relay.Accepted, ""},
		{"207 without errors", answered(207, `{"errors":[]}`), relay.Accepted, ""},
		{"207 with errors", answered(207, invalid), relay.Rejected, relay.ReasonVendorRejected},
		{"no body", answered(200, ""), relay.Retry, relay.ReasonNotJSON},
		{"a page", answered(200, "<html>"), relay.Retry, relay.ReasonNotJSON},
		{"400", answered(400, `{"meta":{"errors":["malformed: jane@example.com"]}}`), relay.Rejected, relay.ReasonBadRequest},
		{"400 with errors", answered(400, invalid), relay.Rejected, relay.ReasonBadRequest},
		{"401", answered(401, `{"meta":{"error":"Unauthorized request"}}`), relay.Unauthorized, relay.ReasonUnauthorized},
		{"403", answered(403, ""), relay.Unauthorized, relay.ReasonUnauthorized},
		{"404", answered(404, `{}`), relay.Rejected, relay.ReasonNotFound},
		{"413", answered(413, ""), relay.Rejected, relay.ReasonTooLarge},
		{"302", answered(302, ""), relay.Rejected, relay.ReasonRedirect},
		{"408", answered(408, ""), relay.Retry, relay.ReasonTimeout},
		{"429", answered(429, invalid), relay.Retry, relay.ReasonThrottled},
		{"500", answered(500, invalid), relay.Retry, relay.ReasonServerError},
		{"503", answered(503, ""), relay.Retry, relay.ReasonServerError},
	} {
		res := customerio.Adapter{}.Outcome(c.reply)
		require.Equal(t, c.outcome, res.Outcome, c.name)
		require.Equal(t, c.reason, res.Reason, c.name)
		require.NotContains(t, fmt.Sprint(res), "jane", c.name)
	}
	require.Equal(t, map[string]string{"reasons": "invalid", "fields": "identifiers.id"}, customerio.Adapter{}.Outcome(answered(400, invalid)).Fields)
}
