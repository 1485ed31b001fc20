package db_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

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
	for _, byHour := range []bool{false, true} {
		total, list, err := f.AttemptStats(t.Context(), ops.AttemptsQuery{From: minute, To: minute.Add(time.Hour), ByHour: byHour})
		require.NoError(t, err)
		require.Equal(t, int64(2800), total.N)
		require.Len(t, list, 700)
	}
	require.Equal(t, 1400, f.count("SELECT COUNT(*) FROM attempt_stats"))
	require.NoError(t, f.AddAttempts(t.Context(), nil))
}

func TestOldCountsOfAttemptsArePurged(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	insert := func(minutes, days int) {
		f.exec("INSERT INTO attempt_stats (minutes, at, storefront_id, destination, outcome, le_ms, n) VALUES (?, UTC_TIMESTAMP() - INTERVAL ? DAY, 1, 'ga4', 'accepted', 50, 1)", minutes, days)
	}
	insert(1, 6)
	insert(1, 8)
	insert(60, 8)
	insert(60, 91)
	insert(60, 93)
	more, err := f.PurgeAttemptStats(t.Context())
	require.NoError(t, err)
	require.False(t, more)
	require.Equal(t, 1, f.count("SELECT COUNT(*) FROM attempt_stats WHERE minutes = 1"))
	require.Equal(t, 2, f.count("SELECT COUNT(*) FROM attempt_stats WHERE minutes = 60"))
}
