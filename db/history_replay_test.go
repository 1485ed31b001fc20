package db_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/db"
	"relay/internal/ops"
	"relay/internal/relay"
)

var notMappedAtMeta = relay.DeliveryResult{Destination: "meta", Outcome: relay.Skipped, Reason: relay.ReasonNotMapped}

func TestRetryResetsAFailedEventOnce(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	id := f.direct("o-1", f.storefront("bosley"))
	f.ended(id, relay.StatusFailed, relay.ReasonExhausted, exhaustedAtSGTM)
	var wg sync.WaitGroup
	results := make([]ops.RetryResult, 8)
	for i := range results {
		wg.Go(func() {
			r, err := f.RetryEvent(t.Context(), id)
			require.NoError(t, err)
			results[i] = r
		})
	}
	wg.Wait()
	done := 0
	for _, r := range results {
		require.Equal(t, relay.StatusPending, r.Status)
		require.Equal(t, 1, r.Generation)
		if r.Retried {
			done++
		}
	}
	require.Equal(t, 1, done)
	require.Equal(t, []int64{id}, ids(f.claim(aPage)), "PollInbox takes it at once")
	status, reason := f.status(id)
	require.Equal(t, relay.StatusPending, status)
	require.Empty(t, reason)
}

func TestRetryLeavesRunningAndDeliveredEvents(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	id := f.direct("o-1", f.storefront("bosley"))
	r, err := f.RetryEvent(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, ops.RetryResult{Status: relay.StatusPending}, r)
	f.taken(id, "r")
	r, err = f.RetryEvent(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, ops.RetryResult{Status: relay.StatusProcessing}, r)
	require.NoError(t, f.Finish(t.Context(), id, "r", relay.EventOutcome{Status: relay.StatusDelivered}))
	r, err = f.RetryEvent(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, ops.RetryResult{Status: relay.StatusDelivered}, r)
	_, err = f.RetryEvent(t.Context(), id+1)
	require.ErrorIs(t, err, relay.ErrNotFound)
}

func (f *fixture) replay(r ops.Replay) ops.Replay {
	f.t.Helper()
	if r.Rate == 0 {
		r.Rate = ops.DefaultReplayRate
	}
	created, err := f.CreateReplay(f.t.Context(), r)
	require.NoError(f.t, err)
	return created
}

func TestAReplayStartsEachMatchOnce(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	var failed []int64
	for _, s := range f.insert(newEvents(0, 12, bosley, "bosley")) {
		if s.ID%4 == 0 {
			f.ended(s.ID, relay.StatusDelivered, "", relay.DeliveryResult{Destination: relay.SGTM, Outcome: relay.Accepted})
			continue
		}
		f.ended(s.ID, relay.StatusFailed, relay.ReasonExhausted, exhaustedAtSGTM)
		failed = append(failed, s.ID)
	}
	r := f.replay(ops.Replay{Filter: ops.Filter{StorefrontID: bosley}, Matched: 9, By: "ann"})
	require.Equal(t, ops.ReplayRunning, r.State)
	open, err := f.OpenReplays(t.Context())
	require.NoError(t, err)
	require.Equal(t, []int64{r.ID}, open)
	later := f.direct("later", bosley)
	f.ended(later, relay.StatusFailed, relay.ReasonExhausted)

	started := 0
	for range 20 {
		step, err := f.StepReplay(t.Context(), r.ID, 2)
		require.NoError(t, err)
		require.LessOrEqual(t, step.Started, 2)
		started += step.Started
		// An event that this replay started and that failed again is not started again.
		for _, s := range f.claim(aPage) {
			f.ended(s.ID, relay.StatusFailed, relay.ReasonExhausted, exhaustedAtSGTM)
		}
		if step.Walked {
			break
		}
	}
	require.Equal(t, len(failed), started)
	step, err := f.SettleReplay(t.Context(), r.ID, 4)
	require.NoError(t, err)
	require.Equal(t, 4, step.Settled)
	step, err = f.SettleReplay(t.Context(), r.ID, 100)
	require.NoError(t, err)
	require.Equal(t, int64(9), step.Replay.Failed)
	require.Zero(t, step.Replay.InFlight())
	require.Zero(t, step.Replay.Remaining())
	status, _ := f.status(later)
	require.Equal(t, relay.StatusFailed, status, "events after the creation of the replay do not match")
	require.NoError(t, f.EndReplay(t.Context(), r.ID))
	r, err = f.Replay(t.Context(), r.ID)
	require.NoError(t, err)
	require.Equal(t, ops.ReplayDone, r.State)
	require.False(t, r.EndedAt.IsZero())
}

func TestAPausedReplayDoesNotStepAndCancelledIsFinal(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	id := f.direct("o-1", f.storefront("bosley"))
	f.ended(id, relay.StatusSkipped, relay.ReasonNotMapped, notMappedAtMeta)
	r := f.replay(ops.Replay{})
	require.NoError(t, f.SetReplayState(t.Context(), r.ID, ops.ReplayPaused))
	step, err := f.StepReplay(t.Context(), r.ID, 10)
	require.NoError(t, err)
	require.Zero(t, step.Started)
	require.Equal(t, ops.ReplayPaused, step.Replay.State)
	require.NoError(t, f.SetReplayState(t.Context(), r.ID, ops.ReplayCancelled))
	require.NoError(t, f.SetReplayState(t.Context(), r.ID, ops.ReplayRunning))
	step, err = f.StepReplay(t.Context(), r.ID, 10)
	require.NoError(t, err)
	require.Zero(t, step.Started)
	require.Equal(t, ops.ReplayCancelled, step.Replay.State)
}

// accept records that a destination accepted an event in its present generation.
func (f *fixture) accept(id int64, generation int, destination, attempt string) {
	f.t.Helper()
	require.NoError(f.t, f.RecordSending(f.t.Context(), relay.Attempt{AttemptID: attempt, EventID: id, Generation: generation,
		Destination: destination, Number: generation + 1, Result: relay.Result{Outcome: relay.Accepted}}))
}

func TestAResendIncludesDestinationsThatAccepted(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	id, other := f.direct("o-1", bosley), f.direct("o-2", bosley)
	for _, destination := range []string{"ga4", "meta"} {
		f.accept(id, 0, destination, "a-"+destination)
	}
	f.ended(id, relay.StatusDelivered, "", relay.DeliveryResult{Destination: "ga4", Outcome: relay.Accepted}, relay.DeliveryResult{Destination: "meta", Outcome: relay.Accepted})
	f.ended(other, relay.StatusDelivered, "", relay.DeliveryResult{Destination: "ga4", Outcome: relay.Accepted})
	resend := func(destination string) {
		r := f.replay(ops.Replay{Resend: []string{destination}, Filter: ops.Filter{Statuses: []relay.Status{relay.StatusDelivered}}})
		step, err := f.StepReplay(t.Context(), r.ID, 10)
		require.NoError(t, err)
		require.Equal(t, 1, step.Started, "the other event was never accepted there")
	}
	attempts := func() map[string]relay.AttemptSummary {
		s, err := f.Switches(t.Context(), id)
		require.NoError(t, err)
		for destination, t := range s.Attempts {
			t.Last, t.Age = "", 0
			s.Attempts[destination] = t
		}
		return s.Attempts
	}
	resend("meta")
	require.Equal(t, map[string]relay.AttemptSummary{"ga4": {Accepted: true}, "meta": {}}, attempts())
	f.accept(id, 1, "meta", "b-meta")
	require.Equal(t, map[string]relay.AttemptSummary{"ga4": {Accepted: true}, "meta": {Made: 1, Accepted: true}}, attempts())

	// A later retry does not send it a third time, and a later resend elsewhere does not undo this one.
	f.ended(id, relay.StatusFailed, relay.ReasonExhausted, relay.DeliveryResult{Destination: "meta", Outcome: relay.Accepted}, exhaustedAtSGTM)
	_, err := f.RetryEvent(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, map[string]relay.AttemptSummary{"ga4": {Accepted: true}, "meta": {Accepted: true}}, attempts())
	d, err := f.EventDetail(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, map[string]int{"meta": 1}, d.Resend)

	_, err = f.CreateReplay(t.Context(), ops.Replay{Resend: []string{`x"`}, Rate: 1})
	require.ErrorIs(t, err, db.ErrBadDestination)
}

func TestADryRunCountsByStorefrontDestinationAndReason(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley, pfizer := f.storefront("bosley"), f.storefront("pfizer")
	for i, s := range f.insert(newEvents(0, 4, bosley, "bosley")) { // of January: old
		f.ended(s.ID, relay.StatusFailed, relay.ReasonExhausted, exhaustedAtSGTM)
		switch i {
		case 0:
			f.exec("UPDATE marketing_events SET event_payload = 'broken', payload_digest = NULL WHERE id = ?", s.ID)
		case 1: // deeper than the JSON functions of either engine look
			f.exec("UPDATE marketing_events SET event_payload = ?, payload_digest = NULL WHERE id = ?",
				`{"event_time": "2026-01-15T10:25:00Z", "deep": `+strings.Repeat("[", 200)+strings.Repeat("]", 200)+"}", s.ID)
		}
	}
	id := f.direct("o-1", pfizer)
	f.ended(id, relay.StatusFailed, relay.ReasonBadRequest, relay.DeliveryResult{Destination: "ga4", Outcome: relay.Accepted},
		relay.DeliveryResult{Destination: "meta", Outcome: relay.Rejected, Reason: relay.ReasonBadRequest}, relay.DeliveryResult{Destination: "tiktok", Outcome: relay.Rejected, Reason: relay.ReasonTooOld})
	f.ended(f.direct("o-2", pfizer), relay.StatusSkipped, relay.ReasonNoActiveDestination)
	f.ended(f.direct("o-3", pfizer), relay.StatusDelivered, "")

	dry, err := f.DryRun(t.Context(), ops.Replay{}, func(storefront int64, destination string) time.Duration {
		require.NotEmpty(t, destination)
		return 7 * 24 * time.Hour
	})
	require.NoError(t, err)
	require.Equal(t, ops.DryRun{Events: 6, Tallies: []ops.Tally{
		{StorefrontID: bosley, StorefrontCode: "bosley", Destination: "sgtm", Reason: relay.ReasonExhausted, Events: 4, TooOld: 3},
		{StorefrontID: pfizer, StorefrontCode: "pfizer", Reason: relay.ReasonNoActiveDestination, Events: 1},
		{StorefrontID: pfizer, StorefrontCode: "pfizer", Destination: "meta", Reason: relay.ReasonBadRequest, Events: 1},
		{StorefrontID: pfizer, StorefrontCode: "pfizer", Destination: "tiktok", Reason: relay.ReasonTooOld, Events: 1},
	}}, named(dry, map[int64]string{pfizer: "pfizer"}))
	n, err := f.CountEvents(t.Context(), ops.Replay{}.Pick())
	require.NoError(t, err)
	require.Equal(t, dry.Events, n)
}

// named fills in the codes of unclaimed rows.
func named(d ops.DryRun, codes map[int64]string) ops.DryRun {
	for i, t := range d.Tallies {
		if t.StorefrontCode == "" {
			d.Tallies[i].StorefrontCode = codes[t.StorefrontID]
		}
	}
	return d
}

func TestADryRunReadsABoundedNumberOfEvents(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	const n = ops.DryRunBound + 7
	f.many(bosley, n)
	f.exec("UPDATE marketing_events SET status = 'failed', reason = 'exhausted', ends = ?", `[{"destination":"sgtm","outcome":"exhausted","reason":"exhausted"}]`)
	noLimit := func(int64, string) time.Duration { return 0 }
	dry, err := f.DryRun(t.Context(), ops.Replay{}, noLimit)
	require.NoError(t, err)
	require.True(t, dry.Partial)
	require.EqualValues(t, n, dry.Events, "a resend confirms the number of all")
	require.Len(t, dry.Tallies, 1)
	require.EqualValues(t, ops.DryRunBound, dry.Tallies[0].Events)
	f.exec("UPDATE marketing_events SET status = 'delivered' ORDER BY id LIMIT 7")
	dry, err = f.DryRun(t.Context(), ops.Replay{}, noLimit)
	require.NoError(t, err)
	require.False(t, dry.Partial)
	require.EqualValues(t, ops.DryRunBound, dry.Events)
}

func TestTheEventsOfAReplayAreListedBeyondPurgedOnes(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	var ids []int64
	for n := range 5 {
		ids = append(ids, f.failedAt(fmt.Sprint("f-", n), bosley, "ga4", relay.ReasonExhausted))
	}
	r := f.replay(ops.Replay{})
	require.Equal(t, 5, f.step(r.ID, 10).Started)
	f.exec("DELETE FROM marketing_events WHERE id IN (?, ?)", ids[4], ids[2])
	list, err := f.ReplayItems(t.Context(), r.ID, 0, 3)
	require.NoError(t, err)
	require.Len(t, list, 3, "a full page says that there may be more")
	require.Equal(t, []int64{ids[3], ids[1], ids[0]}, []int64{list[0].ID, list[1].ID, list[2].ID})
}
