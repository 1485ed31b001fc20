package tracking_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/internal/relay"
)

func answered(status int, body string) relay.Response {
	return relay.Response{Sent: true, Status: status, Body: []byte(body)}
}

// responses are those that both vendors share, and those of proxies in between. The adapters' own tests have the others.
var responses = []struct {
	name    string
	reply   relay.Response
	outcome relay.Outcome
	reason  relay.Reason
}{
	{"no body", answered(202, ""), relay.Accepted, ""},
	{"a page of a proxy", answered(200, "<!doctype html>hello"), relay.Retry, relay.ReasonNotJSON},
	{"any body", answered(200, "received"), relay.Accepted, ""},
	{"400", answered(400, ""), relay.Rejected, relay.ReasonBadRequest},
	{"302", answered(302, ""), relay.Rejected, relay.ReasonRedirect},
	{"401", answered(401, "Invalid Write Key jane"), relay.Unauthorized, relay.ReasonUnauthorized},
	{"403", answered(403, ""), relay.Unauthorized, relay.ReasonUnauthorized},
	{"404 of a proxy", answered(404, "<html>"), relay.Retry, relay.ReasonNotJSON},
	{"408", answered(408, ""), relay.Retry, relay.ReasonTimeout},
	{"413", answered(413, "Request size exceeds max limit"), relay.Rejected, relay.ReasonTooLarge},
	{"429", answered(429, "Max Requests Limit reached"), relay.Retry, relay.ReasonThrottled},
	{"500", answered(500, ""), relay.Retry, relay.ReasonServerError},
	{"503", answered(503, "{}"), relay.Retry, relay.ReasonServerError},
	{"504", answered(504, ""), relay.Retry, relay.ReasonServerError},
	{"half a success", relay.Response{Sent: true, Status: 200, Body: []byte(`{"succ`), TransportError: relay.TransportCut}, relay.Accepted, ""},
	{"no response to a call that may be repeated", relay.Response{Sent: true, Repeatable: true, TransportError: relay.TransportTimeout}, relay.Retry, relay.ReasonTimeout},
	{"no response to one that may not", relay.Response{Sent: true, TransportError: relay.TransportTimeout}, relay.Unknown, relay.ReasonUnknown},
	{"no connection", relay.Response{TransportError: relay.TransportConnect}, relay.Retry, relay.ReasonNetwork},
}

func TestEveryResponseHasAnOutcome(t *testing.T) {
	t.Parallel()
	for vendor, a := range vendors {
		for _, c := range responses {
			res := a.Outcome(c.reply)
			require.Equal(t, c.outcome, res.Outcome, "%s: %s", vendor, c.name)
			require.Equal(t, c.reason, res.Reason, "%s: %s", vendor, c.name)
			require.NotContains(t, fmt.Sprint(res), "jane", c.name)
		}
	}
}
