package workflows_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"relay/activities"
	"relay/internal/relay"
	"relay/workflows"
)

// bundle is one event in a fake inbox, the real activities, and a destination with scripted responses.
type bundle struct {
	*testsuite.TestWorkflowEnvironment
	store      *store
	sender     *sender
	activities *activities.Activities
}

func setup(t *testing.T) *bundle {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(quiet{})
	b := &bundle{TestWorkflowEnvironment: suite.NewTestWorkflowEnvironment(), store: newStore(), sender: &sender{}}
	b.SetTestTimeout(2 * time.Minute)
	b.sender.now = b.Now
	b.RegisterWorkflow(workflows.DeliverEvent)
	b.activities = &activities.Activities{
		Store:    b.store,
		Sender:   b.sender,
		Adapters: map[string]relay.Adapter{relay.SGTM: echo{}, "meta": echo{}, "ga4": echo{}},
		Policy:   relay.Policy{MaxAttempts: 5, Base: time.Minute},
		Health:   b.store,
		Recovery: b.store,
		Limiter:  &activities.Limiter{Now: b.Now},
		Lane:     &activities.Lane{},
		Log:      slog.New(slog.DiscardHandler),
	}
	b.RegisterActivity(b.activities)
	return b
}

func (b *bundle) run(t *testing.T) error {
	t.Helper()
	b.ExecuteWorkflow(workflows.DeliverEvent, workflows.DeliverInput{ID: 1})
	require.True(t, b.IsWorkflowCompleted())
	return b.GetWorkflowError()
}

func TestDeliverEvent(t *testing.T) {
	t.Parallel()

	t.Run("an accepted event is delivered with one attempt", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		require.NoError(t, b.run(t))
		require.Equal(t, relay.StatusDelivered, b.store.status)
		require.Equal(t, []relay.Outcome{relay.Accepted}, b.store.outcomes(relay.SGTM))
		require.Zero(t, b.store.leasesEnded)
		var text string
		require.NoError(t, b.GetWorkflowResult(&text))
		require.Equal(t, "delivered; sgtm: accepted, last response 200", text)
	})

	t.Run("503 twice, then 200: three attempts, after 60 and 120 s", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.sender.replies = []relay.Response{{Status: 503}, {Status: 503}, {Status: 200}}
		begin := b.Now()
		require.NoError(t, b.run(t))
		require.Equal(t, relay.StatusDelivered, b.store.status)
		require.Equal(t, []relay.Outcome{relay.Retry, relay.Retry, relay.Accepted}, b.store.outcomes(relay.SGTM))
		took := b.sender.last.Sub(begin)
		require.GreaterOrEqual(t, took, 180*time.Second)
		require.LessOrEqual(t, took, 199*time.Second, "60 + 120 s and a tenth")
		require.Equal(t, 2, b.store.leasesEnded, "while it waits, others of its storefront may start")
	})

	t.Run("five failures end it as exhausted, after 15 minutes", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.sender.then = relay.Response{Status: 500}
		begin := b.Now()
		err := b.run(t)
		var app *temporal.ApplicationError
		require.ErrorAs(t, err, &app)
		require.Equal(t, "exhausted", app.Type())
		require.Equal(t, temporal.ApplicationErrorCategoryBenign, app.Category(), "an event that failed is no failure of the worker")
		require.Equal(t, "sgtm: no attempts left (exhausted), last response 500: the destination reported a server error (server_error)", app.Message())
		require.Equal(t, relay.StatusFailed, b.store.status)
		require.Equal(t, relay.ReasonExhausted, b.store.conclusion.Reason)
		require.Contains(t, b.store.conclusion.Detail, "last response 500")
		require.Len(t, b.store.outcomes(relay.SGTM), 5)
		require.Equal(t, 5, b.store.leasesEnded)
		took := b.sender.last.Sub(begin)
		require.GreaterOrEqual(t, took, 15*time.Minute)
		require.LessOrEqual(t, took, 17*time.Minute)
	})

	t.Run("a rejection ends it at once", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.sender.then = relay.Response{Status: 422}
		require.Error(t, b.run(t))
		require.Equal(t, relay.StatusFailed, b.store.status)
		require.Equal(t, relay.ReasonBadRequest, b.store.conclusion.Reason)
		require.Len(t, b.store.outcomes(relay.SGTM), 1)
	})

	t.Run("Retry-After sets the wait", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.sender.replies = []relay.Response{{Status: 429, Header: map[string]string{"Retry-After": "3600"}}}
		begin := b.Now()
		require.NoError(t, b.run(t))
		require.GreaterOrEqual(t, b.sender.last.Sub(begin), time.Hour)
	})

	t.Run("a Retry-After of two days ends it", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.sender.replies = []relay.Response{{Status: 429, Header: map[string]string{"Retry-After": "172800"}}}
		require.Error(t, b.run(t))
		require.Equal(t, relay.ReasonRetryAfterTooLong, b.store.conclusion.Reason)
	})

	t.Run("a row of another run does not change", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.store.status, b.store.owner = relay.StatusProcessing, "another run"
		require.NoError(t, b.run(t))
		require.Equal(t, relay.StatusProcessing, b.store.status)
		require.Zero(t, b.sender.sent)
	})
}

func TestTheDatabaseIsAway(t *testing.T) {
	t.Parallel()

	t.Run("for longer than all attempts: the event arrives with its first attempt", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.store.away(20*time.Minute, b.Now)
		require.NoError(t, b.run(t))
		require.Equal(t, relay.StatusDelivered, b.store.status)
		require.Len(t, b.store.outcomes(relay.SGTM), 1)
	})

	t.Run("when the response arrives: it is not sent again, and the record is completed", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.sender.after = func() { b.store.away(10*time.Minute, b.Now) }
		require.NoError(t, b.run(t))
		require.Equal(t, 1, b.sender.sent)
		require.Equal(t, relay.StatusDelivered, b.store.status)
		require.Equal(t, []relay.Outcome{relay.Accepted}, b.store.outcomes(relay.SGTM))
	})

	t.Run("when a failure arrives: the attempt counts", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.sender.then = relay.Response{Status: 500}
		b.sender.after = func() { b.store.away(10*time.Minute, b.Now) }
		require.Error(t, b.run(t))
		require.Equal(t, 5, b.sender.sent)
		require.Equal(t, relay.ReasonExhausted, b.store.conclusion.Reason)
	})

	t.Run("when the attempt is recorded: nothing is sent, and no attempt is used up", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.store.failRecords = 7
		require.NoError(t, b.run(t))
		require.Equal(t, 1, b.sender.sent)
		require.Equal(t, relay.StatusDelivered, b.store.status)
	})
}

func TestSwitches(t *testing.T) {
	t.Parallel()

	t.Run("sGTM switched off between two attempts: the event is sent to the platforms", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.store.switches.Platforms = []relay.PlatformSwitch{{Code: "meta", PlatformActive: true, CredentialActive: true}}
		b.sender.replies = []relay.Response{{Status: 503}}
		b.sender.after = func() { b.store.switches.SGTM.Active = false }
		require.NoError(t, b.run(t))
		require.Equal(t, relay.StatusDelivered, b.store.status)
		require.Equal(t, []relay.Outcome{relay.Retry, relay.Blocked}, b.store.outcomes(relay.SGTM))
		require.Equal(t, []relay.Outcome{relay.Accepted}, b.store.outcomes("meta"))
		require.Contains(t, b.store.conclusion.Detail, "sgtm_disabled")
	})

	t.Run("one platform fails and one accepts: failed, and a retry sends only to the one that failed", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.store.switches.SGTM = nil
		b.store.switches.Platforms = []relay.PlatformSwitch{
			{Code: "meta", PlatformActive: true, CredentialActive: true},
			{Code: "ga4", PlatformActive: true, CredentialActive: true},
		}
		b.sender.byHost = map[string]relay.Response{"meta": {Status: 400}}
		require.Error(t, b.run(t))
		require.Equal(t, relay.StatusFailed, b.store.status)
		require.Equal(t, []relay.Outcome{relay.Rejected}, b.store.outcomes("meta"))
		require.Equal(t, []relay.Outcome{relay.Accepted}, b.store.outcomes("ga4"))

		retried := setup(t)
		retried.store.switches, retried.store.attempts = b.store.switches, b.store.attempts
		retried.store.generation = b.store.generation + 1
		require.NoError(t, retried.run(t))
		require.Equal(t, relay.StatusDelivered, retried.store.status)
		require.Equal(t, 1, retried.sender.sent)
	})

	t.Run("an inactive storefront's event is skipped", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.store.switches.Storefront.Active = false
		require.NoError(t, b.run(t))
		require.Equal(t, relay.StatusSkipped, b.store.status)
		require.Equal(t, relay.ReasonStorefrontDisabled, b.store.conclusion.Reason)
		var text string
		require.NoError(t, b.GetWorkflowResult(&text))
		require.Equal(t, "skipped; the storefront is switched off", text)
	})

	t.Run("an exhausted container fails over to the platforms, if so configured", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.store.switches.SGTM.DirectOnExhausted = true
		b.store.switches.Platforms = []relay.PlatformSwitch{{Code: "meta", PlatformActive: true, CredentialActive: true}}
		b.sender.byHost = map[string]relay.Response{relay.SGTM: {Status: 500}}
		require.NoError(t, b.run(t))
		require.Equal(t, relay.StatusDelivered, b.store.status)
		require.Len(t, b.store.outcomes(relay.SGTM), 5)
		require.Equal(t, []relay.Outcome{relay.Accepted}, b.store.outcomes("meta"))
		require.Equal(t, "meta: accepted, last response 200; sgtm: no attempts left (exhausted), last response 500: the destination reported a server error (server_error)", b.store.conclusion.Detail)
	})

	t.Run("an exhausted container fails the event without an active platform", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.store.switches.SGTM.DirectOnExhausted = true
		b.store.switches.Platforms = []relay.PlatformSwitch{{Code: "meta", PlatformActive: true}}
		b.sender.then = relay.Response{Status: 500}
		require.Error(t, b.run(t))
		require.Equal(t, relay.StatusFailed, b.store.status, "a recovery looks for failed events")
		require.Equal(t, relay.ReasonExhausted, b.store.conclusion.Reason)
		require.Equal(t, 5, b.sender.sent)
	})
}

type quiet struct{}

func (quiet) Debug(string, ...any) {}
func (quiet) Info(string, ...any)  {}
func (quiet) Warn(string, ...any)  {}
func (quiet) Error(string, ...any) {}

// echo is an adapter for a destination whose key is its host.
type echo struct{}

func (echo) Check(relay.Destination) error { return nil }

func (echo) Request(d relay.Destination, _ relay.Event) (relay.Request, error) {
	return relay.Request{Method: "POST", URL: "https://" + d.Key + "/", Repeatable: true}, nil
}

func (echo) Outcome(r relay.Response) relay.Result { return r.Result() }
