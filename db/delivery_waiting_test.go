package db_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/db"
	"relay/internal/ops"
	"relay/internal/relay"
)

func TestAnEventKeepsTheWaitThatEndsFirst(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	id := f.insert(newEvents(0, 1, f.storefront("bosley"), "bosley"))[0].ID
	wait := func(w relay.Waiting) ops.EventSummary {
		require.NoError(t, f.Wait(t.Context(), id, w))
		list, err := f.Summaries(t.Context(), []int64{id})
		require.NoError(t, err)
		return list[0]
	}
	hour := relay.Waiting{For: relay.WaitsForRetry, After: time.Hour}
	require.Empty(t, wait(hour).WaitingFor, "no run has it")
	f.taken(id, "run")
	e := wait(relay.Waiting{For: relay.WaitsForLimit, After: 2 * time.Hour, InFlight: true})
	require.Equal(t, relay.WaitsForLimit, e.WaitingFor)
	require.WithinDuration(t, time.Now().Add(2*time.Hour), e.NextAttemptAt, time.Minute)
	inFlight := "SELECT COUNT(*) FROM marketing_events WHERE claimed_until > UTC_TIMESTAMP(6)"
	require.Equal(t, 1, f.count(inFlight))
	e = wait(hour)
	require.Equal(t, relay.WaitsForRetry, e.WaitingFor, "of another destination")
	require.WithinDuration(t, time.Now().Add(time.Hour), e.NextAttemptAt, time.Minute)
	require.Zero(t, f.count(inFlight))
	require.Equal(t, e, wait(relay.Waiting{For: relay.WaitsForLimit, After: 3 * time.Hour, InFlight: true}))
	require.Equal(t, e, wait(relay.Waiting{}))

	taken, err := f.Take(t.Context(), id, "run")
	require.NoError(t, err)
	require.True(t, taken)
	require.Equal(t, relay.WaitsForRetry, wait(relay.Waiting{}).WaitingFor, "the other destination waits as before")

	f.exec("UPDATE marketing_events SET next_attempt_at = UTC_TIMESTAMP(6) - INTERVAL 1 SECOND")
	require.Equal(t, relay.WaitsForLimit, wait(relay.Waiting{For: relay.WaitsForLimit, After: 3 * time.Hour}).WaitingFor, "that wait had ended")

	require.NoError(t, f.Finish(t.Context(), id, "run", relay.EventOutcome{Status: relay.StatusFailed}))
	require.Empty(t, wait(hour).WaitingFor)
	f.exec("UPDATE marketing_events SET status = 'pending'")
	f.taken(id, "another run")
	require.Empty(t, wait(relay.Waiting{}).WaitingFor, "the earlier wait has ended")
}

func TestLimitsOfTheDestinationsThatReceiveEvents(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	container, direct, off := f.storefront("container"), f.storefront("direct"), f.storefront("off")
	f.storefront("unlimited")
	limited := relay.Options{Limits: relay.Limits{InFlight: 3}}
	for _, id := range []int64{container, direct, off} {
		require.NoError(t, f.PutCredential(t.Context(), id, ops.Credential{Platform: "meta_capi", Active: id != off, Options: limited}))
	}
	require.NoError(t, f.PutSGTM(t.Context(), container, ops.SGTMConfig{URL: "https://a.example", Active: true, Options: relay.Options{Limits: relay.Limits{PerSecond: 2}}}))
	f.exec(`UPDATE ad_analytics_platforms SET limits = '{"in_flight":20,"per_second":50}', is_active = 1 WHERE code = 'meta_capi'`)
	limits := func() map[int64]db.Limited {
		l, err := f.Limits(t.Context())
		require.NoError(t, err)
		return l
	}
	require.Equal(t, map[int64]db.Limited{
		container: {Code: "container", Destinations: map[string]relay.Limits{"sgtm": {PerSecond: 2}}},
		direct:    {Code: "direct", Destinations: map[string]relay.Limits{"meta_capi": {InFlight: 3, PerSecond: 50}}},
	}, limits())
	f.exec("UPDATE storefront_sgtm_config SET is_active = 0")
	require.Equal(t, map[string]relay.Limits{"meta_capi": {InFlight: 3, PerSecond: 50}}, limits()[container].Destinations)
	f.exec("UPDATE ad_analytics_platforms SET is_active = 0")
	require.Empty(t, limits())
}

func TestClaimStartsNoMoreThanALimitTakes(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	slow, fast := f.storefront("slow"), f.storefront("fast")
	require.NoError(t, f.PutSGTM(t.Context(), slow, ops.SGTMConfig{URL: "https://a.example", Active: true, Options: relay.Options{Limits: relay.Limits{PerSecond: 2}}}))
	f.insert(newEvents(0, 100, slow, "slow"))
	f.insert(newEvents(100, 200, fast, "fast"))
	room := 12
	o := db.ClaimOptions{Page: 100, Cap: 50, Lease: time.Minute, Room: func(storefront int64, destination string, l relay.Limits) int {
		require.Equal(t, slow, storefront)
		require.Equal(t, relay.SGTM, destination)
		require.Equal(t, relay.Limits{PerSecond: 2}, l)
		return room
	}}
	claimed := func() map[string]int {
		n := map[string]int{}
		for _, s := range f.claim(o) {
			n[s.StorefrontCode]++
			f.taken(s.ID, "run")
		}
		return n
	}
	require.Equal(t, map[string]int{"slow": 12, "fast": 50}, claimed())
	require.Empty(t, claimed(), "they wait for their turns")
	f.exec("UPDATE marketing_events SET status = 'delivered' WHERE status = 'processing' LIMIT 7")
	require.Equal(t, map[string]int{"slow": 7}, claimed())
	start, err := f.StartRoom(t.Context(), slow, 20)
	require.NoError(t, err)
	require.Zero(t, start, "events in the inbox start first")
	f.exec("UPDATE marketing_events SET status = 'delivered' WHERE status = 'pending'")
	start, err = f.StartRoom(t.Context(), slow, 20)
	require.NoError(t, err)
	require.Equal(t, 8, start)
	room = 0
	require.Empty(t, claimed())

	id := f.direct("waits", slow)
	waitingFor := func() relay.WaitsFor {
		d, err := f.EventDetail(t.Context(), id)
		require.NoError(t, err)
		list, err := f.EventsOfOrders(t.Context(), []string{"waits"})
		require.NoError(t, err)
		require.Equal(t, d.WaitingFor, list[0].WaitingFor)
		return d.WaitingFor
	}
	require.Empty(t, waitingFor(), "it has just arrived")
	f.exec("UPDATE marketing_events SET updated_at = UTC_TIMESTAMP(6) - INTERVAL 6 SECOND WHERE id = ?", id)
	require.Equal(t, relay.WaitsForLimit, waitingFor())
}

func TestKilledWorkersAreForgotten(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	alive := func(id string) int {
		n, err := f.WorkerAlive(t.Context(), id)
		require.NoError(t, err)
		return n
	}
	require.Equal(t, 1, alive("a"))
	require.Equal(t, 1, alive("a"))
	require.Equal(t, 2, alive("b"))
	f.exec("UPDATE relay_workers SET seen_at = UTC_TIMESTAMP(6) - INTERVAL 31 SECOND WHERE id = 'a'")
	require.Equal(t, 1, alive("b"))
	require.Equal(t, 2, alive("a"))
	f.exec("UPDATE relay_workers SET seen_at = UTC_TIMESTAMP(6) + INTERVAL 1 HOUR WHERE id = 'b'")
	require.Equal(t, 1, alive("a"), "the clock was set back")
	require.NoError(t, f.WorkerGone(t.Context(), "a"))
	require.Equal(t, 1, alive("b"))
}
