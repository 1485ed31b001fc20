package db_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"relay"
)

func TestTwentyFailuresInARowMakeADestinationUnhealthy(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	id := f.direct("1", bosley)
	f.taken(id, "r1")
	health := func() relay.Health {
		d, err := f.Delivery(t.Context(), id, "r1", relay.SGTM)
		require.NoError(t, err)
		return d.Health
	}
	require.Zero(t, health())
	for range relay.UnhealthyAfter - 1 {
		require.NoError(t, f.RecordFailure(t.Context(), bosley, relay.SGTM, relay.ReasonServerError, false))
	}
	require.Equal(t, relay.UnhealthyAfter-1, health().Failures)
	require.False(t, health().Unhealthy)
	require.NoError(t, f.RecordFailure(t.Context(), bosley, relay.SGTM, relay.ReasonServerError, false))
	require.True(t, health().Unhealthy)

	t.Run("a probe is let through when its time has come, one of many", func(t *testing.T) {
		probe, err := f.Probe(t.Context(), bosley, relay.SGTM)
		require.NoError(t, err)
		require.False(t, probe, "the first comes 30 s after the destination became unhealthy")
		f.exec("UPDATE destination_health SET probe_at = UTC_TIMESTAMP(6)")
		var wg sync.WaitGroup
		var let atomic.Int32
		for range 8 {
			wg.Go(func() {
				if ok, err := f.Probe(t.Context(), bosley, relay.SGTM); err == nil && ok {
					let.Add(1)
				}
			})
		}
		wg.Wait()
		require.EqualValues(t, 1, let.Load())
	})

	t.Run("the first success begins the replay of what failed meanwhile, once", func(t *testing.T) {
		since := health().Since
		replay, err := f.RecordSuccess(t.Context(), bosley, relay.SGTM)
		require.NoError(t, err)
		require.Zero(t, health())
		again, err := f.RecordSuccess(t.Context(), bosley, relay.SGTM)
		require.NoError(t, err)
		require.Zero(t, again)
		r, err := f.Replay(t.Context(), replay)
		require.NoError(t, err)
		require.Equal(t, relay.ReplayRunning, r.State)
		require.Equal(t, bosley, r.Filter.StorefrontID)
		require.Equal(t, relay.SGTM, r.Filter.Destination)
		require.True(t, r.Filter.From.Before(since))
		require.ElementsMatch(t, []relay.Reason{relay.ReasonExhausted, relay.ReasonUnhealthy, relay.ReasonUnauthorized}, r.Filter.Reasons)
	})

	t.Run("a refused credential does it at once, for its storefront alone", func(t *testing.T) {
		require.NoError(t, f.RecordFailure(t.Context(), bosley, "ga4", relay.ReasonUnauthorized, true))
		require.Equal(t, 1, f.count("SELECT COUNT(*) FROM destination_health WHERE unhealthy_since IS NOT NULL"))
	})
}

func TestReconciliationSeesRowsThatARunHasHadForLong(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	var want []int64
	for _, code := range []string{"bosley", "pfizer"} {
		storefront := f.storefront(code)
		for n := range 5 {
			id := f.direct(code+string(rune('0'+n)), storefront)
			f.taken(id, "r1")
			want = append(want, id)
		}
	}
	rows, err := f.Processing(t.Context(), nil, 100)
	require.NoError(t, err)
	require.Empty(t, rows, "a row that was just taken is nobody's worry")
	f.exec("UPDATE marketing_events SET claimed_until = UTC_TIMESTAMP(6) - INTERVAL (id % 3) MINUTE - INTERVAL 1 SECOND")

	var got []int64
	var last *relay.Owned
	for {
		page, err := f.Processing(t.Context(), last, 3)
		require.NoError(t, err)
		if len(page) == 0 {
			break
		}
		for _, o := range page {
			require.Equal(t, "r1", o.Run)
			got = append(got, o.ID)
		}
		last = &page[len(page)-1]
	}
	require.ElementsMatch(t, want, got)

	reopened, err := f.Reopen(t.Context(), want[0], "another run")
	require.NoError(t, err)
	require.False(t, reopened)
	reopened, err = f.Reopen(t.Context(), want[0], "r1")
	require.NoError(t, err)
	require.True(t, reopened)
	status, _ := f.status(want[0])
	require.Equal(t, relay.StatusPending, status)

	require.NoError(t, f.RecordReconciliation(t.Context(), relay.Reconciliation{Checked: 10, Reopened: 1}))
	require.NoError(t, f.RecordReconciliation(t.Context(), relay.Reconciliation{Checked: 9, Cancelled: 2}))
	r, inAll, err := f.Reconciliation(t.Context())
	require.NoError(t, err)
	require.Equal(t, []int{9, 0, 2}, []int{r.Checked, r.Reopened, r.Cancelled})
	require.EqualValues(t, 3, inAll)
	require.False(t, r.At.IsZero())
}

func TestAnEventEndsForADestinationsHealthOnlyWhileThatIsBad(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	turnedAway := relay.Conclude(relay.Route{}, []relay.End{
		{Destination: "ga4", Outcome: relay.Accepted}, {Destination: "meta", Outcome: relay.Rejected, Reason: relay.ReasonUnhealthy}})
	require.Equal(t, relay.ReasonUnhealthy, turnedAway.Reason)
	require.NoError(t, f.RecordFailure(t.Context(), bosley, "meta", relay.ReasonServerError, true))

	early := f.direct("1", bosley)
	f.taken(early, "r1")
	require.NoError(t, f.Finish(t.Context(), early, "r1", turnedAway))
	status, reason := f.status(early)
	require.Equal(t, relay.StatusFailed, status)
	require.Equal(t, relay.ReasonUnhealthy, reason)

	_, err := f.RecordSuccess(t.Context(), bosley, "meta")
	require.NoError(t, err)
	late := f.direct("2", bosley)
	f.taken(late, "r2")
	require.ErrorIs(t, f.Finish(t.Context(), late, "r2", turnedAway), relay.ErrRecovered)
	status, _ = f.status(late)
	require.Equal(t, relay.StatusProcessing, status, "the replay may have passed it: its run goes on")

	t.Run("but for one that was cancelled", func(t *testing.T) {
		cancelled := turnedAway
		cancelled.Reason = relay.ReasonCancelled
		require.NoError(t, f.Finish(t.Context(), late, "r2", cancelled))
		status, _ = f.status(late)
		require.Equal(t, relay.StatusFailed, status)
	})
}
