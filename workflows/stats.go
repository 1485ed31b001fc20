package workflows

import (
	"context"
	"time"

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

// EnsureRollingUp creates or updates the schedule of RollUpStats.
func (s Starter) EnsureRollingUp(ctx context.Context) error {
	o := s.schedule(rollUpID, rollUpEvery, "RollUpStats", "counts the figures behind the statistics")
	o.TriggerImmediately = true // a restart of everything begins with figures
	return s.ensure(ctx, o)
}
