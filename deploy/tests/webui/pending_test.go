package webui_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"relay/deploy/sandbox"
	"relay/internal/ops"
	"relay/internal/relay"
	"relay/workflows"
)

const tick = 50 * time.Millisecond

// waits is a response that asks for ten minutes before the next attempt.
var waits = sandbox.Answer{Status: 503, Headers: map[string]string{"Retry-After": "600"}}

// pending returns the entry of the tab Pending Activities, once it waits for the attempt.
func (w *world) pending(t *testing.T, x *commonpb.WorkflowExecution, attempt int32) *workflow.PendingActivityInfo {
	t.Helper()
	var found *workflow.PendingActivityInfo
	require.Eventually(t, func() bool {
		d, err := w.temporal.DescribeWorkflowExecution(t.Context(), x.GetWorkflowId(), x.GetRunId())
		if err != nil || len(d.GetPendingActivities()) != 1 {
			return false
		}
		found = d.GetPendingActivities()[0]
		return found.GetAttempt() == attempt && found.GetState() == enums.PENDING_ACTIVITY_STATE_SCHEDULED
	}, bound, tick)
	return found
}

func attempted(n int) func(ops.EventDetail) bool { return attemptedAt(relay.SGTM, n) }

// attemptedAt returns a condition for until: n attempts, the last of which has a response.
func attemptedAt(destination string, n int) func(ops.EventDetail) bool {
	return func(e ops.EventDetail) bool {
		all := sends(e, destination)
		return len(all) == n && all[n-1] != relay.Sending
	}
}

// The Web UI's buttons Pause, Unpause and Reset of a pending activity, by their calls: the tab is rebuilt with
// every refresh, so that clicks in it are unreliable.
func TestAWaitingAttemptIsRetriedNow(t *testing.T) {
	w := setup(t)
	w.Storefront(t, "pfizer")
	w.RespondWith(t, "/pfizer", waits)
	w.Post(t, "pfizer", "p-1")
	x := w.execution(t, w.Until(t, "p-1", attempted(1)))
	service := w.temporal.WorkflowService()

	info := w.pending(t, x, 2)
	require.Contains(t, info.GetLastFailure().GetMessage(), "sgtm: the destination reported a server error (server_error), last response 503")
	p := w.browse(t)
	p.search(`EventId="p-1"`)
	p.click(`tbody a[href*="deliver-event"]`, "")
	p.click("#pending-activities-tab", "")
	p.wait("the reason of the wait", func() bool { return strings.Contains(p.text(), "the destination reported a server error") })
	p.picture("waiting")

	_, err := service.PauseActivity(t.Context(), &workflowservice.PauseActivityRequest{Namespace: namespace, Execution: x,
		Activity: &workflowservice.PauseActivityRequest_Id{Id: info.GetActivityId()}, Reason: "test"})
	require.NoError(t, err)
	_, err = service.UnpauseActivity(t.Context(), &workflowservice.UnpauseActivityRequest{Namespace: namespace, Execution: x,
		Activity: &workflowservice.UnpauseActivityRequest_Id{Id: info.GetActivityId()}})
	require.NoError(t, err)
	w.Until(t, "p-1", attempted(2))
	w.pending(t, x, 3) // the count was kept

	_, err = service.ResetActivity(t.Context(), &workflowservice.ResetActivityRequest{Namespace: namespace, Execution: x,
		Activity: &workflowservice.ResetActivityRequest_Id{Id: info.GetActivityId()}})
	require.NoError(t, err)
	w.Until(t, "p-1", attempted(3))
	w.pending(t, x, 2) // Temporal counts from 1 again

	w.RespondWith(t, "/pfizer", sandbox.Answer{})
	_, err = service.ResetActivity(t.Context(), &workflowservice.ResetActivityRequest{Namespace: namespace, Execution: x,
		Activity: &workflowservice.ResetActivityRequest_Id{Id: info.GetActivityId()}})
	require.NoError(t, err)
	e := w.Until(t, "p-1", is(relay.StatusDelivered))
	require.Equal(t, []relay.Outcome{relay.Retry, relay.Retry, relay.Retry, relay.Accepted}, sends(e, relay.SGTM), "a row for each send")
	numbers := []int{}
	for _, a := range e.Attempts {
		numbers = append(numbers, a.Number)
	}
	require.Equal(t, []int{1, 2, 3, 4}, numbers, "the relay's numbers continue")
}

func TestACancelledAndATerminatedDeliveryFailTheirRows(t *testing.T) {
	w := setup(t)
	w.Storefront(t, "roman")
	w.RespondWith(t, "/roman", waits)
	w.Post(t, "roman", "r-1")
	w.Post(t, "roman", "r-2")
	cancelled, terminated := w.Until(t, "r-1", attempted(1)), w.Until(t, "r-2", attempted(1))

	require.NoError(t, w.temporal.CancelWorkflow(t.Context(), workflows.DeliverEventID(cancelled.ID), ""))
	e := w.Until(t, "r-1", is(relay.StatusFailed))
	require.Equal(t, relay.ReasonCancelled, e.Reason)
	w.ended(t, e, enums.WORKFLOW_EXECUTION_STATUS_CANCELED)

	require.NoError(t, w.temporal.TerminateWorkflow(t.Context(), workflows.DeliverEventID(terminated.ID), "", "test"))
	// No code runs at a termination. The reconciliation looks each minute at rows whose lease is over.
	_, err := w.SQL.ExecContext(t.Context(), "UPDATE marketing_events SET claimed_until = UTC_TIMESTAMP(6) WHERE id = ?", terminated.ID)
	require.NoError(t, err)
	require.NoError(t, w.temporal.ScheduleClient().GetHandle(t.Context(), "reconcile").Trigger(t.Context(), client.ScheduleTriggerOptions{}))
	e = w.Until(t, "r-2", is(relay.StatusFailed))
	require.Equal(t, relay.ReasonCancelled, e.Reason)
	require.Equal(t, []relay.Outcome{relay.Retry}, sends(e, relay.SGTM))
}
