package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"relay/internal/relay"
)

func TestACancelledDeliveryFailsItsRow(t *testing.T) {
	t.Parallel()
	cancelled := func(t *testing.T, b *bundle) {
		t.Helper()
		err := b.run(t)
		var canceled *temporal.CanceledError
		require.ErrorAs(t, err, &canceled, "the Web UI shows it as cancelled")
		require.Equal(t, relay.StatusFailed, b.store.status)
		require.Equal(t, relay.ReasonCancelled, b.store.conclusion.Reason)
	}

	t.Run("while it waits for its next attempt", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.sender.then = relay.Response{Status: 500}
		b.RegisterDelayedCallback(b.CancelWorkflow, 2*time.Minute)
		cancelled(t, b)
		require.Equal(t, 2, b.sender.sent)
	})

	t.Run("while nothing can be sent", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.store.unreadable = 1000
		b.RegisterDelayedCallback(b.CancelWorkflow, time.Hour)
		cancelled(t, b)
		require.Zero(t, b.sender.sent)
	})

	t.Run("before it took the row, which no other run takes then", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.store.away(10*time.Minute, b.Now)
		b.RegisterDelayedCallback(b.CancelWorkflow, 5*time.Minute)
		cancelled(t, b)
		require.Zero(t, b.sender.sent)
	})

	t.Run("while the database is unavailable: after the outage", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.sender.then = relay.Response{Status: 500}
		b.RegisterDelayedCallback(func() {
			b.store.away(time.Hour, b.Now)
			b.CancelWorkflow()
		}, 10*time.Second)
		begin := b.Now()
		cancelled(t, b)
		require.GreaterOrEqual(t, b.Now().Sub(begin), time.Hour)
	})

	t.Run("it keeps the destinations that accepted", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.store.switches.SGTM = nil
		b.store.switches.Platforms = []relay.PlatformSwitch{
			{Code: "meta", PlatformActive: true, CredentialActive: true},
			{Code: "ga4", PlatformActive: true, CredentialActive: true},
		}
		b.sender.byHost = map[string]relay.Response{"meta": {Status: 503}}
		b.RegisterDelayedCallback(b.CancelWorkflow, 10*time.Second)
		cancelled(t, b)
		require.Equal(t, []relay.Outcome{relay.Accepted}, b.store.outcomes("ga4"))
		require.Contains(t, b.store.conclusion.Ends, relay.DeliveryResult{Destination: "ga4", Outcome: relay.Accepted, Status: 200})
	})

	t.Run("it does not change a row of another run", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.sender.then = relay.Response{Status: 500}
		b.RegisterDelayedCallback(func() {
			b.store.owner = "another run"
			b.CancelWorkflow()
		}, 10*time.Second)
		require.Error(t, b.run(t))
		require.Equal(t, relay.StatusProcessing, b.store.status)
	})
}

// The response to a send arrived while the database was unavailable, and the delivery was cancelled before it could be written: while it
// waited for its next attempt, or for the database itself.
func TestACancelledDeliveryRecordsTheResponsesItHas(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]time.Duration{"before the next attempt": 30 * time.Second, "at the route": 5 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.sender.then = relay.Response{Status: 503}
			b.sender.after = func() { b.store.away(10*time.Minute, b.Now) }
			b.RegisterDelayedCallback(b.CancelWorkflow, after)
			var canceled *temporal.CanceledError
			require.ErrorAs(t, b.run(t), &canceled)
			require.Equal(t, relay.ReasonCancelled, b.store.conclusion.Reason)
			require.Equal(t, []relay.Outcome{relay.Retry}, b.store.outcomes(relay.SGTM))
		})
	}
}
