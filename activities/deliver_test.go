package activities_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"relay/activities"
	"relay/internal/relay"
)

// oneRow is the store of one event at one destination.
type oneRow struct {
	activities.HealthStore

	mu          sync.Mutex
	unreadable  bool
	away        bool
	recordErr   error
	completeErr error
	limits      relay.Limits
	recorded    []relay.Attempt
	completed   []relay.AttemptEnd
	waits       []relay.Waiting
}

func (s *oneRow) Take(context.Context, int64, string) (bool, error) { return true, nil }

func (s *oneRow) Switches(context.Context, int64) (relay.Switches, error) { return s.switches(), nil }

func (s *oneRow) switches() relay.Switches {
	return relay.Switches{Storefront: relay.Storefront{ID: 1, Code: "bosley", Active: true}, SGTM: &relay.SGTMSwitch{Active: true}}
}

func (s *oneRow) Delivery(_ context.Context, id int64, _, destination string) (relay.Delivery, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.away:
		return relay.Delivery{}, relay.ErrUnavailable
	case s.unreadable:
		return relay.Delivery{Owned: true}, relay.ErrUnreadable
	}
	return relay.Delivery{Owned: true, Event: relay.Event{ID: id, Storefront: s.switches().Storefront}, Switches: s.switches(),
		Destination: relay.Destination{Key: destination, Options: relay.Options{Limits: s.limits}}}, nil
}

func (s *oneRow) Begin(ctx context.Context, id int64, run string) (relay.Opening, error) {
	d, err := s.Delivery(ctx, id, run, relay.SGTM)
	return relay.Opening{Taken: true, Switches: d.Switches, Deliveries: map[string]relay.Delivery{relay.SGTM: d}}, err
}

func (s *oneRow) RecordSending(_ context.Context, attempts ...relay.Attempt) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.recorded = append(s.recorded, attempts...)
	return s.recordErr
}

func (s *oneRow) CompleteAttempts(ctx context.Context, ends []relay.AttemptEnd) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if s.completeErr == nil {
		s.completed = append(s.completed, ends...)
	}
	return s.completeErr
}

func (s *oneRow) Wait(_ context.Context, _ int64, w relay.Waiting) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waits = append(s.waits, w)
	return nil
}

func (s *oneRow) Conclude(ctx context.Context, _ int64, _ string, _ relay.EventOutcome, ends []relay.AttemptEnd) error {
	return s.CompleteAttempts(ctx, ends)
}

func (s *oneRow) Finish(context.Context, int64, string, relay.EventOutcome) error { return nil }
func (s *oneRow) Cancel(context.Context, int64, string, relay.EventOutcome) error { return nil }

func (*oneRow) RecordFailure(context.Context, int64, string, relay.Failure) error { return nil }

// wire is the destination.
type wire struct {
	reply relay.Response
	sent  int
	then  context.CancelFunc
}

func (w *wire) Send(context.Context, relay.Request) relay.Response {
	w.sent++
	if w.then != nil {
		w.then()
	}
	w.reply.Sent, w.reply.Repeatable = true, true
	return w.reply
}

// talkative is an adapter that keeps the text of the vendor's response.
type talkative struct{}

const vendorText = "jane@example.com is not a customer"

func (talkative) Check(relay.Destination) error { return nil }

func (talkative) Request(relay.Destination, relay.Event) (relay.Request, error) {
	return relay.Request{Method: "POST", URL: "https://example.com/", Repeatable: true}, nil
}

func (talkative) Outcome(r relay.Response) relay.Result {
	result := r.Result()
	result.TraceID, result.Fields = vendorText, map[string]string{"message": vendorText}
	return result
}

// deliver runs one Deliver, and returns its results for Temporal: the output, the error, and both as text.
func deliver(t *testing.T, s *oneRow, w *wire, options ...func(*activities.Activities, *testsuite.TestActivityEnvironment)) (activities.DeliverOutput, string, error) {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	a := &activities.Activities{Store: s, Sender: w, Adapters: map[string]relay.Adapter{relay.SGTM: talkative{}}, Health: s,
		Policy: relay.Policy{MaxAttempts: 5, Base: time.Minute}, Limiter: &activities.Limiter{}, Log: slog.New(slog.DiscardHandler)}
	for _, o := range options {
		o(a, env)
	}
	env.RegisterActivity(a)
	value, err := env.ExecuteActivity(a.Deliver, activities.DeliverInput{Row: activities.Row{ID: 1, Run: "run"}, Destination: relay.SGTM})
	var out activities.DeliverOutput
	if err == nil {
		require.NoError(t, value.Get(&out))
	}
	raw, e := json.Marshal(out)
	require.NoError(t, e)
	text := string(raw)
	if err != nil {
		text += temporal.GetDefaultFailureConverter().ErrorToFailure(err).String()
	}
	return out, text, err
}

func TestAnAttemptThatIsNotRecordedIsNotSent(t *testing.T) {
	t.Parallel()
	s, w := &oneRow{recordErr: relay.ErrUnavailable}, &wire{reply: relay.Response{Status: 200}}
	out, _, err := deliver(t, s, w)
	require.NoError(t, err)
	require.Zero(t, w.sent)
	require.Equal(t, relay.NotSent, out.End.Outcome)
	require.Len(t, s.recorded, 1)
	require.Equal(t, []relay.AttemptEnd{{AttemptID: s.recorded[0].AttemptID, Result: relay.Result{Outcome: relay.NotSent, Reason: relay.ReasonDatabaseUnavailable}}},
		out.Unrecorded, "the row may be there, and says so later")
}

func TestNoTextOfAVendorReachesTemporal(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status      int
		completeErr error
	}{
		"accepted":                  {200, nil},
		"accepted, and unrecorded":  {200, relay.ErrUnavailable},
		"retryable":                 {503, nil},
		"retryable, and unrecorded": {503, relay.ErrUnavailable},
		"rejected":                  {422, nil},
		"rejected, and unrecorded":  {422, relay.ErrUnavailable},
		"unauthorized":              {401, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &oneRow{completeErr: c.completeErr}
			out, text, _ := deliver(t, s, &wire{reply: relay.Response{Status: c.status}})
			require.NotContains(t, text, vendorText)
			require.NotContains(t, text, "jane")
			if c.completeErr != nil {
				require.Len(t, out.Unrecorded, 1)
				require.Equal(t, c.status, out.Unrecorded[0].Result.Status)
			} else {
				require.Equal(t, vendorText, s.completed[0].Result.TraceID, "the row holds it")
			}
		})
	}
}

// A response that arrives while the worker stops is stored.
func TestAResponseIsRecordedWhileTheWorkerStops(t *testing.T) {
	t.Parallel()
	s, w := &oneRow{}, &wire{reply: relay.Response{Status: 200}}
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	a := &activities.Activities{Store: s, Sender: w, Adapters: map[string]relay.Adapter{relay.SGTM: talkative{}}, Health: s,
		Policy: relay.Policy{MaxAttempts: 5, Base: time.Minute}, Limiter: &activities.Limiter{}, Log: slog.New(slog.DiscardHandler)}
	f := func(ctx context.Context, in activities.DeliverInput) (activities.DeliverOutput, error) {
		ctx, w.then = context.WithCancel(ctx)
		return a.Deliver(ctx, in)
	}
	env.RegisterActivity(f)
	_, err := env.ExecuteActivity(f, activities.DeliverInput{Row: activities.Row{ID: 1, Run: "run"}, Destination: relay.SGTM})
	require.NoError(t, err)
	require.Len(t, s.completed, 1)
	require.Equal(t, relay.Accepted, s.completed[0].Result.Outcome)
}

func TestAWaitIsRecordedWithItsReason(t *testing.T) {
	t.Parallel()
	closed := func(a *activities.Activities, _ *testsuite.TestActivityEnvironment) {
		a.Limiter.Close(1, relay.SGTM, time.Hour)
	}
	none := func(*activities.Activities, *testsuite.TestActivityEnvironment) {}
	for name, c := range map[string]struct {
		store  *oneRow
		status int
		with   func(*activities.Activities, *testsuite.TestActivityEnvironment)
		wants  relay.WaitsFor
		least  time.Duration
		flight bool
	}{
		"a failed attempt": {&oneRow{}, 503, none, relay.WaitsForRetry, time.Minute, false},
		"a destination that asked for fewer requests": {&oneRow{}, 200, closed, relay.WaitsForLimit, time.Hour, true},
		"a credential that does not decrypt":          {&oneRow{unreadable: true}, 200, none, relay.WaitsForCredential, time.Minute, true},
		"a database that cannot be read":              {&oneRow{away: true}, 200, none, relay.WaitsForDatabase, 10 * time.Second, true},
		"a database that cannot be written to":        {&oneRow{recordErr: errors.New("read only")}, 200, none, relay.WaitsForDatabase, 10 * time.Second, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, _ = deliver(t, c.store, &wire{reply: relay.Response{Status: c.status}}, c.with)
			require.Len(t, c.store.waits, 1)
			w := c.store.waits[0]
			require.Equal(t, c.wants, w.For)
			require.Equal(t, c.flight, w.InFlight)
			require.GreaterOrEqual(t, w.After, c.least)
			require.LessOrEqual(t, w.After, c.least*12/10)
		})
	}
	s := &oneRow{}
	_, _, err := deliver(t, s, &wire{reply: relay.Response{Status: 200}})
	require.NoError(t, err)
	require.Empty(t, s.waits, "an immediate delivery costs no further write")
}

// The SDK logs errors that are not benign at error level, and counts them as failed activities: an outage of a vendor would flood both.
func TestAVendorsFailureIsBenign(t *testing.T) {
	t.Parallel()
	for status, retryable := range map[int]bool{503: true, 429: true, 422: false, 401: false} {
		_, _, err := deliver(t, &oneRow{}, &wire{reply: relay.Response{Status: status}})
		var app *temporal.ApplicationError
		require.ErrorAs(t, err, &app)
		require.Equal(t, retryable, !app.NonRetryable(), status)
		require.Equal(t, temporal.ApplicationErrorCategoryBenign, app.Category(), status)
	}
	_, err := (&activities.Activities{Store: failingTake{}}).ResolveRoute(t.Context(), activities.ResolveInput{})
	var app *temporal.ApplicationError
	require.ErrorAs(t, err, &app)
	require.NotEqual(t, temporal.ApplicationErrorCategoryBenign, app.Category(), "an outage of the relay's own database is not benign")
}

// failingTake is a store whose database is unavailable.
type failingTake struct{ *oneRow }

func (failingTake) Take(context.Context, int64, string) (bool, error) {
	return false, relay.ErrUnavailable
}
