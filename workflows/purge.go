package workflows

import (
	"context"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"relay/activities"
	"relay/internal/ops"
)

const (
	purgeID        = "purge-events"
	purgeEvery     = time.Hour        // what has grown old in an hour is little
	purgeTimeout   = 15 * time.Minute // a round works for 10
	purgeHeartbeat = 2 * time.Minute  // a bite may wait for a lock
	purgeRounds    = 100              // most of a day; a first purge of more goes on in the next hour
)

// PurgeEvents deletes events that ended longer ago than they are to be kept, with their attempts, and old entries of the
// audit. Its result is how many: counts are all that it ever tells Temporal.
func PurgeEvents(ctx workflow.Context) (ops.Purged, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: purgeTimeout,
		HeartbeatTimeout:    purgeHeartbeat,
		Summary:             "deletes what is older than it is kept",
		RetryPolicy:         &temporal.RetryPolicy{InitialInterval: 10 * time.Second, BackoffCoefficient: 2, MaximumAttempts: 5},
	})
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
