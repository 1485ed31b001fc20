package workflows

import (
	"context"
	"errors"
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

const (
	rollUpID    = "roll-up-stats"
	rollUpEvery = time.Minute
)

// RollUpStats counts the figures behind the statistics, each minute. One round is short; what it leaves is the next one's.
func RollUpStats(ctx workflow.Context) (int, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: rollUpEvery,
		Summary:             "counts the hours that are open",
		RetryPolicy:         &temporal.RetryPolicy{MaximumAttempts: 2},
	})
	var hours int
	err := workflow.ExecuteActivity(ctx, a.RollUpStats).Get(ctx, &hours)
	return hours, err
}

// EnsureRollingUp makes the schedule of RollUpStats, unless it is there.
func (s Starter) EnsureRollingUp(ctx context.Context) error {
	_, err := s.Client.ScheduleClient().Create(ctx, client.ScheduleOptions{
		ID:      rollUpID,
		Spec:    client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{{Every: rollUpEvery}}},
		Overlap: enums.SCHEDULE_OVERLAP_POLICY_SKIP,
		Action: &client.ScheduleWorkflowAction{ID: rollUpID, Workflow: RollUpStats, TaskQueue: s.TaskQueue,
			StaticSummary: "counts the figures behind the statistics"},
		// A restart of everything begins with figures.
		TriggerImmediately: true,
	})
	if errors.Is(err, temporal.ErrScheduleAlreadyRunning) {
		return nil
	}
	return err
}
