package db_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/internal/ops"
	"relay/internal/relay"
)

func TestLiveReadsTheNewestAttempts(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	id := f.direct("e-1", bosley)
	for n := range 5 {
		require.NoError(t, f.RecordSending(t.Context(), relay.Attempt{AttemptID: fmt.Sprint("a-", n), EventID: id, Destination: "ga4", Number: n + 1, StartedAt: time.Now()}))
	}
	list, err := f.LiveAttempts(t.Context(), 0, nil, 3)
	require.NoError(t, err)
	require.Len(t, list, 3)
	require.Equal(t, []any{5, "bosley", id, relay.Sending}, []any{list[0].Number, list[0].Storefront, list[0].EventID, list[0].Outcome})
	list, err = f.LiveAttempts(t.Context(), list[0].ID, []int64{list[0].ID - 4}, 10)
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.Equal(t, 1, list[0].Number, "one whose end was not seen is read again")
}

func TestLiveCountsAreBounded(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	f.platform(bosley, "ga4")
	for n := 0; n < 11_000; n += 5500 {
		f.insert(newEvents(n, n+5500, bosley, "bosley"))
	}
	f.failedAt("f-1", bosley, "ga4", relay.ReasonBadRequest)
	f.sick(bosley, "ga4")
	f.rollUp()
	store, count := f.selects()
	var counts ops.LiveCounts
	var totals ops.LiveTotals
	require.LessOrEqual(t, count(func() {
		var err error
		counts, err = store.LiveCounts(t.Context())
		require.NoError(t, err)
	}), int64(2))
	totals, err := store.LiveTotals(t.Context())
	require.NoError(t, err)
	require.Equal(t, []int64{ops.CountBound, 0, 1}, []int64{counts.Pending, counts.Processing, counts.Unhealthy})
	require.False(t, counts.Oldest.IsZero())
	require.WithinDuration(t, time.Now(), counts.CountedAt, time.Minute)
	require.Equal(t, ops.LiveTotals{Received: 11_001, Failed: 1, Open: 11_000}, totals)
	ill, err := store.LiveHealth(t.Context())
	require.NoError(t, err)
	require.Len(t, ill, 1)
	require.Equal(t, relay.Unhealthy, ill[0].State())
	replays, err := store.LiveReplays(t.Context())
	require.NoError(t, err)
	require.Empty(t, replays)
}

func TestLiveTotalsAreThoseOfTheStats(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	f.direct("waits", bosley)
	old := f.direct("waits for days", bosley)
	f.exec("UPDATE marketing_events SET created_at = UTC_TIMESTAMP(6) - INTERVAL 3 DAY WHERE id = ?", old)
	f.rollUpAll()
	for hours := range 30 { // the first hour of the window counts whole
		f.exec(`INSERT INTO event_stats (hour, storefront_id, destination, outcome, reason, n)
			VALUES (DATE_FORMAT(UTC_TIMESTAMP() - INTERVAL ? HOUR, '%Y-%m-%d %H:00:00'), ?, '', 'failed', 'exhausted', 100)`, hours, bosley)
	}
	totals, err := f.LiveTotals(t.Context())
	require.NoError(t, err)
	now := time.Now()
	stats, err := f.Stats(t.Context(), 0, now.Add(-24*time.Hour), now)
	require.NoError(t, err)
	require.Len(t, stats.Storefronts, 1)
	day := stats.Storefronts[0]
	require.EqualValues(t, 2500, day.Failed[relay.ReasonExhausted])
	require.Equal(t, ops.LiveTotals{Received: day.Received, Failed: 2500, Open: day.Open}, totals)
	require.EqualValues(t, 1, totals.Open, "the older one is of an earlier day")
}
