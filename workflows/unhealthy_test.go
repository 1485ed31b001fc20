package workflows_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"relay/internal/relay"
)

func TestAnUnhealthyDestination(t *testing.T) {
	t.Parallel()

	t.Run("fails events at once, without a send", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.store.health = relay.Health{Failures: 20, Unhealthy: true}
		require.Error(t, b.run(t))
		require.Zero(t, b.sender.sent)
		require.Equal(t, relay.ReasonUnhealthy, b.store.conclusion.Reason)
	})

	t.Run("receives the probe, whose success starts the recovery", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.store.health, b.store.probes = relay.Health{Failures: 20, Unhealthy: true}, 1
		require.NoError(t, b.run(t))
		require.Equal(t, relay.StatusDelivered, b.store.status)
		require.Equal(t, []int64{7}, b.store.replays)
	})

	t.Run("that recovers before a failed event has ended receives that event after all", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.store.health, b.store.recovers = relay.Health{Failures: 20, Unhealthy: true}, true
		require.NoError(t, b.run(t))
		require.Equal(t, relay.StatusDelivered, b.store.status)
		require.Equal(t, []relay.Outcome{relay.Accepted}, b.store.outcomes(relay.SGTM))
	})

	t.Run("fails over to the platforms, if so configured", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.store.switches.SGTM.DirectOnExhausted = true
		b.store.switches.Platforms = []relay.PlatformSwitch{{Code: "meta", PlatformActive: true, CredentialActive: true}}
		b.store.health, b.store.sick = relay.Health{Failures: 20, Unhealthy: true}, relay.SGTM
		b.sender.replies = []relay.Response{{Status: 503}}
		require.NoError(t, b.run(t))
		require.Equal(t, relay.StatusDelivered, b.store.status)
		require.Equal(t, []relay.Outcome{relay.Retry, relay.Accepted}, b.store.outcomes("meta"))
		require.Empty(t, b.store.outcomes(relay.SGTM))
		require.Contains(t, b.store.conclusion.Detail, "sgtm: the destination is unhealthy")
		require.NotContains(t, b.store.conclusion.Detail, "exhausted")
	})

	t.Run("fails events without an active platform, so that its recovery finds them", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.store.switches.SGTM.DirectOnExhausted = true
		b.store.health = relay.Health{Failures: 20, Unhealthy: true}
		require.Error(t, b.run(t))
		require.Zero(t, b.sender.sent)
		require.Equal(t, relay.ReasonUnhealthy, b.store.conclusion.Reason)
	})

	t.Run("that recovers before the end of an event without another destination receives that event", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.store.switches.SGTM.DirectOnExhausted = true
		b.store.health, b.store.recovers = relay.Health{Failures: 20, Unhealthy: true}, true
		require.NoError(t, b.run(t))
		require.Equal(t, []relay.Outcome{relay.Accepted}, b.store.outcomes(relay.SGTM))
	})

	// sickens makes the destination unhealthy after the first send.
	sickens := func(b *bundle, h relay.Health) {
		h.Failures, h.Unhealthy = 20, true
		b.sender.after = func() { b.store.health = h }
	}

	t.Run("keeps the schedule of an event that was attempted there", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.sender.replies = []relay.Response{{Status: 503}, {Status: 503}}
		sickens(b, relay.Health{Reason: relay.ReasonServerError})
		require.NoError(t, b.run(t))
		require.Equal(t, 3, b.sender.sent)
		require.Equal(t, relay.StatusDelivered, b.store.status)
		require.Equal(t, []int64{7}, b.store.replays, "the first accepted attempt starts the recovery")
	})

	t.Run("keeps the schedule of an event until its attempts are exhausted", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.sender.then = relay.Response{Status: 503}
		sickens(b, relay.Health{Reason: relay.ReasonServerError})
		require.Error(t, b.run(t))
		require.Equal(t, 5, b.sender.sent)
		require.Equal(t, relay.ReasonExhausted, b.store.conclusion.Reason)
	})

	t.Run("receives no attempt with a refused credential", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.sender.then = relay.Response{Status: 503}
		b.store.reading = func() { // another event finds that out
			if len(b.store.attempts) == 1 {
				b.store.health = relay.Health{Failures: 20, Unhealthy: true, Reason: relay.ReasonUnauthorized}
			}
		}
		require.Error(t, b.run(t))
		require.Equal(t, 1, b.sender.sent)
		require.Equal(t, relay.ReasonUnhealthy, b.store.conclusion.Reason)
		require.Equal(t, "sgtm: the destination is unhealthy (destination_unhealthy), last: the destination rejected the credential (unauthorized)", b.store.conclusion.Detail)
	})

	t.Run("fails events in flight over to the platforms, if so configured", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.store.switches.SGTM.DirectOnExhausted = true
		b.store.switches.Platforms = []relay.PlatformSwitch{{Code: "meta", PlatformActive: true, CredentialActive: true}}
		b.sender.byHost = map[string]relay.Response{relay.SGTM: {Status: 503}}
		b.store.sick = relay.SGTM
		sickens(b, relay.Health{Reason: relay.ReasonServerError})
		require.NoError(t, b.run(t))
		require.Len(t, b.store.outcomes(relay.SGTM), 1)
		require.Equal(t, []relay.Outcome{relay.Accepted}, b.store.outcomes("meta"))
	})

	t.Run("receives events in flight without an active platform", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.store.switches.SGTM.DirectOnExhausted = true
		b.sender.replies = []relay.Response{{Status: 503}}
		sickens(b, relay.Health{Reason: relay.ReasonServerError})
		require.NoError(t, b.run(t))
		require.Equal(t, []relay.Outcome{relay.Retry, relay.Accepted}, b.store.outcomes(relay.SGTM))
	})

	t.Run("receives one request of a probe, whose event fails again with the status", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.store.health = relay.Health{Failures: 20, Unhealthy: true, ProbeEvent: 1}
		b.sender.then = relay.Response{Status: 503}
		require.Error(t, b.run(t))
		require.Equal(t, 1, b.sender.sent)
		require.Equal(t, relay.ReasonUnhealthy, b.store.conclusion.Reason)
		require.Equal(t, 503, b.store.conclusion.Ends[0].Status)
		require.Empty(t, b.store.replays)
	})

	t.Run("has recovered when its probe is accepted", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.store.health = relay.Health{Failures: 20, Unhealthy: true, ProbeEvent: 1}
		require.NoError(t, b.run(t))
		require.Equal(t, []int64{7}, b.store.replays)
	})

	t.Run("is the result of a refused credential", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.sender.then = relay.Response{Status: 401}
		require.Error(t, b.run(t))
		require.Equal(t, relay.ReasonUnauthorized, b.store.conclusion.Reason)
		require.True(t, b.store.health.Unhealthy)
	})
}
