package segment_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/adapters/segment"
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
		{"a success", 200, `{"success":true}`, relay.Accepted, ""},
		{"too large, or malformed", 400, `{"success":false,"message":"malformed JSON of jane"}`, relay.Rejected, relay.ReasonBadRequest},
		{"a key that is refused", 401, "", relay.Unauthorized, relay.ReasonUnauthorized},
		{"no such path", 404, "", relay.Rejected, relay.ReasonNotFound},
		{"busy", 429, "", relay.Retry, relay.ReasonThrottled},
		{"down", 503, "", relay.Retry, relay.ReasonServerError},
	} {
		res := segment.Adapter{}.Outcome(relay.Response{Sent: true, Status: c.status, Body: []byte(c.body)})
		require.Equal(t, c.outcome, res.Outcome, c.name)
		require.Equal(t, c.reason, res.Reason, c.name)
		require.NotContains(t, fmt.Sprint(res), "jane", c.name)
	}
}
