package activities_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"relay/activities"
	"relay/internal/relay"
)

const perAttempt = 15 * time.Second // an activity's time

func TestLimiter(t *testing.T) {
	t.Parallel()

	t.Run("one storefront's attempts leave room for another's", func(t *testing.T) {
		t.Parallel()
		g := &activities.Limiter{PerStorefront: 2}
		for event := range int64(2) {
			_, wait := g.Enter(t.Context(), 1, "sgtm", event, relay.Limits{})
			require.Zero(t, wait)
		}
		_, wait := g.Enter(t.Context(), 1, "meta_capi", 3, relay.Limits{})
		require.Positive(t, wait)
		_, wait = g.Enter(t.Context(), 2, "sgtm", 4, relay.Limits{})
		require.Zero(t, wait)
	})

	t.Run("a destination's limit in flight holds until an attempt ends", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			g := &activities.Limiter{}
			leave, wait := g.Enter(t.Context(), 1, "ga4", 1, relay.Limits{InFlight: 1})
			require.Zero(t, wait)
			_, wait = g.Enter(t.Context(), 1, "ga4", 2, relay.Limits{InFlight: 1})
			require.Positive(t, wait)
			leave()
			_, wait = g.Enter(t.Context(), 1, "ga4", 3, relay.Limits{InFlight: 1})
			require.Zero(t, wait)
		})
	})

	t.Run("a queue without limits is removed", func(t *testing.T) {
		t.Parallel()
		g := &activities.Limiter{}
		leave, wait := g.Enter(t.Context(), 1, "ga4", 1, relay.Limits{})
		require.Zero(t, wait)
		leave()
		require.Zero(t, g.Len())
	})

	t.Run("a destination that asks for fewer requests receives none until then", func(t *testing.T) {
		t.Parallel()
		now := time.Now()
		g := &activities.Limiter{Now: func() time.Time { return now }}
		g.Close(1, "ga4", time.Minute)
		_, wait := g.Enter(t.Context(), 1, "ga4", 1, relay.Limits{})
		require.GreaterOrEqual(t, wait, time.Minute)
		_, wait = g.Enter(t.Context(), 2, "ga4", 1, relay.Limits{})
		require.Zero(t, wait, "another storefront's credential is independent")
		now = now.Add(time.Minute)
		_, wait = g.Enter(t.Context(), 1, "ga4", 1, relay.Limits{})
		require.Zero(t, wait)
	})

	t.Run("the limits are divided by the workers, at least one in flight each", func(t *testing.T) {
		t.Parallel()
		for _, c := range []struct{ workers, inFlight, want int }{{0, 4, 4}, {1, 4, 4}, {2, 4, 2}, {3, 4, 1}, {9, 4, 1}} {
			g := &activities.Limiter{Workers: func() int { return c.workers }}
			sent := 0
			ctx, cancel := context.WithCancel(t.Context())
			cancel() // nothing waits here
			for event := range int64(10) {
				if _, wait := g.Enter(ctx, 1, "ga4", event, relay.Limits{InFlight: c.inFlight}); wait == 0 {
					sent++
				}
			}
			require.Equal(t, c.want, sent, "%d places, %d workers", c.inFlight, c.workers)
		}
	})

	t.Run("the capacity follows the duration of attempts", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			g := &activities.Limiter{}
			l := relay.Limits{InFlight: 1}
			require.Equal(t, 10, g.Capacity(1, "ga4", l, 10*time.Second), "without estimates, one second each")
			for n := range int64(8) {
				require.Equal(t, 10, g.Capacity(1, "ga4", l, 10*time.Second), "the first attempts do not count")
				leave, _ := g.Enter(t.Context(), 1, "ga4", n, l)
				time.Sleep(50 * time.Millisecond)
				leave()
			}
			require.Equal(t, 200, g.Capacity(1, "ga4", l, 10*time.Second))
			require.Equal(t, 50, g.Capacity(1, "ga4", relay.Limits{InFlight: 1, PerSecond: 5}, 10*time.Second))
			require.Equal(t, 1, g.Capacity(1, "ga4", relay.Limits{PerSecond: 1.0 / 600}, 10*time.Second), "never zero")
		})
	})
}

// An attempt that does not wait for its turn receives the wait, as soon as the limiter can estimate it.
func TestAnAttemptThatDoesNotWaitLearnsHowLongToStayAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, l := &activities.Limiter{}, relay.Limits{InFlight: 1}
		leave, _ := g.EnterNow(1, "ga4", 1, l)
		require.NotNil(t, leave)
		for event := range int64(50) {
			_, wait := g.EnterNow(1, "ga4", 100+event, l)
			require.Zero(t, wait, "there is no estimate yet")
		}
		time.Sleep(100 * time.Millisecond)
		leave()
		time.Sleep(time.Minute) // those never returned
		for event := range int64(8) {
			leave, _ := g.EnterNow(1, "ga4", 200+event, l)
			require.NotNil(t, leave)
			time.Sleep(100 * time.Millisecond)
			leave()
		}
		leave, _ = g.EnterNow(1, "ga4", 300, l)
		longest := time.Duration(0)
		for event := range int64(50) {
			_, wait := g.EnterNow(1, "ga4", 301+event, l)
			require.GreaterOrEqual(t, wait, longest)
			longest = wait
		}
		require.InDelta(t, 50*0.1, longest.Seconds(), 2, "well before its turn")
		leave()
	})
}

// The waits of a limited destination's events are few, in the order of arrival, and leave no place unused.
func TestEventsOfALimitedDestinationAreSentInOrderOfArrival(t *testing.T) {
	t.Parallel()
	const n = 2000
	for name, c := range map[string]struct {
		limits  relay.Limits
		takes   time.Duration
		workers int
		bound   time.Duration // all are sent
		waits   int
	}{
		"one in flight":            {relay.Limits{InFlight: 1}, 50 * time.Millisecond, 1, 105 * time.Second, 2},
		"one in flight, slowly":    {relay.Limits{InFlight: 1}, 2 * time.Second, 1, 4200 * time.Second, 3},
		"four in flight":           {relay.Limits{InFlight: 4}, 200 * time.Millisecond, 1, 105 * time.Second, 2},
		"ten a second":             {relay.Limits{PerSecond: 10}, time.Millisecond, 1, 205 * time.Second, 2},
		"one a second":             {relay.Limits{PerSecond: 1}, time.Millisecond, 1, 2050 * time.Second, 4},
		"both":                     {relay.Limits{InFlight: 2, PerSecond: 10}, 100 * time.Millisecond, 1, 205 * time.Second, 2},
		"ten a second, 3 workers":  {relay.Limits{PerSecond: 10}, time.Millisecond, 3, 260 * time.Second, 6},
		"six in flight, 3 workers": {relay.Limits{InFlight: 6}, 300 * time.Millisecond, 3, 130 * time.Second, 6},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := &crowd{takes: c.takes, limits: func() relay.Limits { return c.limits }}
				for range c.workers {
					r.limiters = append(r.limiters, &activities.Limiter{Workers: func() int { return c.workers }})
				}
				r.run(t, n)
				require.Len(t, r.order, n)
				if c.limits.InFlight > 0 {
					require.LessOrEqual(t, r.most, c.limits.InFlight)
				}
				took := r.last.Sub(r.first)
				t.Logf("%s, displaced %d, waits %d", took, r.displaced(), r.mostWaits())
				require.LessOrEqual(t, took, c.bound)
				if c.limits.PerSecond > 0 {
					require.GreaterOrEqual(t, took.Seconds(), float64(n-1)/c.limits.PerSecond*0.99)
				}
				// In the order of arrival within 5 %; several workers each keep their own queue.
				require.LessOrEqual(t, r.displaced(), c.workers*n/20)
				require.LessOrEqual(t, r.mostWaits(), c.waits)
			})
		})
	}
}

func TestReservationsOfEventsThatNeverReturnExpire(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &crowd{limiters: []*activities.Limiter{{}}, takes: time.Millisecond, limits: func() relay.Limits { return relay.Limits{PerSecond: 10} },
			gone: func(event int64) bool { return event%2 == 1 }}
		r.run(t, 400)
		require.Less(t, len(r.order), 400)
		require.LessOrEqual(t, r.last.Sub(r.first), 42*time.Second, "at most the time of all of them")
	})
}

func TestAChangedLimitHoldsForEventsThatWait(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ before, after float64 }{{1, 100}, {100, 1}} {
		t.Run(fmt.Sprint(c.before, " to ", c.after), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				r := &crowd{limiters: []*activities.Limiter{{}}, takes: time.Millisecond, limits: func() relay.Limits {
					if time.Since(begin) > 5*time.Second {
						return relay.Limits{PerSecond: c.after}
					}
					return relay.Limits{PerSecond: c.before}
				}}
				r.run(t, 1000)
				changed := 0
				for range r.order {
					changed++
				}
				require.Equal(t, 1000, changed)
				if c.after > c.before {
					require.LessOrEqual(t, r.last.Sub(begin), 30*time.Second)
				} else {
					require.GreaterOrEqual(t, r.last.Sub(begin), 450*time.Second, "an event that returned sooner waits again")
				}
			})
		})
	}
}

// A destination does not always take the same time. An estimate that was too long must not let later events pass for long.
func TestTheOrderIsKeptWhenTheTimeOfAnAttemptChanges(t *testing.T) {
	t.Parallel()
	const n, takes = 800, 60 * time.Millisecond
	for name, c := range map[string]struct {
		waits int
		slow  func(n int) time.Duration
	}{
		"the first is slow":      {3, func(n int) time.Duration { return at(n == 1, 500*time.Millisecond) }},
		"the first ten are slow": {3, func(n int) time.Duration { return at(n <= 10, 300*time.Millisecond) }},
		"one of fifty is slow":   {3, func(n int) time.Duration { return at(n%50 == 0, time.Second) }},
		"it hangs once":          {8, func(n int) time.Duration { return at(n == 100, 9*time.Second) }},
		"it becomes slow":        {5, func(n int) time.Duration { return at(n > 400, 200*time.Millisecond) }},
		"it becomes quick":       {4, func(n int) time.Duration { return at(n <= 400, 400*time.Millisecond) }},
		"it varies":              {3, func(int) time.Duration { return time.Duration(rand.IntN(120)) * time.Millisecond }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var slept time.Duration
				r := &crowd{limiters: []*activities.Limiter{{}}, takes: takes, limits: func() relay.Limits { return relay.Limits{InFlight: 1} },
					slow: func(n int) time.Duration {
						d := c.slow(n)
						slept += d
						return d
					}}
				r.run(t, n)
				took := r.last.Sub(r.first)
				t.Logf("%s, displaced %d, waits %d", took, r.displaced(), r.mostWaits())
				require.LessOrEqual(t, r.displaced(), n/10)
				require.LessOrEqual(t, r.mostWaits(), c.waits)
				require.LessOrEqual(t, took, slept+n*takes*21/20, "no place stays unused")
			})
		})
	}
}

func at(when bool, d time.Duration) time.Duration {
	if when {
		return d
	}
	return 0
}
