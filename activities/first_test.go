package activities_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/activities"
	"relay/internal/relay"
)

func TestFirstAttemptsEndTheEventWithTheLastOfThem(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		responses map[string]relay.Response
		ends      map[string]relay.Outcome
		status    relay.Status // "" is none yet
		text      string
	}{
		"all accept": {nil, map[string]relay.Outcome{"a": relay.Accepted, "b": relay.Accepted}, relay.StatusDelivered,
			"a: accepted, last response 200; b: accepted, last response 200"},
		"one rejects": {map[string]relay.Response{"b": {Status: 422}}, map[string]relay.Outcome{"a": relay.Accepted, "b": relay.Rejected}, relay.StatusFailed,
			"a: accepted, last response 200; b: the destination rejected the request as malformed (bad_request), last response 422"},
		"one is to be retried": {map[string]relay.Response{"b": {Status: 503}}, map[string]relay.Outcome{"a": relay.Accepted, "b": relay.Retry}, "",
			"a: accepted, last response 200; b: the destination reported a server error (server_error), last response 503, next attempt in 1m"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, o := &twoRows{}, &outside{responses: c.responses}
			out := resolveFirst(t, firstOf(s, o))
			require.True(t, out.Taken)
			require.Equal(t, c.ends, ends(out))
			require.Contains(t, out.First.Text, c.text)
			slices.Sort(o.sent)
			require.Equal(t, []string{"a", "b"}, o.sent)
			require.Equal(t, c.status, s.status)
			if c.status == "" {
				require.Nil(t, out.First.Finished)
				require.Len(t, s.waits, 1, "the row holds the wait")
				require.InDelta(t, 63, s.waits[0].After.Seconds(), 3)
				return
			}
			require.Equal(t, 1, s.finishes)
			require.Equal(t, c.status, out.First.Finished.Status)
			require.Equal(t, vendorText, s.rows[0].Result.TraceID, "the row holds it")
		})
	}
}

// A target that cannot be attempted at once delays nothing: the activity that follows decides on it again.
func TestATargetWithoutRoomIsAttemptedByAnActivity(t *testing.T) {
	t.Parallel()
	slow := func(a *activities.Activities, _ *twoRows) { a.Lane.Observe(1, "b", 2*time.Second) }
	for name, c := range map[string]struct {
		given func(*activities.Activities, *twoRows)
		why   string
	}{
		"failing":                 {func(_ *activities.Activities, s *twoRows) { s.health = map[string]relay.Health{"b": {Failures: 1}} }, "the destination is not healthy"},
		"unhealthy":               {func(_ *activities.Activities, s *twoRows) { s.health = map[string]relay.Health{"b": {Unhealthy: true}} }, "the destination is not healthy"},
		"unreadable":              {func(_ *activities.Activities, s *twoRows) { s.unreadable = true }, "its settings cannot be read"},
		"slow":                    {slow, "the destination is slow"},
		"asks for fewer requests": {func(a *activities.Activities, _ *twoRows) { a.Limiter.Close(1, "b", time.Hour) }, "a limit of the destination is reached"},
		"at its limit": {func(a *activities.Activities, s *twoRows) {
			s.limits = map[string]relay.Limits{"b": {InFlight: 1}}
			_, _ = a.Limiter.Enter(t.Context(), 1, "b", 0, s.limits["b"])
		}, "a limit of the destination is reached"},
		"others wait for the limit": {func(a *activities.Activities, s *twoRows) {
			s.limits = map[string]relay.Limits{"b": {PerSecond: 1}}
			leave, _ := a.Limiter.Enter(t.Context(), 1, "b", 0, s.limits["b"])
			leave()
		}, "a limit of the destination is reached"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, o := &twoRows{}, &outside{}
			a := firstOf(s, o)
			c.given(a, s)
			out := resolveFirst(t, a)
			require.Equal(t, map[string]relay.Outcome{"a": relay.Accepted}, ends(out))
			require.Equal(t, []string{"a"}, o.sent)
			require.Nil(t, out.First.Finished)
			require.Equal(t, "a: accepted, last response 200; b: in an activity of its own, because "+c.why, out.First.Text)
			_, on := out.Route.Target("b")
			require.True(t, on)
		})
	}
}

// A target whose turn is known to be far off waits at once, without an activity of its own.
func TestATargetFarFromItsTurnWaitsWithoutAnActivity(t *testing.T) {
	t.Parallel()
	s, o := &twoRows{limits: map[string]relay.Limits{"b": {InFlight: 1, PerSecond: 0.1}}}, &outside{}
	a, now := firstOf(s, o), time.Now()
	a.Limiter.Now = func() time.Time { return now }
	for range 8 { // which the limiter learns from
		leave, _ := a.Limiter.Enter(t.Context(), 1, "b", 0, s.limits["b"])
		leave()
		now = now.Add(10 * time.Second)
	}
	leave, _ := a.Limiter.Enter(t.Context(), 1, "b", 0, s.limits["b"])
	defer leave()
	out := resolveFirst(t, a)
	require.Equal(t, map[string]relay.Outcome{"a": relay.Accepted, "b": relay.NotSent}, ends(out))
	require.Equal(t, []string{"a"}, o.sent)
	require.Nil(t, out.First.Finished)
	for _, attempt := range out.First.Attempts {
		require.Equal(t, attempt.End.Destination == "b", attempt.SameRoute)
		if attempt.SameRoute {
			require.Equal(t, relay.ReasonLimited, attempt.End.Reason)
			require.InDelta(t, 9, attempt.Wait.Seconds(), 2)
		}
	}
	require.Len(t, s.waits, 1, "the row shows the wait")
}

// The task of a run is repeated after a kill at any moment.
func TestARepeatedTaskReadsTheRowsOfItsAttempts(t *testing.T) {
	t.Parallel()
	row := func(destination string, o relay.Outcome, reason relay.Reason, status int) relay.Attempt {
		return relay.Attempt{AttemptID: destination, Destination: destination, Number: 1, Result: relay.Result{Outcome: o, Reason: reason, Status: status}}
	}
	accepted := row("a", relay.Accepted, "", 200)
	for name, c := range map[string]struct {
		rows []relay.Attempt
		age  time.Duration
		sent []string
		b    activities.DeliverOutput // zero: an activity of its own
	}{
		"the result is unknown": {[]relay.Attempt{accepted, row("b", relay.Sending, "", 0)}, 10 * time.Second, nil,
			activities.DeliverOutput{End: relay.DeliveryResult{Destination: "b", Outcome: relay.Retry, Reason: relay.ReasonInterrupted}, Wait: 50 * time.Second}},
		"it failed": {[]relay.Attempt{accepted, row("b", relay.Retry, relay.ReasonServerError, 503)}, 10 * time.Second, nil,
			activities.DeliverOutput{End: relay.DeliveryResult{Destination: "b", Outcome: relay.Retry, Reason: relay.ReasonServerError, Status: 503}, Wait: 50 * time.Second}},
		"it is due again": {[]relay.Attempt{accepted, row("b", relay.Sending, "", 0)}, time.Hour, nil, activities.DeliverOutput{}},
		"it was rejected": {[]relay.Attempt{accepted, row("b", relay.Rejected, relay.ReasonBadRequest, 422)}, time.Second, nil,
			activities.DeliverOutput{End: relay.DeliveryResult{Destination: "b", Outcome: relay.Rejected, Reason: relay.ReasonBadRequest, Status: 422}}},
		"a second copy would count twice": {[]relay.Attempt{accepted, row("b", relay.Unknown, relay.ReasonUnknown, 0)}, time.Second, nil,
			activities.DeliverOutput{End: relay.DeliveryResult{Destination: "b", Outcome: relay.Unknown, Reason: relay.ReasonUnknown}}},
		"only one was recorded": {[]relay.Attempt{accepted}, time.Second, []string{"b"},
			activities.DeliverOutput{End: relay.DeliveryResult{Destination: "b", Outcome: relay.Accepted, Status: 200}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, o := &twoRows{rows: c.rows, age: c.age}, &outside{}
			out := resolveFirst(t, firstOf(s, o))
			require.Equal(t, c.sent, o.sent)
			if c.b.End.Destination == "" {
				require.Empty(t, out.First.Attempts)
				return
			}
			require.Equal(t, []activities.DeliverOutput{c.b}, out.First.Attempts)
			if target, _ := out.Route.Target("b"); c.b.End.Outcome == relay.Retry {
				require.Equal(t, 5, target.Left, "its activity counts the attempt that was made")
				require.Nil(t, out.First.Finished)
			} else {
				require.NotNil(t, out.First.Finished, "a is accepted, and b has ended")
			}
		})
	}

	t.Run("the event ended", func(t *testing.T) {
		t.Parallel()
		end := relay.DeliveryResult{Destination: "a", Outcome: relay.Rejected, Reason: relay.ReasonBadRequest, Status: 422}
		s, o := &twoRows{status: relay.StatusFailed, outcome: relay.EventOutcome{Status: relay.StatusFailed, Reason: relay.ReasonBadRequest, Detail: "why",
			Ends: []relay.DeliveryResult{end}}}, &outside{}
		out := resolveFirst(t, firstOf(s, o))
		require.Empty(t, o.sent)
		require.Zero(t, s.finishes)
		require.True(t, out.Taken)
		require.Equal(t, &activities.FinishOutput{Status: relay.StatusFailed, Reason: relay.ReasonBadRequest, Detail: "why"}, out.First.Finished)
		require.Equal(t, []activities.DeliverOutput{{End: end}}, out.First.Attempts)
	})
	t.Run("the row is another run's", func(t *testing.T) {
		t.Parallel()
		o := &outside{}
		require.Equal(t, activities.ResolveOutput{}, resolveFirst(t, firstOf(&twoRows{lost: true}, o)))
		require.Empty(t, o.sent)
	})
	t.Run("the storefront was deleted", func(t *testing.T) {
		t.Parallel()
		out := resolveFirst(t, firstOf(&twoRows{gone: true}, &outside{}))
		require.Equal(t, relay.ReasonUnknownStorefront, out.Route.Reason)
		require.Nil(t, out.First)
	})
}

// A live worker may still wait for a response when its task is repeated.
func TestAnAttemptIsNotRepeatedWhileItsExchangeMayBeUnderWay(t *testing.T) {
	t.Parallel()
	s, o := &twoRows{age: 4 * time.Second, rows: []relay.Attempt{
		{AttemptID: "1", Destination: "a", Number: 1, Result: relay.Result{Outcome: relay.Sending}},
		{AttemptID: "2", Destination: "b", Number: 1, Result: relay.Result{Outcome: relay.Retry}},
	}}, &outside{}
	a := firstOf(s, o)
	a.Policy.Base = 5 * time.Second
	out := resolveFirst(t, a)
	require.Empty(t, o.sent)
	require.Equal(t, 7500*time.Millisecond, out.First.Attempts[0].Wait, "10 s of the exchange and 1.5 s to complete it")
	require.Equal(t, time.Second, out.First.Attempts[1].Wait)
}

func TestFirstAttemptsWithoutADatabase(t *testing.T) {
	t.Parallel()
	t.Run("not recorded: nothing is sent, and the next step writes the result", func(t *testing.T) {
		t.Parallel()
		s, o := &twoRows{}, &outside{}
		s.recordErr = errors.New("away")
		out := resolveFirst(t, firstOf(s, o))
		require.Empty(t, o.sent)
		require.Equal(t, map[string]relay.Outcome{"a": relay.NotSent, "b": relay.NotSent}, ends(out))
		for i, one := range out.First.Attempts {
			require.Equal(t, s.rows[i].AttemptID, one.Unrecorded[0].AttemptID)
		}
	})
	t.Run("not completed: the workflow carries the results, and nothing is sent again", func(t *testing.T) {
		t.Parallel()
		s, o := &twoRows{}, &outside{}
		s.completeErr = errors.New("away")
		out := resolveFirst(t, firstOf(s, o))
		require.Len(t, o.sent, 2)
		require.Nil(t, out.First.Finished)
		for _, one := range out.First.Attempts {
			require.Equal(t, relay.Accepted, one.End.Outcome)
			require.Equal(t, relay.Accepted, one.Unrecorded[0].Result.Outcome)
		}
	})
}

// The response of a quick destination is not kept in memory for as long as a slow one takes.
func TestAResponseIsStoredBeforeTheOthersArrive(t *testing.T) {
	t.Parallel()
	s, o := &twoRows{}, &outside{hold: map[string]chan struct{}{"b": make(chan struct{})}}
	stored := func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.status == "" && slices.ContainsFunc(s.rows, func(r relay.Attempt) bool { return r.Result.Outcome == relay.Accepted })
	}
	before := false
	go func() {
		defer close(o.hold["b"])
		for end := time.Now().Add(10 * time.Second); !before && time.Now().Before(end); time.Sleep(time.Millisecond) {
			before = stored()
		}
	}()
	out := resolveFirst(t, firstOf(s, o))
	require.True(t, before)
	require.Equal(t, relay.StatusDelivered, s.status)
	require.Len(t, out.First.Attempts, 2)
}

// An adapter that panics fails its own attempt, as in an activity, and neither the worker nor the other destinations.
func TestAnAdapterThatPanicsFailsItsOwnAttempt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		adapter relay.Adapter
		ends    map[string]relay.Outcome
	}{
		"at the request":  {panicking{request: true}, map[string]relay.Outcome{"a": relay.Accepted}},
		"at the response": {panicking{}, map[string]relay.Outcome{"a": relay.Accepted, "b": relay.Retry}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, o := &twoRows{}, &outside{}
			a := firstOf(s, o)
			a.Adapters["b"] = c.adapter
			out := resolveFirst(t, a)
			require.Equal(t, c.ends, ends(out))
			require.Nil(t, out.First.Finished)
			require.Empty(t, s.status)
			require.True(t, a.Lane.HasRoom())
		})
	}
}
