package db_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/internal/ops"
	"relay/internal/relay"
)

func (f *fixture) rollUp() {
	f.t.Helper()
	_, err := f.RollUp(f.t.Context(), time.Minute)
	require.NoError(f.t, err)
}

// stats returns the statistics of the last two days, by storefront code.
func (f *fixture) stats() map[string]ops.Stats {
	f.t.Helper()
	now := time.Now().UTC()
	r, err := f.Stats(f.t.Context(), 0, now.Add(-48*time.Hour), now.Add(time.Hour))
	require.NoError(f.t, err)
	require.WithinDuration(f.t, now, r.AsOf, time.Minute)
	byCode := map[string]ops.Stats{}
	for _, s := range r.Storefronts {
		byCode[s.StorefrontCode] = s
	}
	return byCode
}

func TestStatsCountTheOutcomesOfReceivedEvents(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley, pfizer := f.storefront("bosley"), f.storefront("pfizer")
	var all []int64
	for _, s := range f.insert(newEvents(0, 6, bosley, "bosley")) {
		all = append(all, s.ID)
	}
	f.direct("d-1", pfizer)
	f.ended(all[0], relay.StatusDelivered, "", relay.DeliveryResult{Destination: "ga4", Outcome: relay.Accepted}, relay.DeliveryResult{Destination: "meta", Outcome: relay.Blocked, Reason: relay.ReasonCredentialDisabled})
	f.ended(all[1], relay.StatusFailed, relay.ReasonExhausted, exhaustedAtSGTM)
	f.ended(all[2], relay.StatusFailed, relay.ReasonBadRequest, relay.DeliveryResult{Destination: "ga4", Outcome: relay.Rejected, Reason: relay.ReasonBadRequest})
	f.ended(all[3], relay.StatusSkipped, relay.ReasonNotMapped, notMappedAtMeta)
	f.taken(all[4], "running")
	f.rollUp()
	got := f.stats()["bosley"]
	require.Equal(t, int64(6), got.Received)
	require.Equal(t, int64(2), got.Open)
	require.Equal(t, int64(1), got.Retrying)
	require.Equal(t, ops.Counts{Delivered: 1, Failed: map[relay.Reason]int64{relay.ReasonExhausted: 1, relay.ReasonBadRequest: 1},
		Skipped: map[relay.Reason]int64{relay.ReasonNotMapped: 1}}, got.Counts)
	require.Equal(t, map[string]ops.Counts{
		"ga4":  {Delivered: 1, Failed: map[relay.Reason]int64{relay.ReasonBadRequest: 1}, Skipped: map[relay.Reason]int64{}},
		"meta": {Failed: map[relay.Reason]int64{}, Skipped: map[relay.Reason]int64{relay.ReasonCredentialDisabled: 1, relay.ReasonNotMapped: 1}},
		"sgtm": {Failed: map[relay.Reason]int64{relay.ReasonExhausted: 1}, Skipped: map[relay.Reason]int64{}},
	}, got.Destinations)
	require.False(t, got.OldestPending.IsZero())
	require.Equal(t, int64(1), f.stats()["pfizer"].Received)

	f.rollUp() // a recount adds nothing
	require.Equal(t, got, f.stats()["bosley"])
	_, err := f.Stats(t.Context(), 99, time.Now(), time.Now())
	require.ErrorIs(t, err, relay.ErrNotFound)
}

func TestStatsOfAPastHourFollowItsEvents(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	old, other := f.direct("o-1", bosley), f.direct("o-2", bosley)
	f.exec("UPDATE marketing_events SET created_at = UTC_TIMESTAMP(6) - INTERVAL 26 HOUR")
	f.ended(other, relay.StatusDelivered, "", relay.DeliveryResult{Destination: "ga4", Outcome: relay.Accepted})
	f.rollUp() // the first round begins with the oldest event
	require.Equal(t, int64(1), f.stats()["bosley"].Open)

	f.ended(old, relay.StatusFailed, relay.ReasonExhausted, exhaustedAtSGTM)
	f.rollUp()
	got := f.stats()["bosley"]
	require.Zero(t, got.Open)
	require.Equal(t, map[relay.Reason]int64{relay.ReasonExhausted: 1}, got.Failed)
	require.Zero(t, f.count("SELECT COUNT(*) FROM event_stats_hours WHERE unsettled = 1 AND hour < UTC_TIMESTAMP(6) - INTERVAL 3 HOUR"))

	_, err := f.RetryEvent(t.Context(), old)
	require.NoError(t, err)
	f.rollUp()
	require.Equal(t, int64(1), f.stats()["bosley"].Open)
	f.ended(old, relay.StatusDelivered, "", relay.DeliveryResult{Destination: relay.SGTM, Outcome: relay.Accepted})
	f.rollUp()
	got = f.stats()["bosley"]
	require.Equal(t, int64(2), got.Delivered)
	require.Empty(t, got.Failed)
}

func TestAnHourThatIsSlowToCountIsCountedLessOften(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	f.direct("o-1", f.storefront("bosley"))
	f.rollUp()
	counted := func() string {
		return f.text("SELECT CAST(counted_at AS CHAR) FROM event_stats_hours ORDER BY hour DESC LIMIT 1")
	}
	first := counted()
	f.exec("UPDATE event_stats_hours SET took_us = 60000000")
	f.rollUp()
	require.Equal(t, first, counted(), "an hour that takes a minute is counted again after twenty minutes")
	f.exec("UPDATE event_stats_hours SET took_us = 1000")
	f.rollUp()
	require.NotEqual(t, first, counted())
}
