package webhook_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/adapters/webhook"
	"relay/internal/relay"
)

func answered(status int, body string) relay.Response {
	return relay.Response{Sent: true, Repeatable: true, Status: status, Body: []byte(body)}
}

func TestEveryResponseHasAnOutcome(t *testing.T) {
	t.Parallel()
	throttled := answered(429, "")
	throttled.Header = map[string]string{"Retry-After": "120"}
	for _, c := range []struct {
		name    string
		reply   relay.Response
		outcome relay.Outcome
		reason  relay.Reason
	}{
		{"200", answered(200, ""), relay.Accepted, ""},
		{"202 with text", answered(202, "queued"), relay.Accepted, ""},
		{"204", answered(204, ""), relay.Accepted, ""},
		{"299", answered(299, "{}"), relay.Accepted, ""},
		{"a web page", answered(200, "<!doctype html>thank you"), relay.Accepted, ""},
		{"an error in a 200, which is the receiver's own", answered(200, `{"error":"x"}`), relay.Accepted, ""},
		{"301", answered(301, ""), relay.Rejected, relay.ReasonRedirect},
		{"307", answered(307, ""), relay.Rejected, relay.ReasonRedirect},
		{"400", answered(400, "jane@example.com"), relay.Rejected, relay.ReasonBadRequest},
		{"401", answered(401, ""), relay.Unauthorized, relay.ReasonUnauthorized},
		{"403", answered(403, ""), relay.Unauthorized, relay.ReasonUnauthorized},
		{"404", answered(404, ""), relay.Rejected, relay.ReasonNotFound},
		{"408", answered(408, ""), relay.Retry, relay.ReasonTimeout},
		{"410", answered(410, ""), relay.Unauthorized, relay.ReasonNotFound},
		{"413", answered(413, ""), relay.Rejected, relay.ReasonTooLarge},
		{"422", answered(422, "{}"), relay.Rejected, relay.ReasonBadRequest},
		{"425", answered(425, ""), relay.Retry, relay.ReasonThrottled},
		{"429", throttled, relay.Retry, relay.ReasonThrottled},
		{"500", answered(500, ""), relay.Retry, relay.ReasonServerError},
		{"502", answered(502, "<html>"), relay.Retry, relay.ReasonServerError},
		{"half a body", relay.Response{Sent: true, Repeatable: true, Status: 200, Body: []byte("{"), TransportError: relay.TransportCut}, relay.Accepted, ""},
		{"a body that never comes", relay.Response{Sent: true, Status: 202, TransportError: relay.TransportTimeout}, relay.Accepted, ""},
		{"no response", relay.Response{Sent: true, Repeatable: true, TransportError: relay.TransportTimeout}, relay.Retry, relay.ReasonTimeout},
		{"no connection", relay.Response{TransportError: relay.TransportConnect}, relay.Retry, relay.ReasonNetwork},
		{"no usable key", relay.Response{TransportError: relay.TransportCredential}, relay.Unauthorized, relay.ReasonUnauthorized},
		{"a forbidden address", relay.Response{TransportError: relay.TransportAddress}, relay.Rejected, relay.ReasonAddressRefused},
	} {
		res := webhook.Adapter{}.Outcome(c.reply)
		require.Equal(t, c.outcome, res.Outcome, c.name)
		require.Equal(t, c.reason, res.Reason, c.name)
		require.Equal(t, c.reply.Status, res.Status, c.name)
		require.Empty(t, res.Fields, c.name)
	}
	require.Equal(t, 2*time.Minute, webhook.Adapter{}.Outcome(throttled).RetryAfter)
}
