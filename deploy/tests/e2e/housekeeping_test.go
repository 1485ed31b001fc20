package e2e_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"relay/workflows"
)

// An older release ran all workflows on one task queue. Its poller and its schedules in the namespace move to
// the housekeeping queue; an operator's pause remains.
func TestTheHousekeepingOfAnOlderReleaseMovesToItsOwnQueue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.storefront(t, "moved")
	_, err := w.temporal.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: workflows.PollInboxID, TaskQueue: "relay"}, "PollInbox") // without a part's number, as an older release starts it
	require.NoError(t, err)
	reconcile, err := w.temporal.ScheduleClient().Create(t.Context(), client.ScheduleOptions{
		ID:     "reconcile",
		Spec:   client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{{Every: 24 * time.Hour}}},
		Action: &client.ScheduleWorkflowAction{ID: "reconcile", Workflow: "Reconcile", TaskQueue: "relay"},
		Paused: true,
	})
	require.NoError(t, err)

	w.relay(t, "relay", "serve")
	w.insert(t, "moved", "moved-1")
	e := w.delivered(t, "moved-1")
	poller, err := w.temporal.DescribeWorkflowExecution(t.Context(), workflows.PollInboxID, "")
	require.NoError(t, err)
	require.Equal(t, "relay-housekeeping", poller.GetExecutionConfig().GetTaskQueue().GetName())
	require.Equal(t, enums.WORKFLOW_EXECUTION_STATUS_RUNNING, poller.GetWorkflowExecutionInfo().GetStatus())
	eventually(t, func() error {
		d, err := reconcile.Describe(t.Context())
		require.NoError(t, err)
		if every := d.Schedule.Spec.Intervals[0].Every; every != time.Minute {
			return fmt.Errorf("the schedule runs every %s", every)
		}
		require.Equal(t, "relay-housekeeping", d.Schedule.Action.(*client.ScheduleWorkflowAction).TaskQueue)
		require.Equal(t, enums.SCHEDULE_OVERLAP_POLICY_SKIP, d.Schedule.Policy.Overlap)
		require.True(t, d.Schedule.State.Paused)
		return nil
	})

	delivery, err := w.temporal.DescribeWorkflowExecution(t.Context(), deliver(e), "")
	require.NoError(t, err)
	require.Equal(t, "relay", delivery.GetExecutionConfig().GetTaskQueue().GetName())
	build := delivery.GetWorkflowExecutionInfo().GetMostRecentWorkerVersionStamp().GetBuildId() //nolint:staticcheck // of unversioned workers
	require.NotRegexp(t, "^[0-9a-f]{32}$", build, "it is a version, not the SDK's checksum of the program")
	t.Log("build id", build)
}
