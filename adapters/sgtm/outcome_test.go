package sgtm_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/adapters/sgtm"
	"relay/internal/relay"
)

// The table of spec/platform-apis.md 6.3: any 2xx says that a client claimed the request; 400 is a container's response
// for a path that none claims.
func TestOutcomeFollowsAContainersStatus(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]relay.Result{
		200: {Outcome: relay.Accepted}, 201: {Outcome: relay.Accepted}, 202: {Outcome: relay.Accepted}, 204: {Outcome: relay.Accepted},
		206: {Outcome: relay.Rejected, Reason: relay.ReasonPartial},
		301: {Outcome: relay.Rejected, Reason: relay.ReasonRedirect}, 302: {Outcome: relay.Rejected, Reason: relay.ReasonRedirect},
		400: {Outcome: relay.Rejected, Reason: relay.ReasonUnclaimed},
		401: {Outcome: relay.Unauthorized, Reason: relay.ReasonUnauthorized}, 403: {Outcome: relay.Unauthorized, Reason: relay.ReasonUnauthorized},
		404: {Outcome: relay.Rejected, Reason: relay.ReasonNotFound}, 413: {Outcome: relay.Rejected, Reason: relay.ReasonTooLarge},
		422: {Outcome: relay.Rejected, Reason: relay.ReasonBadRequest},
		408: {Outcome: relay.Retry, Reason: relay.ReasonTimeout}, 429: {Outcome: relay.Retry, Reason: relay.ReasonThrottled},
		500: {Outcome: relay.Retry, Reason: relay.ReasonServerError}, 502: {Outcome: relay.Retry, Reason: relay.ReasonServerError},
		503: {Outcome: relay.Retry, Reason: relay.ReasonServerError}, 504: {Outcome: relay.Retry, Reason: relay.ReasonServerError},
	} {
		want.Status = status
		for _, body := range []string{"", "ok", `{"timestamp":1,"unique_event_id":"x"}`} {
			reply := relay.Response{Sent: true, Status: status, Body: []byte(body), Repeatable: true, Header: map[string]string{"Content-Type": "text/html"}}
			require.Equal(t, want, sgtm.Adapter{}.Outcome(reply), "%d %s", status, body)
		}
	}
}

func TestOutcomeOfAWebPage(t *testing.T) {
	t.Parallel()
	page := relay.Response{Sent: true, Status: 200, Body: []byte("<!doctype html><title>Shop</title>"), Repeatable: true}
	require.Equal(t, relay.Result{Outcome: relay.Rejected, Reason: relay.ReasonNotATagServer, Status: 200}, sgtm.Adapter{}.Outcome(page))
	page.Status = 502
	require.Equal(t, relay.Retry, sgtm.Adapter{}.Outcome(page).Outcome, "a load balancer's page is retried like any other error")
}

func TestOutcomeOfABrokenExchange(t *testing.T) {
	t.Parallel()
	t.Run("a time-out is retried, because the container drops duplicates", func(t *testing.T) {
		t.Parallel()
		reply := relay.Response{Sent: true, TransportError: relay.TransportTimeout, Repeatable: true}
		require.Equal(t, relay.Result{Outcome: relay.Retry, Reason: relay.ReasonTimeout}, sgtm.Adapter{}.Outcome(reply))
	})
	t.Run("a failed connection is retried", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, relay.Result{Outcome: relay.Retry, Reason: relay.ReasonNetwork}, sgtm.Adapter{}.Outcome(relay.Response{TransportError: relay.TransportConnect}))
	})
	t.Run("a 2xx whose body was cut is accepted", func(t *testing.T) {
		t.Parallel()
		reply := relay.Response{Sent: true, Status: 200, TransportError: relay.TransportCut, Repeatable: true}
		require.Equal(t, relay.Result{Outcome: relay.Accepted, Status: 200}, sgtm.Adapter{}.Outcome(reply))
	})
	t.Run("a forbidden address is rejected", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, relay.ReasonAddressRefused, sgtm.Adapter{}.Outcome(relay.Response{TransportError: relay.TransportAddress}).Reason)
	})
}

func TestOutcomeKeepsRetryAfterAndNothingElseOfTheResponse(t *testing.T) {
	t.Parallel()
	res := sgtm.Adapter{}.Outcome(relay.Response{Sent: true, Status: 503, Repeatable: true, Body: []byte(`{"email":"jane@example.com"}`),
		Header: map[string]string{"Retry-After": "30", "X-Echo": "jane@example.com"}})
	require.Equal(t, relay.Result{Outcome: relay.Retry, Reason: relay.ReasonServerError, Status: 503, RetryAfter: 30 * time.Second}, res)
}
