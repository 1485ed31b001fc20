package db_test

import (
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/db"
	"relay/internal/ops"
	"relay/internal/relay"
)

func TestCountsOfAttemptsAddUp(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	f.storefront("bosley")
	minute := time.Now().UTC().Truncate(time.Hour)
	counts := map[ops.AttemptKey]int64{}
	for n := range 700 {
		key := ops.AttemptKey{Minute: minute.Add(time.Duration(n%30) * time.Minute), Storefront: "bosley", Destination: fmt.Sprint("d", n), Outcome: relay.Accepted, Status: 200, Range: 50}
		counts[key] = 2
	}
	for range 2 {
		require.NoError(t, f.AddAttempts(t.Context(), counts))
	}
	for _, step := range ops.AttemptSteps() {
		total, list, err := f.AttemptStats(t.Context(), ops.AttemptsQuery{From: step.Begin(minute), To: minute.Add(time.Hour), Step: step})
		require.NoError(t, err)
		require.Equal(t, int64(2800), total.N)
		require.Len(t, list, 700)
	}
	require.Equal(t, 2100, f.count("SELECT COUNT(*) FROM attempt_stats"))
	require.NoError(t, f.AddAttempts(t.Context(), nil))
}

func TestOldCountsOfAttemptsArePurged(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	key := func(age time.Duration) ops.AttemptKey {
		return ops.AttemptKey{Minute: time.Now().Add(-age), Storefront: "bosley", Destination: "ga4", Outcome: relay.Accepted, Status: 204, Range: 50}
	}
	for _, age := range []time.Duration{0, 23 * time.Hour, 26 * time.Hour, 7 * aDay, 9 * aDay, 91 * aDay, 94 * aDay} {
		require.NoError(t, f.AddAttempts(t.Context(), map[ops.AttemptKey]int64{key(age): 1}))
	}
	var took []int64
	for range 6 {
		n, err := f.PurgeAttemptStats(t.Context(), 3)
		require.NoError(t, err)
		took = append(took, n)
	}
	require.Equal(t, []int64{3, 3, 3, 0, 0, 0}, took, "at most so many at once")
	for minutes, n := range map[int]int{1: 2, 60: 4, 1440: 6} {
		require.Equal(t, n, f.count("SELECT SUM(n) FROM attempt_stats WHERE minutes = ?", minutes), minutes)
	}
	for step, n := range map[ops.Step]int64{ops.StepMinute: 2, ops.StepHour: 4, ops.StepDay: 6} {
		total, _, err := f.AttemptStats(t.Context(), ops.AttemptsQuery{From: time.Now().Add(-92 * aDay), To: time.Now(), Step: step, StorefrontID: bosley})
		require.NoError(t, err)
		require.Equal(t, n, total.N, step)
	}
}

// TestPurgingCountsOfAttemptsDelaysNoCount holds the locks of a batch while a worker adds counts.
func TestPurgingCountsOfAttemptsDelaysNoCount(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	f.storefront("bosley")
	add := func(age time.Duration) error {
		return f.AddAttempts(shortly(t), map[ops.AttemptKey]int64{{Minute: time.Now().Add(-age), Storefront: "bosley", Destination: "ga4", Outcome: relay.Accepted, Range: 50}: 1})
	}
	require.NoError(t, add(2*aDay))
	tx, err := f.relayRaw().BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	require.NoError(t, err)
	defer func() { require.NoError(t, tx.Rollback()) }()
	query, args := db.PurgeCountsQuery(ops.StepMinute, 100)
	res, err := tx.ExecContext(t.Context(), query, args...)
	require.NoError(t, err)
	gone, err := res.RowsAffected()
	require.NoError(t, err)
	require.Equal(t, int64(1), gone)
	require.NoError(t, add(0), "the newest minute")
	require.NoError(t, add(25*time.Hour), "a minute in the range of the purge")
}

// TestABatchOfCountsCostsWhatItDeletes runs alone: it counts the reads of the whole server.
func TestABatchOfCountsCostsWhatItDeletes(t *testing.T) {
	f := migrated(t)
	f.exec(`INSERT INTO attempt_stats (minutes, at, storefront_id, destination, outcome, status, le_ms, n)
		WITH RECURSIVE k AS (SELECT 0 AS i UNION ALL SELECT i + 1 FROM k WHERE i < 199)
		SELECT 1, UTC_TIMESTAMP() - INTERVAL a.i * 20 MINUTE, b.i, 'ga4', 'accepted', 200, 50, 1 FROM k a JOIN k b`)
	f.exec("ANALYZE TABLE attempt_stats")
	old := f.count("SELECT COUNT(*) FROM attempt_stats WHERE at < UTC_TIMESTAMP() - INTERVAL 1441 MINUTE")
	require.Greater(t, old, 20_000)
	var gone int64
	var err error
	reads := f.readsOf(func() { gone, err = f.PurgeAttemptStats(t.Context(), 1000) })
	require.NoError(t, err)
	require.Equal(t, int64(1000), gone)
	require.LessOrEqual(t, reads, 1100)
	for gone > 0 {
		gone, err = f.PurgeAttemptStats(t.Context(), 5000)
		require.NoError(t, err)
	}
	require.Equal(t, 40_000-old, f.count("SELECT COUNT(*) FROM attempt_stats"))
}

func TestDestinationsKnowTheirLatestAttempts(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	f.platform(bosley, "ga4")
	f.platform(bosley, "tiktok")
	of := func(destination string) ops.LastAttempts {
		list, _ := f.destinations(ops.DestinationQuery{Destination: destination})
		require.Len(t, list, 1)
		return list[0].LastAttempts
	}
	require.Zero(t, of("ga4"))
	at := time.Now().UTC().Truncate(time.Microsecond)
	for _, c := range []struct{ attempt, accepted, wantAttempt, wantAccepted time.Time }{
		{attempt: at, wantAttempt: at},
		{attempt: at.Add(-time.Hour), accepted: at.Add(-time.Hour), wantAttempt: at, wantAccepted: at.Add(-time.Hour)},
		{attempt: at.Add(time.Second), wantAttempt: at.Add(time.Second), wantAccepted: at.Add(-time.Hour)},
		{attempt: at.Add(-time.Minute), accepted: at.Add(-time.Minute), wantAttempt: at.Add(time.Second), wantAccepted: at.Add(-time.Minute)},
		{attempt: at.Add(-2 * time.Hour), accepted: at.Add(-2 * time.Hour), wantAttempt: at.Add(time.Second), wantAccepted: at.Add(-time.Minute)},
	} {
		last := ops.LastAttempts{Attempt: c.attempt, Accepted: c.accepted}
		require.NoError(t, f.NoteAttempts(t.Context(), map[ops.AttemptPlace]ops.LastAttempts{
			{Storefront: "bosley", Destination: "ga4"}: last, {Storefront: "gone", Destination: "ga4"}: last, {Storefront: "bosley", Destination: "sgtm"}: last}))
		require.Equal(t, ops.LastAttempts{Attempt: c.wantAttempt, Accepted: c.wantAccepted}, of("ga4"))
	}
	require.Zero(t, of("tiktok"))
	require.Equal(t, 2, f.count("SELECT COUNT(*) FROM destination_activity"))
	require.NoError(t, f.NoteAttempts(t.Context(), nil))
}
