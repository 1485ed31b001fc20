package db_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/internal/ops"
	"relay/internal/relay"
)

// platform creates an active credential of a storefront at a platform.
func (f *fixture) platform(storefront int64, code string) {
	f.t.Helper()
	require.NoError(f.t, f.AddPlatform(f.t.Context(), ops.Platform{Code: code, Name: code}))
	require.NoError(f.t, f.SetPlatformActive(f.t.Context(), code, true))
	require.NoError(f.t, f.PutCredential(f.t.Context(), storefront, ops.Credential{Platform: code, Active: true}))
}

func (f *fixture) container(storefront int64, c ops.SGTMConfig) {
	f.t.Helper()
	c.URL = "https://gtm.example.com"
	require.NoError(f.t, f.PutSGTM(f.t.Context(), storefront, c))
}

func (f *fixture) step(replay int64, n int) ops.ReplayStep {
	f.t.Helper()
	_, err := f.SettleReplay(f.t.Context(), replay, 1000)
	require.NoError(f.t, err)
	step, err := f.StepReplay(f.t.Context(), replay, n)
	require.NoError(f.t, err)
	return step
}

func TestAReplayHoldsEventsForAnUnhealthyDestination(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley, pfizer := f.storefront("bosley"), f.storefront("pfizer")
	for _, storefront := range []int64{bosley, pfizer} {
		f.platform(storefront, "meta_capi")
		f.platform(storefront, "ga4")
	}
	meta := relay.Place{StorefrontID: bosley, Destination: "meta_capi"}
	var held []int64
	for n := range 5 { // with reasons that no recovery selects, and old
		held = append(held, f.failedAt(fmt.Sprint("m", n), bosley, "meta_capi", relay.ReasonBadRequest))
	}
	f.exec("UPDATE marketing_events SET created_at = created_at - INTERVAL 30 DAY")
	elsewhere := f.failedAt("elsewhere", bosley, "ga4", relay.ReasonBadRequest)
	theirs := f.failedAt("theirs", pfizer, "meta_capi", relay.ReasonBadRequest)
	both := f.direct("both", bosley)
	f.ended(both, relay.StatusFailed, relay.ReasonBadRequest, relay.DeliveryResult{Destination: "ga4", Outcome: relay.Rejected},
		relay.DeliveryResult{Destination: "meta_capi", Outcome: relay.Rejected})
	f.sick(bosley, "meta_capi")
	r := f.replay(ops.Replay{Filter: ops.Filter{Statuses: []relay.Status{relay.StatusFailed}}})

	first := f.step(r.ID, 3)
	require.Equal(t, 3, first.Held)
	require.Zero(t, first.Started)
	second := f.step(r.ID, 10)
	require.Equal(t, 2, second.Held)
	require.Equal(t, 3, second.Started, "events with another destination start")
	require.False(t, second.Walked, "some are left")
	require.EqualValues(t, 5, second.Replay.Held)
	require.EqualValues(t, 8, second.Replay.Matched, "counted with the first step")
	require.EqualValues(t, 5, second.Replay.Remaining())
	for _, id := range []int64{elsewhere, theirs, both} {
		status, _ := f.status(id)
		require.Equal(t, relay.StatusPending, status)
	}
	status, reason := f.status(held[0])
	require.Equal(t, relay.StatusFailed, status)
	require.Equal(t, relay.ReasonBadRequest, reason, "they do not change")

	t.Run("one of them is the probe", func(t *testing.T) {
		due, err := f.HeldProbes(t.Context(), r.ID)
		require.NoError(t, err)
		require.Empty(t, due)
		f.exec("UPDATE destination_health SET probe_at = UTC_TIMESTAMP(6)")
		due, err = f.HeldProbes(t.Context(), r.ID)
		require.NoError(t, err)
		require.Len(t, due, 1)
		probed, err := f.ProbeHeld(t.Context(), r.ID, due[0].Place, time.Hour)
		require.NoError(t, err)
		require.True(t, probed)
		probed, err = f.ProbeHeld(t.Context(), r.ID, due[0].Place, time.Hour)
		require.NoError(t, err)
		require.False(t, probed, "the next one is not due")
		status, _ := f.status(held[0])
		require.Equal(t, relay.StatusPending, status)
		require.Equal(t, int(held[0]), f.count("SELECT probe_event_id FROM destination_health"))
		again := f.step(r.ID, 10)
		require.Zero(t, again.Started)
		require.EqualValues(t, 4, again.Replay.Held)
		require.EqualValues(t, 4, again.Replay.Started)
		require.Zero(t, again.Replay.Failed, "held events have not ended")
	})

	t.Run("the others are released when the destination is healthy", func(t *testing.T) {
		retried, err := f.RetryEvent(t.Context(), held[1])
		require.NoError(t, err)
		require.True(t, retried.Retried)
		_, err = f.RecordSuccess(t.Context(), meta.StorefrontID, meta.Destination)
		require.NoError(t, err)
		step := f.step(r.ID, 2)
		require.Equal(t, 1, step.Started, "one of the two was retried by hand")
		require.False(t, step.Walked)
		step = f.step(r.ID, 10)
		require.Equal(t, 2, step.Started)
		require.True(t, step.Walked)
		require.Zero(t, step.Replay.Held)
		require.EqualValues(t, 7, step.Replay.Started)
	})
}

func TestAReplayHoldsOnlyForDestinationsThatReceiveEvents(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name      string
		container ops.SGTMConfig
		off       bool // the credential
		sick      string
		held      int
	}{
		{"all events of a container, wherever they failed", ops.SGTMConfig{Active: true}, false, relay.SGTM, 1},
		{"nothing if the platforms take over", ops.SGTMConfig{Active: true, OnExhausted: "direct"}, false, relay.SGTM, 0},
		{"nothing for a container that is off", ops.SGTMConfig{}, false, relay.SGTM, 0},
		{"nothing for a platform behind a container", ops.SGTMConfig{Active: true}, false, "meta_capi", 0},
		{"the events that failed at the platform", ops.SGTMConfig{}, false, "meta_capi", 1},
		{"nothing for a platform that is off", ops.SGTMConfig{}, true, "meta_capi", 0},
		{"nothing for another platform", ops.SGTMConfig{}, false, "ga4", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f := migrated(t)
			bosley := f.storefront("bosley")
			f.platform(bosley, "meta_capi")
			f.platform(bosley, "ga4")
			f.container(bosley, tc.container)
			require.NoError(t, f.SetCredentialActive(t.Context(), bosley, "meta_capi", !tc.off))
			f.failedAt("1", bosley, "meta_capi", relay.ReasonExhausted)
			f.sick(bosley, tc.sick)
			r := f.replay(ops.Replay{Filter: ops.Filter{StorefrontID: bosley}})
			step := f.step(r.ID, 10)
			require.Equal(t, tc.held, step.Held)
			require.Equal(t, 1-tc.held, step.Started)
		})
	}
}

func TestACancelledReplayReleasesItsHeldEvents(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	f.container(bosley, ops.SGTMConfig{Active: true})
	id := f.failedAt("1", bosley, relay.SGTM, relay.ReasonExhausted)
	f.sick(bosley, relay.SGTM)
	r := f.replay(ops.Replay{})
	require.Equal(t, 1, f.step(r.ID, 10).Held)
	cancelled, err := f.SteerReplay(t.Context(), r.ID, ops.ReplayCancelled)
	require.NoError(t, err)
	require.Zero(t, cancelled.Remaining())
	require.NoError(t, f.EndReplay(t.Context(), r.ID))
	require.Zero(t, f.count("SELECT COUNT(*) FROM event_replay_items"))
	status, _ := f.status(id)
	require.Equal(t, relay.StatusFailed, status)
}

func TestTheLatestRequestForAReplayWins(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	r := f.replay(ops.Replay{})
	line := ops.AuditEntry{By: "ann", Action: "pause", Entity: "replays", EntityID: r.ID}
	lines := func() int { return f.count("SELECT COUNT(*) FROM admin_audit") }
	for _, tc := range []struct {
		wanted, is ops.ReplayState
		lines      int
	}{
		{ops.ReplayRunning, ops.ReplayRunning, 0},
		{ops.ReplayPaused, ops.ReplayPaused, 1},
		{ops.ReplayPaused, ops.ReplayPaused, 1},
		{ops.ReplayRunning, ops.ReplayRunning, 2},
		{ops.ReplayCancelled, ops.ReplayCancelled, 3},
		{ops.ReplayRunning, ops.ReplayCancelled, 3},
	} {
		got, err := f.SteerReplay(t.Context(), r.ID, tc.wanted, line)
		require.NoError(t, err)
		require.Equal(t, tc.is, got.State)
		require.Equal(t, tc.lines, lines())
	}
	_, err := f.SteerReplay(t.Context(), r.ID+1, ops.ReplayPaused)
	require.ErrorIs(t, err, relay.ErrNotFound)
}

func TestTheReplayOfARecoveryReportsItsMatches(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	f.container(bosley, ops.SGTMConfig{})
	for n := range 3 {
		f.failedAt(fmt.Sprint(n), bosley, relay.SGTM, relay.ReasonExhausted)
	}
	f.sick(bosley, relay.SGTM)
	id, err := f.RecordSuccess(t.Context(), bosley, relay.SGTM)
	require.NoError(t, err)
	require.Equal(t, 1, f.step(id, 1).Started)
	r, err := f.Replay(t.Context(), id)
	require.NoError(t, err)
	require.EqualValues(t, 3, r.Matched)
	require.EqualValues(t, 2, r.Remaining())
}
