package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"relay/activities"
	"relay/internal/relay"
)

// A wait before the send uses up no attempt.
func TestAWaitBeforeTheSendUsesUpNoAttempt(t *testing.T) {
	t.Parallel()

	t.Run("a limit that is reached more often than there are attempts", func(t *testing.T) {
		t.Parallel()
		first, second := neighbours(t)
		first.store.options.Limits.PerSecond = 1.0 / 600
		second.store.options = first.store.options
		require.NoError(t, first.run(t))
		limiter, reads := second.activities.Limiter, 0
		second.store.reading = func() {
			if reads++; reads == 8 {
				limiter.Now = second.Now // until then the limiter's clock does not move, as if other events took every turn
			}
		}
		routes := 0
		second.store.taken = func() { routes++ }
		begin := second.Now()
		require.NoError(t, second.run(t))
		require.Equal(t, []relay.Outcome{relay.Accepted}, second.store.outcomes(relay.SGTM))
		require.GreaterOrEqual(t, reads, 8)
		require.Equal(t, 1, routes, "a wait needs no new route")
		require.GreaterOrEqual(t, second.sender.last.Sub(begin), time.Hour)
	})

	t.Run("a response 429 to another event of the destination, which delays this one at once", func(t *testing.T) {
		t.Parallel()
		first, second := neighbours(t)
		first.sender.then = relay.Response{Status: 429, Header: map[string]string{"Retry-After": "600"}}
		first.RegisterDelayedCallback(first.CancelWorkflow, time.Second)
		require.Error(t, first.run(t))
		begin := second.Now()
		require.NoError(t, second.run(t))
		require.Equal(t, []relay.Outcome{relay.Accepted}, second.store.outcomes(relay.SGTM))
		require.GreaterOrEqual(t, second.sender.last.Sub(begin), 9*time.Minute)
		require.Zero(t, first.store.health, "it lives, and wants less")
	})

	t.Run("a credential that does not decrypt", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.store.unreadable = 20
		begin := b.Now()
		require.NoError(t, b.run(t))
		require.Equal(t, []relay.Outcome{relay.Accepted}, b.store.outcomes(relay.SGTM))
		require.GreaterOrEqual(t, b.sender.last.Sub(begin), 20*time.Minute, "it waits a minute each time")
	})
}

// neighbours are two events of one destination, one after the other in the same worker.
func neighbours(t *testing.T) (first, second *bundle) {
	t.Helper()
	first, second = setup(t), setup(t)
	limiter := &activities.Limiter{Now: first.Now}
	first.activities.Limiter, second.activities.Limiter = limiter, limiter
	second.store.reading = func() { limiter.Now = second.Now }
	return first, second
}

// A worker that is killed with a request on the wire leaves a row that stays sending: that attempt counts.
func TestAnAttemptWithAnUnknownResultCounts(t *testing.T) {
	t.Parallel()

	t.Run("another attempt follows", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.sender.after = func() {
			if b.sender.sent == 1 {
				panic("the worker dies")
			}
		}
		begin := b.Now()
		require.NoError(t, b.run(t))
		require.Equal(t, []relay.Outcome{relay.Sending, relay.Accepted}, b.store.outcomes(relay.SGTM))
		require.GreaterOrEqual(t, b.sender.last.Sub(begin), time.Minute, "the first wait of the schedule")
	})

	t.Run("the last one ends the delivery", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.sender.after = func() { panic("the worker dies") }
		require.Error(t, b.run(t))
		require.Len(t, b.store.outcomes(relay.SGTM), 5)
		require.Equal(t, relay.ReasonExhausted, b.store.conclusion.Reason)
	})
}

func TestAnEventThatIsSkippedOrCannotBeRenderedEndsWithoutASend(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		refusal error
		status  relay.Status
		outcome relay.Outcome
		reason  relay.Reason
	}{
		"not mapped":                         {relay.Skip(relay.ReasonNotMapped), relay.StatusSkipped, relay.Skipped, relay.ReasonNotMapped},
		"without a required field":           {relay.Refuse(relay.ReasonMissingField, "order_id"), relay.StatusFailed, relay.Rejected, relay.ReasonMissingField},
		"an unexpected error of the adapter": {relay.ErrNotFound, relay.StatusFailed, relay.Rejected, relay.ReasonInvalidPayload},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.activities.Adapters[relay.SGTM] = refusing{err: c.refusal}
			err := b.run(t)
			require.Equal(t, c.status == relay.StatusFailed, err != nil)
			require.Zero(t, b.sender.sent)
			require.Equal(t, c.status, b.store.status)
			require.Equal(t, c.reason, b.store.conclusion.Reason)
			require.Equal(t, []relay.Outcome{c.outcome}, b.store.outcomes(relay.SGTM), "the decision is on record")
		})
	}
}

// refusing is an adapter that makes no request.
type refusing struct {
	echo
	err error
}

func (r refusing) Request(relay.Destination, relay.Event) (relay.Request, error) {
	return relay.Request{}, r.err
}

func TestARowTakenByAnotherRunEndsTheDeliveryWithoutASend(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.sender.then = relay.Response{Status: 503}
	b.sender.after = func() { b.store.owner = "another run" }
	require.NoError(t, b.run(t))
	require.Equal(t, 1, b.sender.sent)
	require.Equal(t, relay.StatusProcessing, b.store.status, "it is the other run's to end")
	var words string
	require.NoError(t, b.GetWorkflowResult(&words))
	require.Contains(t, words, "nothing to do")
}

func TestSwitchesThatKeepChangingEndTheEvent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.activities.Lane = nil // first attempts go by the switches that make their route
	reads := 0
	b.store.reading = func() { reads, b.store.switches.SGTM.Active = reads+1, false }
	b.store.taken = func() { b.store.switches.SGTM.Active = true }
	err := b.run(t)
	var app *temporal.ApplicationError
	require.ErrorAs(t, err, &app)
	require.Equal(t, string(relay.ReasonTooManyRoutes), app.Type())
	require.Equal(t, relay.StatusFailed, b.store.status)
	require.Zero(t, b.sender.sent)
	require.Equal(t, 10, reads)
}

func TestAnEventTooOldForTheRetryAfterEnds(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.activities.Adapters[relay.SGTM] = aged{}
	b.sender.then = relay.Response{Status: 503, Header: map[string]string{"Retry-After": "7200"}}
	require.Error(t, b.run(t))
	require.Equal(t, 1, b.sender.sent)
	require.Equal(t, relay.ReasonRetryAfterTooLong, b.store.conclusion.Reason)
}

// aged is an adapter whose events are accepted for an hour.
type aged struct{ echo }

func (a aged) Request(d relay.Destination, e relay.Event) (relay.Request, error) {
	r, err := a.echo.Request(d, e)
	r.MaxAge = time.Hour
	return r, err
}

// An attempt that was lost with its worker waits as long as a failed one: the second one, 120 s.
func TestTheAttemptAfterALostOneWaitsForItsBackoff(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.sender.then = relay.Response{Status: 503}
	var lost time.Time
	b.sender.after = func() {
		switch b.sender.sent {
		case 1:
			b.store.away(5*time.Second, b.Now) // the answer travels, and the next attempt begins another activity
		case 2:
			lost = b.Now()
			b.sender.then = relay.Response{Status: 200}
			panic("the worker dies")
		}
	}
	require.NoError(t, b.run(t))
	require.Equal(t, []relay.Outcome{relay.Retry, relay.Sending, relay.Accepted}, b.store.outcomes(relay.SGTM))
	require.GreaterOrEqual(t, b.sender.last.Sub(lost), 2*time.Minute)
	require.LessOrEqual(t, b.sender.last.Sub(lost), 3*time.Minute)
}
