package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"

	"relay/deploy/dev/harness"
	"relay/deploy/sandbox"
	"relay/internal/ops"
	"relay/internal/relay"
	"relay/workflows"
)

// A worker is killed while one event waits for its second attempt and another's request is on the wire. The first continues
// where it was; the result of the second's request is unknown, so its row stays "sending" and it is sent again.
func TestAKilledWorkerLosesNoEventAndRecordsTheUnknownResult(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "RETRY_BACKOFF_BASE=3")
	w.storefront(t, "between")
	w.storefront(t, "wire")
	w.respondWith(t, "/between/", 503)
	require.NoError(t, w.Sandbox.Answer(t.Context(), sandbox.Rule{Path: "/wire/", Answers: []sandbox.Answer{{Action: sandbox.ActionHang}}}))
	r := w.relay(t, "relay", "serve")
	post(t, r, item("between", "between-1"), item("wire", "wire-1"))
	w.wait(t, "between-1", func(e ops.EventDetail) bool {
		return slices.Equal(outcomes(e, relay.SGTM), []relay.Outcome{relay.Retry})
	})
	w.arrived(t, "/wire/", 1)

	r.Kill()
	e, err := w.Event(t.Context(), "wire-1", purchase)
	require.NoError(t, err)
	require.Equal(t, []relay.Outcome{relay.Sending}, outcomes(e, relay.SGTM), "the row was written before the request was sent")
	require.NoError(t, r.Start(t.Context()))

	e = w.delivered(t, "between-1")
	require.Equal(t, []relay.Outcome{relay.Retry, relay.Accepted}, outcomes(e, relay.SGTM))
	require.Len(t, w.requests(t, "/between/"), 2)

	e = w.delivered(t, "wire-1")
	require.Equal(t, []relay.Outcome{relay.Sending, relay.Accepted}, outcomes(e, relay.SGTM))
	sent := attemptsAt(e, relay.SGTM)
	require.Less(t, sent[0].Number, sent[1].Number)
	require.Len(t, w.requests(t, "/wire/"), 2)
	w.record(t, deliver(e), "worker-killed")
}

// arrived waits until n requests have reached a path.
func (w *world) arrived(t *testing.T, path string, n int) {
	t.Helper()
	eventually(t, func() error {
		if got := len(w.requests(t, path)); got < n {
			return fmt.Errorf("%d of %d requests at %s", got, n, path)
		}
		return nil
	})
}

// A relay is killed while API and PollInbox hold leases on rows whose deliveries they have not started.
func TestRowsThatAKilledRelayHadLeasedAreStartedByAnother(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "TEMPORAL_SEARCH_IDS=false")
	w.storefront(t, "leased")
	r := w.relay(t, "relay", "serve")
	w.insert(t, "leased", "leased-first")
	w.delivered(t, "leased-first") // PollInbox runs

	signal(t, w.Temporal.Pid(), syscall.SIGSTOP) // so that no workflow starts before the kill
	direct := w.insertMany(t, "leased", 200)
	held := `SELECT COUNT(*) FROM marketing_events WHERE status = 'pending' AND claimed_until > UTC_TIMESTAMP(6)`
	eventually(t, func() error {
		if w.count(t, held) == 0 {
			return errNotYet
		}
		return nil
	})
	batch, orders := items("leased", "leased-by-api", 50)
	post(t, r, batch...)
	r.Kill()
	signal(t, w.Temporal.Pid(), syscall.SIGCONT)
	for _, source := range []string{relay.SourceAPI, "oms_direct"} {
		require.Positive(t, w.heldUnstarted(t, source), source)
	}

	w.exec(t, "UPDATE marketing_events SET claimed_until = DEFAULT WHERE status = 'pending'") // as if a minute had passed
	require.NoError(t, r.Start(t.Context()))
	orders = append(append(orders, direct...), "leased-first")
	w.requireOnlyUnknownRepeated(t, "/leased/", orders)
	w.requireUnknownToTemporal(t, purchase, "leased-") // for clusters that the owner does not control
}

// heldUnstarted counts the rows of a source that were leased and have no workflow in Temporal. Their leases may have
// ended meanwhile, on a loaded machine.
func (w *world) heldUnstarted(t *testing.T, source string) int {
	t.Helper()
	rows, err := w.sql.QueryContext(t.Context(), `SELECT id FROM marketing_events
		WHERE status = 'pending' AND claimed_until > created_at + INTERVAL 1 SECOND AND source_system = ?`, source)
	require.NoError(t, err)
	defer func() { _ = rows.Close() }()
	n := 0
	for rows.Next() {
		var id int64
		require.NoError(t, rows.Scan(&id))
		_, err := w.temporal.DescribeWorkflowExecution(t.Context(), workflows.DeliverEventID(id), "")
		if gone := new(serviceerror.NotFound); errors.As(err, &gone) {
			n++
			continue
		}
		require.NoError(t, err)
	}
	require.NoError(t, rows.Err())
	return n
}

func signal(t *testing.T, pid int, s syscall.Signal) {
	t.Helper()
	require.Positive(t, pid)
	require.NoError(t, syscall.Kill(pid, s))
}

// OMS posts continuously, to either of two relays, while both are replaced one after the other; then one is
// killed.
func TestARestartUnderLoadLosesNothingAndRepeatsOnlyUnknownResults(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	relays := []*harness.Relay{w.relay(t, "one", "serve"), w.relay(t, "two", "serve")}

	orders := w.underLoad(t, relays, "rolling", func() {
		for _, r := range relays {
			before := len(w.requests(t, "/rolling/"))
			w.arrived(t, "/rolling/", before+20)
			require.NoError(t, r.Restart(t.Context()), "SIGTERM stops it in time")
			w.arrived(t, "/rolling/", before+40)
		}
	})
	require.Greater(t, len(orders), 60)
	w.requireOneRequestEach(t, "/rolling/", orders)
	w.record(t, workflows.PollInboxID, "poll-inbox")

	orders = w.underLoad(t, relays, "crash", func() {
		w.arrived(t, "/crash/", 30)
		relays[0].Kill()
		require.NoError(t, relays[0].Start(t.Context()))
		w.arrived(t, "/crash/", 60)
	})
	unknown := w.requireOnlyUnknownRepeated(t, "/crash/", orders)
	t.Logf("%d events during a kill, %d of them on the wire", len(orders), unknown)
}

// underLoad posts events of a storefront with a slow container, as OMS does, while do runs, and returns their orders.
func (w *world) underLoad(t *testing.T, relays []*harness.Relay, storefront string, do func()) []string {
	t.Helper()
	w.storefront(t, storefront)
	w.always(t, "/"+storefront+"/", sandbox.Answer{DelayMS: 300})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	oms := make(chan []string, 1)
	go func() { oms <- postUntil(ctx, relays, storefront) }()
	do()
	cancel()
	return <-oms
}

// postUntil posts batches until ctx ends and returns their orders. A batch that was not accepted is sent to the other
// relay, repeatedly, as the relay requires of OMS.
func postUntil(ctx context.Context, relays []*harness.Relay, storefront string) []string {
	var orders []string
	for n := 0; ctx.Err() == nil; n++ {
		batch, batchOrders := items(storefront, fmt.Sprintf("%s-%d", storefront, n), 3)
		orders = append(orders, batchOrders...)
		body := harness.Batch(batch...)
		for attempt := n; ; attempt++ {
			response, err := relays[attempt%2].Post(context.WithoutCancel(ctx), body)
			if err == nil && response.HTTPStatus == http.StatusAccepted {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
		time.Sleep(100 * time.Millisecond) // 30 a second, which is what two loaded processors deliver
	}
	return orders
}
