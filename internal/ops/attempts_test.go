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

func TestAWindowIsCountedByTheShortestStepThatIsKept(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 15, 10, 25, 31, 0, time.UTC)
	for _, c := range []struct {
		ago, length time.Duration
		want        ops.Step
	}{
		{time.Hour, time.Hour, ops.StepMinute},
		{2 * time.Hour, 2 * time.Hour, ops.StepMinute},
		{24 * time.Hour, time.Hour, ops.StepMinute},
		{24*time.Hour + 1, time.Hour, ops.StepHour},
		{2*time.Hour + 1, 2*time.Hour + 1, ops.StepHour},
		{72 * time.Hour, 72 * time.Hour, ops.StepHour},
		{8 * 24 * time.Hour, time.Hour, ops.StepHour},
		{8*24*time.Hour + 1, time.Hour, ops.StepDay},
		{72*time.Hour + 1, 72*time.Hour + 1, ops.StepDay},
		{92 * 24 * time.Hour, 92 * 24 * time.Hour, ops.StepDay},
	} {
		from := now.Add(-c.ago)
		require.Equal(t, c.want, ops.AttemptStep(from, from.Add(c.length), now), "%s ago, %s long", c.ago, c.length)
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
