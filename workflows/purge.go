package workflows

import (
	"context"

	"go.temporal.io/sdk/workflow"

	"relay/activities"
	"relay/internal/ops"
)

const purgeID = "purge-events"

// PurgeEvents deletes events that ended longer ago than they are to be kept, with their attempts, and old entries of the
// audit. Its result has counts only.
func PurgeEvents(ctx workflow.Context) (ops.Purged, error) {
	ctx = purgeOptions(ctx)
	var all ops.Purged
	for range purgeRounds {
		var out activities.PurgeOutput
		if err := workflow.ExecuteActivity(ctx, a.PurgeEvents).Get(ctx, &out); err != nil {
			return all, err
		}
		all = all.Plus(out.Purged)
		if !out.More {
			break
		}
	}
	return all, nil
}

// EnsurePurging creates or updates the schedule of PurgeEvents.
func (s Starter) EnsurePurging(ctx context.Context) error {
	return s.ensure(ctx, s.schedule(purgeID, purgeEvery, "PurgeEvents", "deletes events that ended longer ago than RETENTION_DAYS"))
}
