package webui_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"relay/deploy/sandbox"
	"relay/internal/relay"
	"relay/workflows"
)

// The Web UI's list, history and timeline show a summary of every workflow, activity and timer, not only names and ids.
func TestEveryWorkflowActivityAndTimerHasASummary(t *testing.T) {
	w := setup(t)
	w.Storefront(t, "summed")
	w.RespondWith(t, "/summed", sandbox.Answer{Status: 400})
	w.Post(t, "summed", "s-1")
	w.Until(t, "s-1", is(relay.StatusFailed))
	w.RespondWith(t, "/summed", sandbox.Answer{Status: 503})
	status, body, err := w.Relay.Do(t.Context(), http.MethodPost, "/admin/v1/replays", []byte(`{"filter":{"storefront":"summed"}}`))
	require.NoError(t, err)
	require.Equal(t, http.StatusCreated, status, string(body))
	for _, schedule := range []string{"reconcile", "purge-events"} {
		require.NoError(t, w.temporal.ScheduleClient().GetHandle(t.Context(), schedule).Trigger(t.Context(), client.ScheduleTriggerOptions{}))
	}

	status, body, err = w.Relay.Do(t.Context(), http.MethodPost, "/admin/v1/erasures", []byte(`{"external_id":"nobody"}`))
	require.NoError(t, err)
	require.Equal(t, http.StatusCreated, status, string(body))

	for _, kind := range []string{"DeliverEvent", "ReplayEvents", "PollInbox", "Reconcile", "RollUpStats", "PurgeEvents", "EraseEvents"} {
		t.Run(kind, func(t *testing.T) {
			x := w.oneOf(t, kind)
			id, run := x.GetWorkflowId(), x.GetRunId()
			d, err := w.temporal.DescribeWorkflowExecution(t.Context(), id, run)
			require.NoError(t, err)
			require.NotEmpty(t, d.GetExecutionConfig().GetUserMetadata().GetSummary().GetData(), "the workflow")
			history := w.temporal.GetWorkflowHistory(t.Context(), id, run, false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
			summaries := 0
			for history.HasNext() {
				e, err := history.Next()
				require.NoError(t, err)
				local := e.GetMarkerRecordedEventAttributes().GetMarkerName() == "LocalActivity"
				switch e.GetEventType() {
				case enums.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, enums.EVENT_TYPE_TIMER_STARTED, enums.EVENT_TYPE_MARKER_RECORDED:
					if e.GetEventType() == enums.EVENT_TYPE_MARKER_RECORDED && !local {
						continue
					}
					require.NotEmpty(t, e.GetUserMetadata().GetSummary().GetData(), "event %d, %s", e.GetEventId(), e.GetEventType())
					summaries++
				}
			}
			require.Positive(t, summaries)
		})
	}
}

// oneOf waits until there is a run of a workflow type with a history, and returns it.
func (w *world) oneOf(t *testing.T, kind string) *commonpb.WorkflowExecution {
	t.Helper()
	query := fmt.Sprintf("WorkflowType = '%s'", kind)
	var one *commonpb.WorkflowExecution
	if kind == "DeliverEvent" {
		query += " AND Storefront = 'summed'"
	}
	if kind == "ReplayEvents" {
		query += " AND WorkflowId != 'replay-events:0'" // of another test, without a worker
	}
	require.Eventually(t, func() bool {
		page, err := w.temporal.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{Namespace: namespace, Query: query})
		if err != nil || len(page.GetExecutions()) == 0 {
			return false
		}
		x := page.GetExecutions()[0]
		one = x.GetExecution()
		return one.GetWorkflowId() == workflows.PollInboxID || x.GetHistoryLength() > 4 || x.GetStatus() != enums.WORKFLOW_EXECUTION_STATUS_RUNNING
	}, bound, tick, kind)
	return one
}
