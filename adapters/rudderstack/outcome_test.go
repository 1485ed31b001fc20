package rudderstack_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/adapters/rudderstack"
	"relay/internal/relay"
)

func TestEveryResponseHasAnOutcome(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		status  int
		body    string
		outcome relay.Outcome
		reason  relay.Reason
	}{
		{"a success", 200, "OK", relay.Accepted, ""},
		{"no JSON", 400, "Invalid JSON", relay.Rejected, relay.ReasonBadRequest},
		{"no user", 400, "Request neither has anonymousId nor userId", relay.Rejected, relay.ReasonBadRequest},
		{"another key", 401, "Invalid Write Key of jane", relay.Unauthorized, relay.ReasonUnauthorized},
		{"a disabled source", 404, "Source is disabled", relay.Unauthorized, relay.ReasonNotFound},
		{"a page of a proxy", 404, "<html>", relay.Retry, relay.ReasonNotJSON},
		{"too large", 413, "Request size exceeds max limit", relay.Rejected, relay.ReasonTooLarge},
		{"busy", 429, "Max Requests Limit reached", relay.Retry, relay.ReasonThrottled},
		{"down", 503, "", relay.Retry, relay.ReasonServerError},
	} {
		res := rudderstack.Adapter{}.Outcome(relay.Response{Sent: true, Status: c.status, Body: []byte(c.body)})
		require.Equal(t, c.outcome, res.Outcome, c.name)
		require.Equal(t, c.reason, res.Reason, c.name)
		require.NotContains(t, fmt.Sprint(res), "jane", c.name)
	}
}
