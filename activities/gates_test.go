package activities_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay"
	"relay/activities"
)

func TestGates(t *testing.T) {
	t.Parallel()

	t.Run("one storefront's tries leave room for another's", func(t *testing.T) {
		t.Parallel()
		g := &activities.Gates{PerStorefront: 2}
		for range 2 {
			_, wait := g.Enter(t.Context(), 1, "sgtm", relay.Limits{})
			require.Zero(t, wait)
		}
		_, wait := g.Enter(t.Context(), 1, "meta_capi", relay.Limits{})
		require.Positive(t, wait)
		_, wait = g.Enter(t.Context(), 2, "sgtm", relay.Limits{})
		require.Zero(t, wait)
	})

	t.Run("a destination's limit in flight holds, and a try that ends makes room", func(t *testing.T) {
		t.Parallel()
		g := &activities.Gates{}
		leave, wait := g.Enter(t.Context(), 1, "ga4", relay.Limits{InFlight: 1})
		require.Zero(t, wait)
		_, wait = g.Enter(t.Context(), 1, "ga4", relay.Limits{InFlight: 1})
		require.Positive(t, wait)
		leave()
		require.Zero(t, g.Len(), "a gate that nobody stands at is forgotten")
		_, wait = g.Enter(t.Context(), 1, "ga4", relay.Limits{InFlight: 1})
		require.Zero(t, wait)
	})

	t.Run("a rate is kept: a short wait at the gate, a longer one elsewhere", func(t *testing.T) {
		t.Parallel()
		now := time.Now()
		g := &activities.Gates{Now: func() time.Time { return now }}
		begin := time.Now()
		sent, turnedAway := 0, 0
		for range 10 {
			if leave, wait := g.Enter(t.Context(), 1, "ga4", relay.Limits{PerSecond: 10}); wait == 0 {
				sent++
				leave()
			} else {
				require.GreaterOrEqual(t, wait, 500*time.Millisecond)
				turnedAway++
			}
		}
		require.Equal(t, 6, sent, "one at once, five within the half second that a try waits")
		require.Equal(t, 4, turnedAway)
		require.GreaterOrEqual(t, time.Since(begin), 500*time.Millisecond)
	})

	t.Run("a destination that asks for fewer requests gets none until then", func(t *testing.T) {
		t.Parallel()
		now := time.Now()
		g := &activities.Gates{Now: func() time.Time { return now }}
		g.Close(1, "ga4", time.Minute)
		_, wait := g.Enter(t.Context(), 1, "ga4", relay.Limits{})
		require.GreaterOrEqual(t, wait, time.Minute)
		_, wait = g.Enter(t.Context(), 2, "ga4", relay.Limits{})
		require.Zero(t, wait, "another storefront's credential is another matter")
		now = now.Add(time.Minute)
		_, wait = g.Enter(t.Context(), 1, "ga4", relay.Limits{})
		require.Zero(t, wait)
	})
}
