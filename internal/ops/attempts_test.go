package ops_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/internal/ops"
	"relay/internal/relay"
)

func TestAttemptRangeCoversTheDuration(t *testing.T) {
	t.Parallel()
	for took, le := range map[time.Duration]int{0: 5, 5 * time.Millisecond: 5, 5*time.Millisecond + 1: 10, 99 * time.Millisecond: 100,
		10 * time.Second: 10_000, 11 * time.Second: 30_000, time.Hour: 30_000} {
		require.Equal(t, le, ops.AttemptRange(took), took)
	}
}

func TestPercentilesAreInterpolated(t *testing.T) {
	t.Parallel()
	s := ops.NewAttemptStats("", "")
	require.Zero(t, s.Percentile(.5))
	s.Add(relay.Accepted, 200, 100, 50) // 50 to 100 ms
	require.InDelta(t, 75, s.Percentile(.5), .01)
	require.InDelta(t, 100, s.Percentile(1), .01)
	s.Add(relay.Retry, 503, 1000, 50) // 500 to 1000 ms
	require.InDelta(t, 100, s.Percentile(.5), .01)
	require.InDelta(t, 950, s.Percentile(.95), .01)
	require.Equal(t, int64(50), s.Failed())
	require.Equal(t, map[int]int64{200: 50, 503: 50}, s.Statuses)
}
