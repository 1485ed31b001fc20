package db_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/internal/ops"
	"relay/internal/relay"
)

func TestBeginReadsForEachDestinationWhatAnAttemptByItselfReads(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	for _, code := range []string{"ga4", "meta_capi"} {
		require.NoError(t, f.PutCredential(t.Context(), bosley, ops.Credential{Platform: code, Active: true,
			Fields: secrets("access_token", "token of "+code), Options: relay.Options{Deny: []string{code}}}))
	}
	require.NoError(t, f.PutCredential(t.Context(), bosley, ops.Credential{Platform: "tiktok", Fields: secrets("access_token", "off")}))
	require.NoError(t, f.RecordFailure(t.Context(), bosley, "ga4", relay.Failure{Reason: relay.ReasonServerError, Status: 503}))
	same := func(id int64, run string, destinations ...string) relay.Opening {
		o, err := f.Begin(t.Context(), id, run)
		require.NoError(t, err)
		require.True(t, o.Taken)
		require.Len(t, o.Deliveries, len(destinations))
		for _, d := range destinations {
			want, err := f.Delivery(t.Context(), id, run, d)
			require.NoError(t, err)
			got := o.Deliveries[d]
			require.Equal(t, reveal(want.Destination.Secrets), reveal(got.Destination.Secrets))
			got.Event.Now, got.Destination.Secrets = want.Event.Now, want.Destination.Secrets
			summary := got.Switches.Attempts[d]
			if summary.Age > 0 {
				summary.Age = want.Switches.Attempts[d].Age
				got.Switches.Attempts[d] = summary
			}
			require.Equal(t, want, got)
			require.Equal(t, want.Switches, o.Switches)
		}
		return o
	}
	first := same(f.direct("1", bosley), "one", "ga4", "meta_capi")
	require.Equal(t, 1, first.Deliveries["ga4"].Health.Failures)
	require.Zero(t, first.Deliveries["meta_capi"].Health.Failures)

	require.NoError(t, f.PutSGTM(t.Context(), bosley, theContainer))
	id := f.direct("2", bosley)
	same(id, "two", relay.SGTM)
	require.NoError(t, f.RecordSending(t.Context(), relay.Attempt{AttemptID: "a", EventID: id, Destination: relay.SGTM, Number: 1}))
	again := same(id, "two", relay.SGTM)
	require.Equal(t, 1, again.Switches.Attempts[relay.SGTM].Made, "the task was repeated: its attempt is on record")
	require.Equal(t, 1, again.Deliveries[relay.SGTM].LastNumber)

	f.exec("UPDATE storefront_sgtm_config SET options = 'unreadable' WHERE storefront_id = ?", bosley)
	o, err := f.Begin(t.Context(), f.direct("3", bosley), "three")
	require.NoError(t, err)
	require.Empty(t, o.Deliveries, "the attempt by itself reports it")
	require.True(t, o.Switches.SGTM.Active)
}

func TestBeginTakesOnlyOpenRows(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	id := f.direct("1", bosley)
	begin := func(id int64, run string) relay.Opening {
		o, err := f.Begin(t.Context(), id, run)
		require.NoError(t, err)
		return o
	}
	require.True(t, begin(id, "run").Taken)
	require.True(t, begin(id, "run").Taken, "the task was repeated")
	require.Equal(t, relay.Opening{}, begin(id, "another"))
	require.Equal(t, relay.Opening{}, begin(id+1000, "run"), "gone")

	end := relay.EventOutcome{Status: relay.StatusFailed, Reason: relay.ReasonBadRequest, Detail: "why",
		Ends: []relay.DeliveryResult{{Destination: relay.SGTM, Outcome: relay.Rejected, Reason: relay.ReasonBadRequest, Status: 422}}}
	require.NoError(t, f.Finish(t.Context(), id, "run", end))
	require.Equal(t, relay.Opening{Ended: &end}, begin(id, "run"), "its end is stored")
	require.Equal(t, relay.Opening{}, begin(id, "another"))
	status, _ := f.status(id)
	require.Equal(t, relay.StatusFailed, status)
	require.Zero(t, f.count("SELECT generation FROM marketing_events WHERE id = ?", id))
	taken, err := f.Take(t.Context(), id, "run")
	require.NoError(t, err)
	require.True(t, taken, "a reset takes it, in a new generation")
	require.Equal(t, 1, f.count("SELECT generation FROM marketing_events WHERE id = ?", id))

	f.exec("DELETE FROM storefronts WHERE id = ?", bosley)
	o, err := f.Begin(t.Context(), id, "run")
	require.ErrorIs(t, err, relay.ErrNotFound)
	require.True(t, o.Taken)
}

func TestConcludeEndsAttemptsAndEventTogether(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	id := f.direct("1", f.storefront("bosley"))
	f.taken(id, "run")
	end := relay.EventOutcome{Status: relay.StatusDelivered, Detail: "all", Ends: []relay.DeliveryResult{{Destination: "ga4", Outcome: relay.Accepted}}}
	attempts := []relay.Attempt{{AttemptID: "a", EventID: id, Destination: "ga4", Number: 1}, {AttemptID: "b", EventID: id, Destination: "meta_capi", Number: 1}}
	require.NoError(t, f.RecordSending(t.Context(), attempts...))
	require.NoError(t, f.RecordSending(t.Context(), attempts...), "the response to the first was lost")
	ends := []relay.AttemptEnd{
		{AttemptID: "a", Duration: 3 * time.Microsecond, Result: relay.Result{Outcome: relay.Accepted, Status: 200, TraceID: "t"}},
		{AttemptID: "b", Duration: 4 * time.Microsecond, Result: relay.Result{Outcome: relay.Rejected, Reason: relay.ReasonBadRequest, Status: 422}},
	}
	require.NoError(t, f.Conclude(t.Context(), id, "another", end, ends[:1]), "the response was real")
	require.Equal(t, 1, f.count("SELECT COUNT(*) FROM event_attempts WHERE attempt_id = 'a' AND outcome = 'accepted' AND duration_us = 3 AND trace_id = 't'"))
	status, _ := f.status(id)
	require.Equal(t, relay.StatusProcessing, status, "the end was not its own")
	for range 2 {
		require.NoError(t, f.Conclude(t.Context(), id, "run", end, ends[1:]))
		require.Equal(t, 1, f.count("SELECT COUNT(*) FROM event_attempts WHERE attempt_id = 'b' AND outcome = 'rejected' AND reason = 'bad_request'"))
		require.Equal(t, 1, f.count("SELECT COUNT(*) FROM marketing_events WHERE id = ? AND status = 'delivered' AND reason IS NULL AND detail = 'all'", id))
	}
}

// Events end alone and in groups, with one attempt and with several, and every row gets its own values.
func TestEventsConcludedTogetherKeepTheirOwnOutcomes(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	const n = 120
	stored := f.insert(newEvents(0, n, f.storefront("bosley"), "bosley"))
	var all sync.WaitGroup
	for i, s := range stored {
		all.Go(func() { f.concludeInGroup(i, s.ID) })
	}
	all.Wait()
	require.Equal(t, n, f.count("SELECT COUNT(*) FROM marketing_events WHERE status = 'delivered' AND detail = CONCAT('d-', id)"))
	require.Equal(t, n+n/3, f.count(`SELECT COUNT(*) FROM event_attempts WHERE outcome = 'accepted' AND response_status = 200 + marketing_event_id % 7
		AND trace_id = attempt_id AND duration_us = marketing_event_id`))
}

func (f *fixture) concludeInGroup(i int, id int64) {
	ctx, run := f.t.Context(), fmt.Sprintf("run-%d", id)
	o, err := f.Begin(ctx, id, run)
	require.NoError(f.t, err)
	require.True(f.t, o.Taken)
	destinations := []string{"ga4"}
	if i%3 == 0 {
		destinations = append(destinations, "meta_capi")
	}
	var attempts []relay.Attempt
	var ends []relay.AttemptEnd
	for _, d := range destinations {
		key := fmt.Sprintf("%s-%d", d, id)
		attempts = append(attempts, relay.Attempt{AttemptID: key, EventID: id, Destination: d, Number: 1})
		ends = append(ends, relay.AttemptEnd{AttemptID: key, Duration: time.Duration(id) * time.Microsecond,
			Result: relay.Result{Outcome: relay.Accepted, Status: 200 + int(id%7), TraceID: key}})
	}
	require.NoError(f.t, f.RecordSending(ctx, attempts...))
	slices.Reverse(ends)
	require.NoError(f.t, f.Conclude(ctx, id, run, relay.EventOutcome{Status: relay.StatusDelivered, Detail: fmt.Sprintf("d-%d", id)}, ends))
}
