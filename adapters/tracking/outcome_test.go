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

// responses are all known ones of both vendors, and those of proxies in between. Where one vendor differs, its own word comes last.
var responses = []struct {
	name    string
	reply   relay.Response
	outcome relay.Outcome
	reason  relay.Reason
	own     map[string]relay.Outcome
}{
	{"Segment's acceptance", answered(200, `{"success":true}`), relay.Accepted, "", nil},
	{"RudderStack's acceptance", answered(200, "OK"), relay.Accepted, "", nil},
	{"no body", answered(202, ""), relay.Accepted, "", nil},
	{"a page of a proxy", answered(200, "<!doctype html>hello"), relay.Retry, relay.ReasonNotJSON, nil},
	{"302", answered(302, ""), relay.Rejected, relay.ReasonRedirect, nil},
	{"400, bad JSON", answered(400, `{"success":false,"message":"malformed JSON"}`), relay.Rejected, relay.ReasonBadRequest, nil},
	{"400, no user", answered(400, "request neither has anonymousId nor userId"), relay.Rejected, relay.ReasonBadRequest, nil},
	{"401", answered(401, "Invalid Write Key jane"), relay.Unauthorized, relay.ReasonUnauthorized, nil},
	{"403", answered(403, ""), relay.Unauthorized, relay.ReasonUnauthorized, nil},
	{"404, a source that is disabled", answered(404, "Source is disabled"), relay.Rejected, relay.ReasonNotFound,
		map[string]relay.Outcome{"rudderstack": relay.Unauthorized}},
	{"404 of a proxy", answered(404, "<html>"), relay.Retry, relay.ReasonNotJSON, nil},
	{"408", answered(408, ""), relay.Retry, relay.ReasonTimeout, nil},
	{"413", answered(413, "Request size exceeds max limit"), relay.Rejected, relay.ReasonTooLarge, nil},
	{"429", answered(429, "Max Requests Limit reached"), relay.Retry, relay.ReasonThrottled, nil},
	{"500", answered(500, ""), relay.Retry, relay.ReasonServerError, nil},
	{"503", answered(503, "{}"), relay.Retry, relay.ReasonServerError, nil},
	{"504", answered(504, ""), relay.Retry, relay.ReasonServerError, nil},
	{"no response to a call that may be repeated", relay.Response{Sent: true, Repeatable: true, TransportError: relay.TransportTimeout}, relay.Retry, relay.ReasonTimeout, nil},
	{"no response to one that may not", relay.Response{Sent: true, TransportError: relay.TransportTimeout}, relay.Unknown, relay.ReasonUnknown, nil},
	{"no connection", relay.Response{TransportError: relay.TransportConnect}, relay.Retry, relay.ReasonNetwork, nil},
}

func TestEveryResponseHasAnOutcome(t *testing.T) {
	t.Parallel()
	for vendor, a := range vendors {
		for _, c := range responses {
			res := a.Outcome(c.reply)
			want := c.outcome
			if own := c.own[vendor]; own != "" {
				want = own
			}
			require.Equal(t, want, res.Outcome, "%s: %s", vendor, c.name)
			require.Equal(t, c.reason, res.Reason, "%s: %s", vendor, c.name)
			require.NotContains(t, fmt.Sprint(res), "jane", c.name)
		}
	}
}
