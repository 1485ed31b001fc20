package db_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/internal/ops"
	"relay/internal/relay"
)

// sick makes a destination of a storefront unhealthy; its probe is due in a minute.
func (f *fixture) sick(storefront int64, destination string) {
	f.t.Helper()
	require.NoError(f.t, f.RecordFailure(f.t.Context(), storefront, destination,
		relay.Failure{Reason: relay.ReasonServerError, Status: 503, Down: true, Probe: time.Minute}))
}

// failedAt inserts an event that failed at a destination.
func (f *fixture) failedAt(eventID string, storefront int64, destination string, reason relay.Reason) int64 {
	f.t.Helper()
	id := f.direct(eventID, storefront)
	f.taken(id, "r-"+eventID)
	require.NoError(f.t, f.Finish(f.t.Context(), id, "r-"+eventID, relay.Conclude(relay.Route{}, []relay.DeliveryResult{
		{Destination: destination, Outcome: relay.Rejected, Reason: reason}})))
	return id
}

func TestManyFailuresThatLastMakeADestinationUnhealthy(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	f.container(bosley, ops.SGTMConfig{})
	f.platform(bosley, "ga4")
	id := f.direct("1", bosley)
	f.taken(id, "r1")
	health := func() relay.Health {
		d, err := f.Delivery(t.Context(), id, "r1", relay.SGTM)
		require.NoError(t, err)
		return d.Health
	}
	fails := func(n int) {
		for range n {
			require.NoError(t, f.RecordFailure(t.Context(), bosley, relay.SGTM,
				relay.Failure{Reason: relay.ReasonServerError, Status: 503, Lasted: time.Minute, Probe: 15 * time.Second}))
		}
	}
	ages := func(seconds int) {
		f.exec("UPDATE destination_health SET failing_since = UTC_TIMESTAMP(6) - INTERVAL ? SECOND", seconds)
	}
	require.Zero(t, health())

	t.Run("many failures within a moment do not", func(t *testing.T) {
		fails(10 * relay.UnhealthyAfter)
		require.Equal(t, 10*relay.UnhealthyAfter, health().Failures)
		require.False(t, health().Unhealthy)
		require.Equal(t, relay.ReasonServerError, health().Reason)
		require.Equal(t, 503, health().Status)
	})

	t.Run("neither a few over a long time, nor many after a success", func(t *testing.T) {
		replay, err := f.RecordSuccess(t.Context(), bosley, relay.SGTM)
		require.NoError(t, err)
		require.Zero(t, replay)
		require.Zero(t, health())
		fails(1)
		ages(3600)
		fails(relay.UnhealthyAfter - 2)
		require.False(t, health().Unhealthy)
	})

	t.Run("many over a long time do", func(t *testing.T) {
		fails(1)
		require.True(t, health().Unhealthy)
		require.False(t, f.probes(bosley, relay.SGTM), "the first probe comes 15 s later")
		f.exec("UPDATE destination_health SET probe_at = UTC_TIMESTAMP(6)")
		require.Equal(t, 1, f.probesOf(8, bosley, relay.SGTM), "one of many")
		require.Equal(t, 1, health().Probes)
	})

	t.Run("the first success starts the replay of the failed events, once", func(t *testing.T) {
		since := health().Since
		replay, err := f.RecordSuccess(t.Context(), bosley, relay.SGTM)
		require.NoError(t, err)
		require.Zero(t, health())
		again, err := f.RecordSuccess(t.Context(), bosley, relay.SGTM)
		require.NoError(t, err)
		require.Zero(t, again)
		r, err := f.Replay(t.Context(), replay)
		require.NoError(t, err)
		require.Equal(t, ops.ReplayRunning, r.State)
		require.Equal(t, bosley, r.Filter.StorefrontID)
		require.Equal(t, relay.SGTM, r.Filter.Destination)
		require.Equal(t, since.Add(-72*time.Hour), r.Filter.From, "an event may have waited long before it failed")
		require.ElementsMatch(t, []relay.Reason{relay.ReasonExhausted, relay.ReasonUnhealthy, relay.ReasonUnauthorized}, r.Filter.Reasons)
	})

	t.Run("a refused credential does at once, for its storefront only", func(t *testing.T) {
		f.sick(bosley, "ga4")
		require.Equal(t, 1, f.count("SELECT COUNT(*) FROM destination_health WHERE unhealthy_since IS NOT NULL"))
	})
}

// probes reports whether an attempt may probe a destination.
func (f *fixture) probes(storefront int64, destination string) bool {
	f.t.Helper()
	ok, err := f.Probe(f.t.Context(), storefront, destination, time.Minute)
	require.NoError(f.t, err)
	return ok
}

// probesOf returns how many of n concurrent attempts may probe a destination.
func (f *fixture) probesOf(n int, storefront int64, destination string) int {
	var wg sync.WaitGroup
	var let atomic.Int32
	for range n {
		wg.Go(func() {
			if ok, err := f.Probe(f.t.Context(), storefront, destination, time.Minute); err == nil && ok {
				let.Add(1)
			}
		})
	}
	wg.Wait()
	return int(let.Load())
}

func TestTheRelayChoosesItsProbesAmongFailedEvents(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley, pfizer := f.storefront("bosley"), f.storefront("pfizer")
	f.platform(bosley, "meta")
	place := relay.Place{StorefrontID: bosley, Destination: "meta"}
	due := func() []relay.UnhealthyDestination {
		list, err := f.DueProbes(t.Context(), time.Minute)
		require.NoError(t, err)
		return list
	}
	start := func(now bool) int64 {
		id, err := f.StartProbe(t.Context(), place, now, time.Hour, ops.AuditEntry{By: "ann", Action: "probe", Entity: "destinations"})
		require.NoError(t, err)
		return id
	}
	require.Empty(t, due())
	require.Zero(t, start(true), "a healthy destination needs no probe")

	f.sick(bosley, "meta")
	require.Empty(t, due(), "not yet")
	f.exec("UPDATE destination_health SET probe_at = UTC_TIMESTAMP(6)")
	list := due()
	require.Len(t, list, 1)
	require.Equal(t, place, list[0].Place)
	require.Equal(t, 503, list[0].Status)
	require.Empty(t, due(), "a place is returned once in a minute")

	require.Zero(t, start(false), "nothing failed there")
	require.True(t, f.probes(bosley, "meta"), "so that an arriving event may be the probe")
	f.failedAt("elsewhere", bosley, "ga4", relay.ReasonExhausted)
	f.failedAt("pfizer's", pfizer, "meta", relay.ReasonExhausted)
	f.failedAt("refused", bosley, "meta", relay.ReasonBadRequest)
	accepted := f.direct("accepted", bosley)
	f.taken(accepted, "r")
	require.NoError(t, f.Finish(t.Context(), accepted, "r", relay.Conclude(relay.Route{}, []relay.DeliveryResult{
		{Destination: "meta", Outcome: relay.Accepted}, {Destination: "ga4", Outcome: relay.Exhausted, Reason: relay.ReasonExhausted}})))
	require.Zero(t, start(true), "there is no event that a recovery would send again")

	id := f.failedAt("turned away", bosley, "meta", relay.ReasonUnhealthy)
	require.Zero(t, start(false), "the next probe is not due")
	require.Zero(t, f.count("SELECT COUNT(*) FROM admin_audit WHERE action = 'probe'"))
	require.Equal(t, id, start(true))
	status, _ := f.status(id)
	require.Equal(t, relay.StatusPending, status)
	require.Equal(t, 1, f.count("SELECT COUNT(*) FROM admin_audit WHERE action = 'probe' AND actor = 'ann'"))
	f.taken(id, "r2")
	d, err := f.Delivery(t.Context(), id, "r2", "meta")
	require.NoError(t, err)
	require.Equal(t, id, d.Health.ProbeEvent)
	require.False(t, f.probes(bosley, "meta"), "the next one comes an hour later")
	require.Zero(t, start(true), "its event is in delivery")
}

func TestReconciliationListsRowsWithExpiredLeases(t *testing.T) {
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
	require.Empty(t, rows, "a row that was just taken is not checked")
	f.exec("UPDATE marketing_events SET claimed_until = UTC_TIMESTAMP(6) - INTERVAL (id % 3) MINUTE - INTERVAL 1 SECOND")

	var got []int64
	var last *ops.HeldRow
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

	require.NoError(t, f.RecordReconciliation(t.Context(), ops.Reconciliation{Checked: 10, Reopened: 1}))
	require.NoError(t, f.RecordReconciliation(t.Context(), ops.Reconciliation{Checked: 9, Cancelled: 2}))
	r, inAll, err := f.Reconciliation(t.Context())
	require.NoError(t, err)
	require.Equal(t, []int{9, 0, 2}, []int{r.Checked, r.Reopened, r.Cancelled})
	require.EqualValues(t, 3, inAll)
	require.False(t, r.At.IsZero())
}

func TestAnEventEndsForAnUnhealthyDestinationOnlyWhileItIsUnhealthy(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	f.platform(bosley, "meta")
	turnedAway := relay.Conclude(relay.Route{}, []relay.DeliveryResult{
		{Destination: "ga4", Outcome: relay.Accepted}, {Destination: "meta", Outcome: relay.Rejected, Reason: relay.ReasonUnhealthy}})
	require.Equal(t, relay.ReasonUnhealthy, turnedAway.Reason)
	require.NoError(t, f.RecordFailure(t.Context(), bosley, "meta", relay.Failure{Reason: relay.ReasonServerError, Down: true, Probe: 30 * time.Second}))

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
	require.Equal(t, relay.StatusProcessing, status, "the replay may have passed it: its run continues")

	t.Run("a cancelled event is not sent again", func(t *testing.T) {
		cancelled := turnedAway
		cancelled.Reason = relay.ReasonCancelled
		require.NoError(t, f.Finish(t.Context(), late, "r2", cancelled))
		status, _ = f.status(late)
		require.Equal(t, relay.StatusFailed, status)
	})
}

func TestAnEventWhoseAttemptsRanOutJustBeforeARecoveryIsSentAgain(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	f.platform(bosley, "meta")
	exhausted := relay.Conclude(relay.Route{}, []relay.DeliveryResult{{Destination: "meta", Outcome: relay.Exhausted, Reason: relay.ReasonExhausted}})
	finish := func(order string, destination string, age time.Duration) int64 {
		id := f.direct(order, bosley)
		f.taken(id, "r")
		require.NoError(t, f.RecordSending(t.Context(), relay.Attempt{AttemptID: order, EventID: id, Destination: destination, Number: 5,
			StartedAt: time.Now().Add(-age), Result: relay.Result{Outcome: relay.Retry}}))
		require.NoError(t, f.Finish(t.Context(), id, "r", exhausted))
		return id
	}
	state := func(id int64) relay.Status {
		status, _ := f.status(id)
		return status
	}
	require.Equal(t, relay.StatusFailed, state(finish("without trouble", "meta", time.Minute)))
	f.sick(bosley, "meta")
	require.Equal(t, relay.StatusFailed, state(finish("in an outage", "meta", time.Minute)), "the recovery will find it")
	_, err := f.RecordSuccess(t.Context(), bosley, "meta")
	require.NoError(t, err)
	require.Equal(t, relay.StatusPending, state(finish("before the recovery", "meta", time.Minute)), "the replay may have passed its position")
	f.exec("UPDATE destination_health SET recovered_at = recovered_at - INTERVAL 1 HOUR")
	require.Equal(t, relay.StatusFailed, state(finish("after the recovery", "meta", time.Minute)))
}
