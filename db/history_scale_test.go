package db_test

import (
	"cmp"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/internal/ops"
	"relay/internal/relay"
)

// many fills the inbox with n delivered events of a storefront, spread over the last 20 days, by repeated doubling.
func (f *fixture) many(storefront int64, n int) {
	f.t.Helper()
	f.exec(`INSERT INTO marketing_events (event_id, order_id, storefront_id, storefront_code, event_type, event_payload, source_system, status,
		ends, created_at, finished_at) VALUES ('m-0', 'm-0', ?, 'big', 'purchase_completed', '{"event_time":"2026-01-15T10:25:00Z"}', 'oms', 'delivered',
		'[{"destination":"sgtm","outcome":"accepted","status":200}]', UTC_TIMESTAMP(6) - INTERVAL 20 DAY, UTC_TIMESTAMP(6))`, storefront)
	for have := 1; have < n; have = min(2*have, n) {
		f.exec(`INSERT INTO marketing_events (event_id, order_id, storefront_id, storefront_code, event_type, event_payload, source_system, status,
			ends, created_at, finished_at) SELECT CONCAT('m-', ? + ROW_NUMBER() OVER (ORDER BY id)), CONCAT('m-', ? + ROW_NUMBER() OVER (ORDER BY id)),
			storefront_id, storefront_code, event_type, event_payload, source_system, status, ends,
			created_at + INTERVAL ? SECOND, finished_at FROM marketing_events WHERE storefront_id = ? ORDER BY id LIMIT ?`,
			have, have, 20*24*3600*have/n, storefront, n-have)
	}
	f.exec("ANALYZE TABLE marketing_events")
}

// rows returns the size of the table: SCALE_ROWS (ten million takes long), otherwise a number that suits a test.
func rows(t *testing.T) int {
	t.Helper()
	n, err := strconv.Atoi(cmp.Or(os.Getenv("SCALE_ROWS"), "262144"))
	require.NoError(t, err)
	return n
}

// TestSearchCostsTheSameInATableOfAnySize runs alone: it counts the reads of the whole server.
func TestSearchCostsTheSameInATableOfAnySize(t *testing.T) {
	f := migrated(t)
	big, small := f.storefront("big"), f.storefront("small")
	needle := f.direct("needle", small)
	f.ended(needle, relay.StatusFailed, relay.ReasonExhausted, exhaustedAtSGTM)
	n := rows(t)
	f.many(big, n)
	f.ended(f.direct("late", big), relay.StatusFailed, relay.ReasonBadRequest)
	total := f.count("SELECT COUNT(*) FROM marketing_events")
	require.Greater(t, total, n)
	for f.count("SELECT COUNT(*) FROM event_stats_hours") < 20*24 { // a round has a minute, and ten million take two
		f.rollUp()
	}
	day := time.Now().UTC().Add(-24 * time.Hour)

	for name, c := range map[string]struct {
		filter ops.Filter
		page   int
		reads  int
	}{
		"everything":                {ops.Filter{}, 50, 300},
		"a storefront":              {ops.Filter{StorefrontID: big}, 50, 300},
		"a small storefront":        {ops.Filter{StorefrontID: small}, 50, 100},
		"an order":                  {ops.Filter{OrderID: "m-200000"}, 50, 50},
		"failed":                    {ops.Filter{Statuses: []relay.Status{relay.StatusFailed}}, 50, 100},
		"failed or skipped":         {ops.Filter{Statuses: []relay.Status{relay.StatusFailed, relay.StatusSkipped}}, 50, 100},
		"failed of a storefront":    {ops.Filter{StorefrontID: big, Statuses: []relay.Status{relay.StatusFailed}}, 50, 100},
		"failed since yesterday":    {ops.Filter{StorefrontID: small, Statuses: []relay.Status{relay.StatusFailed}, From: day}, 50, 100},
		"delivered of a small one":  {ops.Filter{StorefrontID: small, Statuses: []relay.Status{relay.StatusDelivered}}, 50, 5_000},
		"delivered since yesterday": {ops.Filter{StorefrontID: big, Statuses: []relay.Status{relay.StatusDelivered}, From: day}, 50, 20_000},
		"a type without events":     {ops.Filter{Type: "rx_issued"}, 50, 60_000},
		"a rare reason":             {ops.Filter{Statuses: []relay.Status{relay.StatusFailed}, Reasons: []relay.Reason{relay.ReasonExhausted}}, 50, 100},
	} {
		began := time.Now()
		var found int
		reads := f.readsOf(func() { found = f.search(c.filter, ops.Position{}, c.page) })
		t.Logf("%-26s %3d found, %6d of %d rows read, %s", name, found, reads, total, time.Since(began))
		require.LessOrEqual(t, reads, c.reads, name)
	}

	t.Run("a late page costs the same as the first", func(t *testing.T) {
		reads := f.readsOf(func() {
			require.Equal(t, 50, f.search(ops.Filter{StorefrontID: big}, ops.Position{At: day.Add(-10 * 24 * time.Hour), ID: 1 << 40}, 50))
		})
		require.LessOrEqual(t, reads, 300)
	})

	t.Run("statistics over a month are read from the hours", func(t *testing.T) {
		var r ops.StatsReport
		var err error
		began := time.Now()
		reads := f.readsOf(func() {
			r, err = f.Stats(t.Context(), 0, time.Now().Add(-30*24*time.Hour), time.Now().Add(time.Hour))
		})
		require.NoError(t, err)
		t.Logf("stats: %d rows read, %s", reads, time.Since(began))
		require.LessOrEqual(t, reads, 20_000)
		require.Equal(t, int64(n), r.Storefronts[0].Delivered)
	})

	t.Run("a round of counting reads only the open hours", func(t *testing.T) {
		require.LessOrEqual(t, f.readsOf(f.rollUp), max(10_000, n/200)) // an hour has n/480 of them
	})

	t.Run("a step of a replay reads only the events that it starts", func(t *testing.T) {
		r := f.replay(ops.Replay{Filter: ops.Filter{Statuses: []relay.Status{relay.StatusFailed}}})
		var step ops.ReplayStep
		var err error
		reads := f.readsOf(func() { step, err = f.StepReplay(t.Context(), r.ID, 20) })
		require.NoError(t, err)
		require.Equal(t, 2, step.Started)
		require.LessOrEqual(t, reads, 200)
	})

	t.Run("an observation counts a backlog up to its bound", func(t *testing.T) {
		f.exec("UPDATE marketing_events SET status = 'pending' WHERE storefront_id = ? LIMIT 50000", big)
		o := f.observed(t, 25_000)
		require.True(t, slices.ContainsFunc(o.Backlogs, func(b ops.Backlog) bool { return b.Storefront == "big" && b.Pending == ops.BacklogBound }))
	})

	t.Run("an observation looks at events in delivery up to its bound", func(t *testing.T) {
		f.exec(`UPDATE marketing_events SET status = 'processing', waiting_for = 'credential', next_attempt_at = UTC_TIMESTAMP(6) + INTERVAL 1 HOUR,
			claimed_until = UTC_TIMESTAMP(6) + INTERVAL 1 HOUR WHERE status = 'pending' AND storefront_id = ?`, big)
		o := f.observed(t, 30_000)
		require.True(t, slices.ContainsFunc(o.Backlogs, func(b ops.Backlog) bool { return b.Held[relay.WaitsForCredential] > 24*time.Hour }))
	})
}

// observed is an observation that reads at most a number of rows.
func (f *fixture) observed(t *testing.T, most int) ops.Observation {
	t.Helper()
	var o ops.Observation
	var err error
	began := time.Now()
	reads := f.readsOf(func() { o, err = f.Observe(t.Context()) })
	require.NoError(t, err)
	t.Logf("observe: %d rows read, %s", reads, time.Since(began))
	require.LessOrEqual(t, reads, most)
	return o
}

// readsOf returns the number of rows that the server reads for a call, without those of the measurement itself.
func (f *fixture) readsOf(op func()) int {
	f.t.Helper()
	first := handlerReads(f.t, f.raw)
	second := handlerReads(f.t, f.raw)
	op()
	return handlerReads(f.t, f.raw) - second - (second - first)
}

func (f *fixture) search(filter ops.Filter, after ops.Position, n int) int {
	f.t.Helper()
	p, err := f.SearchEvents(f.t.Context(), filter, after, n)
	require.NoError(f.t, err)
	return len(p.Items)
}
