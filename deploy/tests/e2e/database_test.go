package e2e_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/deploy/dev/harness"
	"relay/deploy/sandbox"
	"relay/internal/ops"
	"relay/internal/relay"
)

// The worker is killed, too, before the database is back: then only Temporal holds the response that arrived meanwhile.
func TestAKilledDatabaseAndWorkerDelayEventsAndRepeatNothing(t *testing.T) {
	t.Parallel()
	o := begin(t)
	o.Database.Kill()
	o.waitLong(t)
	o.worker.Kill()
	require.NoError(t, o.Database.Restart(t.Context()))
	require.NoError(t, o.worker.Start(t.Context()))
	o.requireNothingRepeated(t)
	o.record(t, deliver(o.first), "database-away-at-the-first-step")
	o.record(t, deliver(o.wire), "database-away-when-the-response-arrived")
	o.record(t, deliver(o.between), "database-away-between-attempts")
}

func TestAStoppedDatabaseDelaysEventsAndRepeatsNothing(t *testing.T) {
	t.Parallel()
	o := begin(t)
	require.NoError(t, o.Database.Stop())
	o.waitLong(t)
	require.NoError(t, o.Database.Restart(t.Context()))
	o.requireNothingRepeated(t)
}

// outage is a world whose database was unavailable, and the three events affected.
type outage struct {
	*world
	api, worker          *harness.Relay
	first, wire, between ops.EventDetail
}

// begin brings three events into the states at the start of the outage: the worker of one has not run its first step (it
// is frozen), the request of another is on the wire, and a third waits for its next attempt.
func begin(t *testing.T) *outage {
	t.Helper()
	o := &outage{world: newWorld(t, "RETRY_BACKOFF_BASE=2", "MAX_RETRY_ATTEMPTS=3")}
	for _, code := range []string{"first", "wire", "between"} {
		o.storefront(t, code)
	}
	o.always(t, "/wire/", sandbox.Answer{DelayMS: 5000})
	o.respondWith(t, "/between/", 503, 503)
	o.api, o.worker = o.relay(t, "api", "api"), o.relay(t, "worker", "worker")

	post(t, o.api, item("wire", "wire-1"), item("between", "between-1"))
	o.arrived(t, "/wire/", 1)
	o.between = o.wait(t, "between-1", func(e ops.EventDetail) bool {
		return slices.Contains(outcomes(e, relay.SGTM), relay.Retry)
	})
	signal(t, o.worker.Pid(), syscall.SIGSTOP)
	post(t, o.api, item("first", "first-1"))
	var err error
	o.first, err = o.Event(t.Context(), "first-1", purchase)
	require.NoError(t, err)
	o.wire, err = o.Event(t.Context(), "wire-1", purchase)
	require.NoError(t, err)
	o.status(t, deliver(o.first)) // its workflow has started
	require.Equal(t, relay.StatusPending, o.first.Status)
	require.Equal(t, []relay.Outcome{relay.Sending}, outcomes(o.wire, relay.SGTM))
	return o
}

// waitLong lets the worker run without the database until each event waits for it, and for longer than all the attempts
// would take.
func (o *outage) waitLong(t *testing.T) {
	t.Helper()
	const allAttempts = 2*time.Second + 4*time.Second
	gone := time.Now()
	signal(t, o.worker.Pid(), syscall.SIGCONT)
	requireRefused(t, o.api)
	o.waitTimer(t, o.first, "route: waiting for the database")
	o.waitTimer(t, o.wire, "finish: waiting for the database")
	o.waitTimer(t, o.between, "sgtm: "+relay.ReasonDatabaseUnavailable.Text())
	eventually(t, func() error {
		if time.Since(gone) < allAttempts {
			return errNotYet
		}
		return nil
	})
}

func (o *outage) requireNothingRepeated(t *testing.T) {
	t.Helper()
	o.first, o.wire, o.between = o.delivered(t, "first-1"), o.delivered(t, "wire-1"), o.delivered(t, "between-1")
	require.Equal(t, []relay.Outcome{relay.Accepted}, outcomes(o.first, relay.SGTM))
	require.Len(t, o.requests(t, "/first/"), 1)
	require.Equal(t, []relay.Outcome{relay.Accepted}, outcomes(o.wire, relay.SGTM), "the response arrived during the outage")
	require.Equal(t, 200, o.wire.Attempts[0].Result.Status)
	require.GreaterOrEqual(t, o.wire.Attempts[0].Duration, 5*time.Second)
	require.Len(t, o.requests(t, "/wire/"), 1)
	require.Equal(t, []relay.Outcome{relay.Retry, relay.Retry, relay.Accepted}, outcomes(o.between, relay.SGTM), "the outage used up no attempt")
	require.Len(t, o.requests(t, "/between/"), 3)
	o.postRefused(t)
}

// postRefused posts the refused batch again, as the 503 asked OMS to do.
func (o *outage) postRefused(t *testing.T) {
	t.Helper()
	refused := refusedItem()
	eventually(t, func() error {
		response, err := o.api.Post(t.Context(), harness.Batch(refused))
		if err == nil && (response.HTTPStatus != http.StatusAccepted || response.Accepted != 1) {
			err = fmt.Errorf("%d %s", response.HTTPStatus, response.Body)
		}
		return err
	})
	o.delivered(t, "refused-1")
}

func refusedItem() harness.Item { return item("first", "refused-1") }

// requireRefused checks the refusal while the database is away: no item is accepted, and OMS is asked to retry.
func requireRefused(t *testing.T, r *harness.Relay) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.URL+"/v1/events",
		strings.NewReader(string(harness.Batch(refusedItem()))))
	require.NoError(t, err)
	request.SetBasicAuth("oms", markPassword)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusServiceUnavailable, response.StatusCode, "%s", body)
	seconds, err := strconv.Atoi(response.Header.Get("Retry-After"))
	require.NoError(t, err)
	require.Positive(t, seconds)
	require.NotEmpty(t, response.Header.Get("X-Request-Id"))
	requireClean(t, "the response", body)
	for _, internal := range []string{"127.0.0.1", "dial", "mysql", "connection", "invalid"} {
		require.NotContains(t, strings.ToLower(string(body)), internal)
	}
}
