package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"

	"relay"
	"relay/db"
	"relay/deploy/dev/harness"
	"relay/deploy/dev/sandbox"
	"relay/workflows"
)

// A worker is killed while one event waits for its second try and another's request is on the wire. The first goes on where
// it was; of the second nobody knows what became of the request, so its row stays "sending" and it is sent again.
func TestAKilledWorkerLosesNothingAndHidesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "RETRY_BACKOFF_BASE=3")
	w.storefront(t, "between")
	w.storefront(t, "wire")
	w.answers(t, "/between/", 503)
	require.NoError(t, w.Sandbox.Answer(t.Context(), sandbox.Rule{Path: "/wire/", Answers: []sandbox.Answer{{Action: sandbox.ActionHang}}}))
	r := w.relay(t, "relay", "serve")
	post(t, r, item("between", "between-1"), item("wire", "wire-1"))
	w.wait(t, "between-1", func(e db.EventRecord) bool {
		return len(e.Attempts) == 1 && e.Attempts[0].Outcome == relay.Retry
	})
	w.arrived(t, "/wire/", 1)

	r.Kill()
	e, err := w.Event(t.Context(), "wire-1", purchase)
	require.NoError(t, err)
	require.Equal(t, []relay.Outcome{relay.Sending}, outcomes(e, relay.SGTM), "the row was there before the request left")
	require.NoError(t, r.Start(t.Context()))

	e = w.delivered(t, "between-1")
	require.Equal(t, []relay.Outcome{relay.Retry, relay.Accepted}, outcomes(e, relay.SGTM))
	require.Len(t, w.requests(t, "/between/"), 2)

	e = w.delivered(t, "wire-1")
	require.Equal(t, []relay.Outcome{relay.Sending, relay.Accepted}, outcomes(e, relay.SGTM))
	require.Equal(t, []int{1, 2}, []int{e.Attempts[0].Number, e.Attempts[1].Number})
	require.Len(t, w.requests(t, "/wire/"), 2)
	w.record(t, deliver(e), "worker-killed")
}

// arrived waits until so many requests have reached a path.
func (w *world) arrived(t *testing.T, path string, n int) {
	t.Helper()
	eventually(t, func() error {
		if got := len(w.requests(t, path)); got < n {
			return fmt.Errorf("%d of %d requests at %s", got, n, path)
		}
		return nil
	})
}

// Temporal is frozen, so that the worker claims rows whose deliveries it cannot start, and then the worker is killed.
func TestRowsThatAWorkerClaimedAndDidNotStartAreStartedByAnother(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.storefront(t, "claimed")
	r := w.relay(t, "relay", "serve")
	w.insert(t, "claimed", "claimed-first")
	w.delivered(t, "claimed-first") // PollInbox runs

	const rows = 30
	signal(t, w.Temporal.Pid(), syscall.SIGSTOP)
	var orders []string
	for i := range rows {
		orders = append(orders, fmt.Sprintf("claimed-%d", i))
		w.insert(t, "claimed", orders[i])
	}
	held := `SELECT COUNT(*) FROM marketing_events WHERE status = 'pending' AND claimed_until > UTC_TIMESTAMP(6)`
	eventually(t, func() error {
		if n := w.count(t, held); n < rows {
			return fmt.Errorf("%d of %d rows are claimed", n, rows)
		}
		return nil
	})
	r.Kill()
	signal(t, w.Temporal.Pid(), syscall.SIGCONT)
	require.GreaterOrEqual(t, w.unstarted(t, orders), rows-8, "eight starts were in flight")

	w.exec(t, "UPDATE marketing_events SET claimed_until = DEFAULT WHERE status = 'pending'") // a minute goes by
	require.NoError(t, r.Start(t.Context()))
	w.requireOneRequestEach(t, "/claimed/", append(orders, "claimed-first"))
}

// unstarted counts the events whose workflow Temporal does not know.
func (w *world) unstarted(t *testing.T, orders []string) int {
	t.Helper()
	n := 0
	for _, order := range orders {
		e, err := w.Event(t.Context(), order, purchase)
		require.NoError(t, err)
		eventually(t, func() error {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			_, err := w.temporal.DescribeWorkflowExecution(ctx, deliver(e), "")
			if gone := new(serviceerror.NotFound); errors.As(err, &gone) {
				n++
				return nil
			}
			return err
		})
	}
	return n
}

func signal(t *testing.T, pid int, s syscall.Signal) {
	t.Helper()
	require.Positive(t, pid)
	require.NoError(t, syscall.Kill(pid, s))
}

// OMS posts without a pause, to whichever of two relays answers, while both are replaced one after the other.
func TestARollingRestartUnderLoadLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.storefront(t, "rolling")
	w.always(t, "/rolling/", sandbox.Answer{DelayMS: 300})
	relays := []*harness.Relay{w.relay(t, "one", "serve"), w.relay(t, "two", "serve")}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	oms := make(chan []string, 1)
	go func() { oms <- postUntil(ctx, relays) }()
	for _, r := range relays {
		before := len(w.requests(t, "/rolling/"))
		w.arrived(t, "/rolling/", before+20)
		require.NoError(t, r.Restart(t.Context()), "SIGTERM ends it in time")
		w.arrived(t, "/rolling/", before+40)
	}
	cancel()
	orders := <-oms
	require.Greater(t, len(orders), 60)
	w.requireOneRequestEach(t, "/rolling/", orders)
	t.Logf("%d events over two restarts", len(orders))
	w.record(t, workflows.PollInboxID, "poll-inbox")
}

// postUntil posts batches until ctx ends and gives their orders. A batch without a good answer goes to the other relay,
// again and again: that is OMS's part of the promise.
func postUntil(ctx context.Context, relays []*harness.Relay) []string {
	var orders []string
	for n := 0; ctx.Err() == nil; n++ {
		batch, batchOrders := items("rolling", fmt.Sprintf("rolling-%d", n), 3)
		orders = append(orders, batchOrders...)
		body := harness.Batch(batch...)
		for try := n; ; try++ {
			answer, err := relays[try%2].Post(context.WithoutCancel(ctx), body)
			if err == nil && answer.HTTPStatus == http.StatusAccepted {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
		time.Sleep(100 * time.Millisecond) // 30 a second, which is what two loaded processors deliver
	}
	return orders
}
