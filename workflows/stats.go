package workflows

import (
	"context"

	"go.temporal.io/sdk/workflow"
)

const rollUpID = "roll-up-stats"

// RollUpStats updates the hourly statistics every minute. A round is short; the next one continues.
func RollUpStats(ctx workflow.Context) (int, error) {
	var hours int
	err := workflow.ExecuteActivity(rollUpOptions(ctx), a.RollUpStats).Get(ctx, &hours)
	return hours, err
}

// EnsureRollingUp creates or updates the schedule of RollUpStats.
func (s Starter) EnsureRollingUp(ctx context.Context) error {
	o := s.schedule(rollUpID, rollUpEvery, "RollUpStats", "counts the events behind the statistics")
	o.TriggerImmediately = true // statistics are current soon after a start
	return s.ensure(ctx, o)
}
