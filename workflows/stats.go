package workflows

import (
	"context"

	"go.temporal.io/sdk/workflow"
)

const rollUpID = "roll-up-stats"

// RollUpStats counts the figures behind the statistics, each minute. One round is short; what it leaves is the next one's.
func RollUpStats(ctx workflow.Context) (int, error) {
	var hours int
	err := workflow.ExecuteActivity(rollUpOptions(ctx), a.RollUpStats).Get(ctx, &hours)
	return hours, err
}

// EnsureRollingUp creates or updates the schedule of RollUpStats.
func (s Starter) EnsureRollingUp(ctx context.Context) error {
	o := s.schedule(rollUpID, rollUpEvery, "RollUpStats", "counts the figures behind the statistics")
	o.TriggerImmediately = true // a restart of everything begins with figures
	return s.ensure(ctx, o)
}
