package db_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/internal/ops"
	"relay/internal/relay"
)

// series returns the last two days by day, as lines of totals.
func (f *fixture) series(q ops.SeriesQuery) (map[string]int64, ops.SeriesReport) {
	f.t.Helper()
	q.To = time.Now().UTC().Add(time.Hour)
	q.From = q.Step.Begin(q.To.Add(-48 * time.Hour))
	r, err := f.Series(f.t.Context(), q)
	require.NoError(f.t, err)
	totals := map[string]int64{}
	for _, line := range r.Lines {
		require.Len(f.t, line.Values, len(r.Times))
		var sum int64
		for _, n := range line.Values {
			sum += n
		}
		require.Equal(f.t, line.Total, sum)
		totals[line.Key] = line.Total
	}
	return totals, r
}

func TestSeriesCountByHourAndDay(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley, pfizer := f.storefront("bosley"), f.storefront("pfizer")
	f.failedAt("b-1", bosley, "ga4", relay.ReasonBadRequest)
	f.failedAt("b-2", bosley, "ga4", relay.ReasonExhausted)
	old := f.failedAt("b-3", bosley, "sgtm", relay.ReasonExhausted)
	f.exec("UPDATE marketing_events SET created_at = UTC_TIMESTAMP(6) - INTERVAL 24 HOUR WHERE id = ?", old)
	f.direct("p-1", pfizer)
	f.direct("gone", 4711) // of a storefront that was deleted
	f.exec("INSERT INTO marketing_events (event_id, order_id, event_type, storefront_code, event_payload, source_system, status) VALUES ('u', 'u', 'x', 'nowhere', '{}', 'oms_direct', 'pending')")
	f.rollUpAll()
	for _, step := range []ops.Step{ops.StepHour, ops.StepDay} {
		totals, r := f.series(ops.SeriesQuery{Step: step, By: ops.ByOutcome})
		require.Equal(t, map[string]int64{"received": 6, "open": 3, "failed": 3}, totals)
		require.Equal(t, "received", r.Lines[0].Key, "the largest first")
		require.WithinDuration(t, time.Now(), r.AsOf, time.Minute)
		require.Equal(t, step.Length(), r.Times[1].Sub(r.Times[0]))
		for _, line := range r.Lines {
			if line.Key == "failed" {
				require.Equal(t, int64(1), line.Values[int(time.Now().UTC().Add(-24*time.Hour).Sub(r.Times[0])/step.Length())])
			}
		}
		totals, _ = f.series(ops.SeriesQuery{Step: step, By: ops.ByReason})
		require.Len(t, totals, 2)
		totals, _ = f.series(ops.SeriesQuery{Step: step, By: ops.ByDestination})
		require.Equal(t, map[string]int64{"ga4": 2, "sgtm": 1}, totals)
		totals, _ = f.series(ops.SeriesQuery{Step: step, By: ops.ByStorefront})
		require.Equal(t, map[string]int64{"bosley": 3, "pfizer": 1, "": 2}, totals, "unknown storefronts together")
		totals, _ = f.series(ops.SeriesQuery{Step: step, By: ops.ByOutcome, Destination: "ga4"})
		require.Equal(t, map[string]int64{"failed": 2}, totals)
		totals, _ = f.series(ops.SeriesQuery{Step: step, By: ops.ByStorefront, Outcomes: []string{"failed", "open"}, StorefrontID: bosley})
		require.Equal(t, map[string]int64{"bosley": 3}, totals)
		totals, _ = f.series(ops.SeriesQuery{Step: step, By: ops.ByOutcome, StorefrontID: pfizer})
		require.Equal(t, map[string]int64{"received": 1, "open": 1}, totals)
	}
}

func TestSeriesOfManyStorefrontsAreBounded(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	for n := range ops.MaxSeries + 3 {
		f.exec("INSERT INTO event_stats (hour, storefront_id, outcome, n) VALUES (DATE_FORMAT(UTC_TIMESTAMP(), '%Y-%m-%d %H:00:00'), ?, 'received', ?)",
			f.exec("INSERT INTO storefronts (storefront_id, name) VALUES (?, 'x')", fmt.Sprint("shop", n)), n+1)
	}
	store, count := f.selects()
	now := time.Now().UTC()
	var r ops.SeriesReport
	selects := count(func() {
		var err error
		r, err = store.Series(t.Context(), ops.SeriesQuery{From: now.Truncate(time.Hour), To: now, Step: ops.StepHour, By: ops.ByStorefront})
		require.NoError(t, err)
	})
	require.LessOrEqual(t, selects, int64(3))
	require.Len(t, r.Lines, ops.MaxSeries)
	require.Equal(t, 3, r.Omitted)
	require.Equal(t, int64(ops.MaxSeries+3), r.Lines[0].Total)
}
