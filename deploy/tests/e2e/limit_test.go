package e2e_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enums "go.temporal.io/api/enums/v1"

	"relay/db/seed"
	"relay/deploy/sandbox"
	"relay/internal/ops"
	"relay/internal/relay"
	"relay/workflows"
)

// A storefront posts more events than its destination accepts at a time. They are delivered one after another with few wake-ups
// each, and another storefront's events are not delayed.
func TestEventsOfALimitedDestinationAreDeliveredInTurn(t *testing.T) {
	// Not parallel: it measures order and times, which other tests would change.
	const n = 200
	w := newWorld(t)
	w.limited(t, "limited", relay.Limits{InFlight: 1})
	w.storefront(t, "quiet")
	w.always(t, "/limited/", sandbox.Answer{Status: 200, DelayMS: 50})
	r := w.relay(t, "relay", "serve")
	post(t, r, item("limited", "limited-first"), item("quiet", "quiet-first"))
	w.delivered(t, "limited-first")
	w.delivered(t, "quiet-first")

	batch, orders := items("limited", "limited", n)
	began := time.Now()
	post(t, r, batch...)
	var quiet []time.Duration
	for i := range 30 {
		order := fmt.Sprint("quiet-", i)
		posted := time.Now()
		post(t, r, item("quiet", order))
		quiet = append(quiet, w.arrival(t, order).Sub(posted))
	}
	open := w.count(t, "SELECT COUNT(*) FROM marketing_events WHERE status IN ('pending', 'processing')")
	require.Positive(t, open, "the other storefront's events were measured while these waited")
	for _, order := range orders {
		w.delivered(t, order)
	}
	t.Logf("%d events took %s; the other storefront's took %s", n, time.Since(began), quiet)
	slices.Sort(quiet)
	require.Less(t, quiet[len(quiet)/2], time.Second)

	ids := w.order(t, "limited-%")
	w.record(t, workflows.DeliverEventID(w.requireFewHistoryEvents(t, ids, 40)), "limited")
	prompt := slices.DeleteFunc(slices.Clone(ids), func(id int64) bool { return w.dispatchedLate(t, id) })
	t.Logf("largest displacement from the order of arrival: %d; among those that Temporal dispatched in time: %d", displaced(ids), displaced(prompt))
	// The relay orders the queue, Temporal dispatches: on an overloaded machine a dispatch takes longer than any distance between events.
	require.LessOrEqual(t, displaced(prompt), n/4)
	require.Empty(t, w.overlaps(t, "/limited/", 40*time.Millisecond), "one at a time")
}

// limited adds a storefront whose container has limits.
func (w *world) limited(t *testing.T, code string, l relay.Limits) {
	t.Helper()
	id := w.storefront(t, code)
	require.NoError(t, seed.On(w.Store).PutSGTM(t.Context(), id, ops.SGTMConfig{
		URL: w.Sandbox.BaseURL + "/" + code, MeasurementID: "G-TEST", APISecret: relay.NewSecret(markSecret), Active: true,
		Options: relay.Options{Limits: l},
	}))
}

// arrival waits until an order's request has arrived, and returns when that was.
func (w *world) arrival(t *testing.T, order string) time.Time {
	t.Helper()
	var at time.Time
	e := relay.Event{EventID: order, Type: purchase, Storefront: relay.Storefront{Code: "quiet"}}
	eventually(t, func() error {
		arrivals, err := w.Sandbox.Arrivals(t.Context())
		if err != nil {
			return err
		}
		for _, a := range arrivals {
			if a.Key == e.DedupID() {
				at = a.First
				return nil
			}
		}
		return errNotYet
	})
	return at
}

// order returns the rows of events in the order of their first attempts.
func (w *world) order(t *testing.T, like string) []int64 {
	t.Helper()
	rows, err := w.sql.QueryContext(t.Context(), `SELECT a.marketing_event_id FROM event_attempts a
		JOIN marketing_events e ON e.id = a.marketing_event_id WHERE e.order_id LIKE ? AND a.number = 1 ORDER BY a.started_at`, like)
	require.NoError(t, err)
	defer func() { _ = rows.Close() }()
	var ids []int64
	for rows.Next() {
		var id int64
		require.NoError(t, rows.Scan(&id))
		ids = append(ids, id)
	}
	require.NoError(t, rows.Err())
	return ids
}

// displaced returns the largest distance of a row from its place.
func displaced(ids []int64) int {
	most := 0
	for place, id := range slices.Sorted(slices.Values(ids)) {
		most = max(most, place-slices.Index(ids, id), slices.Index(ids, id)-place)
	}
	return most
}

// dispatchedLate reports whether a workflow task of a delivery waited longer than on a worker with a free processor.
func (w *world) dispatchedLate(t *testing.T, row int64) bool {
	t.Helper()
	const late = time.Second
	var scheduled time.Time
	events := w.temporal.GetWorkflowHistory(t.Context(), workflows.DeliverEventID(row), "", false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		e, err := events.Next()
		require.NoError(t, err)
		switch at := e.GetEventTime().AsTime(); e.GetEventType() {
		case enums.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED:
			scheduled = at
		case enums.EVENT_TYPE_WORKFLOW_TASK_STARTED, enums.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT:
			if at.Sub(scheduled) > late {
				return true
			}
		default:
		}
	}
	return false
}

// requireFewHistoryEvents bounds the histories of deliveries, and returns the row with the longest.
func (w *world) requireFewHistoryEvents(t *testing.T, rows []int64, most int) (row int64) {
	t.Helper()
	longest := 0
	for _, r := range rows {
		d, err := w.temporal.DescribeWorkflow(t.Context(), workflows.DeliverEventID(r), "")
		require.NoError(t, err)
		if d.HistoryLength > longest {
			row, longest = r, d.HistoryLength
		}
	}
	require.LessOrEqual(t, longest, most)
	return row
}

// overlaps returns the gaps between requests to a path that are shorter than the time of one request.
func (w *world) overlaps(t *testing.T, path string, took time.Duration) []time.Duration {
	t.Helper()
	var before time.Time
	var short []time.Duration
	for _, r := range w.requests(t, path) {
		if gap := r.Time.Sub(before); gap < took {
			short = append(short, gap)
		}
		before = r.Time
	}
	return short
}
