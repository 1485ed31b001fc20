package workflows_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"relay/activities"
	"relay/internal/relay"
	"relay/workflows"
)

// continued is the input of the run that continues a bundle's.
func continued(t *testing.T, b *bundle) workflows.DeliverInput {
	t.Helper()
	var next *workflow.ContinueAsNewError
	require.ErrorAs(t, b.GetWorkflowError(), &next)
	require.Equal(t, "DeliverEvent", next.WorkflowType.Name)
	var in workflows.DeliverInput
	require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(next.Input, &in))
	return in
}

func TestALongHistoryContinuesAsNew(t *testing.T) {
	t.Parallel()

	t.Run("while the event waits for its turn, and the first run stays the row's owner", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.SetContinueAsNewSuggested(true)
		b.store.unreadable = 1
		require.Error(t, b.run(t))
		in := continued(t, b)
		require.Equal(t, b.store.owner, in.Continued.Run)
		require.Equal(t, int64(1), in.ID)

		next := setup(t)
		next.store.status, next.store.owner = relay.StatusProcessing, "the first run"
		in.Continued.Run = "the first run"
		next.ExecuteWorkflow(workflows.DeliverEvent, in)
		require.NoError(t, next.GetWorkflowError())
		require.Equal(t, relay.StatusDelivered, next.store.status)
		require.Equal(t, 1, next.sender.sent)
	})

	t.Run("while the database is unavailable, with the unrecorded result", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.SetContinueAsNewSuggested(true)
		b.sender.then = relay.Response{Status: 503}
		b.sender.after = func() { b.store.away(time.Hour, b.Now) }
		require.Error(t, b.run(t))
		in := continued(t, b)
		require.Len(t, in.Continued.Unrecorded, 1)
		raw, err := json.Marshal(in)
		require.NoError(t, err)
		require.Less(t, len(raw), 2000)

		next := setup(t)
		next.store.attempts, next.store.status, next.store.owner = b.store.attempts, relay.StatusProcessing, in.Continued.Run
		next.ExecuteWorkflow(workflows.DeliverEvent, in)
		require.NoError(t, next.GetWorkflowError())
		require.Equal(t, []relay.Outcome{relay.Retry, relay.Accepted}, next.store.outcomes(relay.SGTM))
	})

	t.Run("not during another destination's attempt, and then with its result", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.SetContinueAsNewSuggested(true)
		b.store.switches.SGTM = nil
		b.store.switches.Platforms = []relay.PlatformSwitch{
			{Code: "ga4", PlatformActive: true, CredentialActive: true}, {Code: "meta", PlatformActive: true, CredentialActive: true}}
		b.sender.byHost = map[string]relay.Response{"meta": {Status: 503}} // for 15 minutes
		b.store.unreadableAt, b.store.unreadable = "ga4", 1000
		begin := b.Now()
		require.Error(t, b.run(t))
		in := continued(t, b)
		require.GreaterOrEqual(t, b.Now().Sub(begin), 15*time.Minute)
		require.Equal(t, []relay.DeliveryResult{{Destination: "meta", Outcome: relay.Exhausted, Reason: relay.ReasonExhausted, Status: 503, Cause: relay.ReasonServerError}}, in.Continued.Ends)
	})

	t.Run("not without a suggestion", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.store.unreadable = 10
		require.NoError(t, b.run(t))
	})
}

// A run of an older release that ignored the suggestion replays unchanged.
func TestARunFromBeforeTheGateIsUnchanged(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.SetContinueAsNewSuggested(true)
	b.OnGetVersion("deliver-continues-as-new", workflow.DefaultVersion, workflow.Version(1)).Return(workflow.DefaultVersion)
	b.store.unreadable = 3
	require.NoError(t, b.run(t))
	require.Equal(t, relay.StatusDelivered, b.store.status)
}

// A run that an older release started on the delivery queue continues on the housekeeping queue.
func TestHousekeepingContinuesOnItsOwnQueue(t *testing.T) {
	t.Parallel()
	for from, to := range map[string]string{"relay": "relay-housekeeping", "relay-housekeeping": "relay-housekeeping"} {
		var suite testsuite.WorkflowTestSuite
		env := suite.NewTestWorkflowEnvironment()
		env.SetStartWorkflowOptions(client.StartWorkflowOptions{TaskQueue: from, ID: workflows.PollInboxID})
		env.RegisterWorkflow(workflows.PollInbox)
		env.RegisterActivityWithOptions(func(context.Context, activities.PollInput) error { return nil }, activity.RegisterOptions{Name: "PollInbox"})
		env.ExecuteWorkflow(workflows.PollInbox, activities.PollInput{})
		var next *workflow.ContinueAsNewError
		require.ErrorAs(t, env.GetWorkflowError(), &next)
		require.Equal(t, to, next.TaskQueueName)
	}
}
