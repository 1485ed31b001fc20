package activities

import (
	"context"
	"time"

	"go.temporal.io/sdk/activity"

	"relay/internal/ops"
)

// PurgeStore is the database of the purge. It deletes in batches; retrying a batch is safe.
type PurgeStore interface {
	// PurgeEvents deletes those of the next n events that ended longer than age ago, and keeps their statistics.
	PurgeEvents(ctx context.Context, age time.Duration, after ops.PurgeCursor, n int) (ops.PurgeBatch, error)
	// PurgeAudit deletes those of the n oldest entries that are older than age.
	PurgeAudit(ctx context.Context, age time.Duration, n int) (int64, error)
	// PurgeReplays and PurgeErasures do the same with those that ended longer than age ago.
	PurgeReplays(ctx context.Context, age time.Duration, n int) (int64, error)
	PurgeErasures(ctx context.Context, age time.Duration, n int) (int64, error)
	// PurgeAttemptStats deletes n of the counts of attempts that are older than they are kept.
	PurgeAttemptStats(ctx context.Context, n int) (int64, error)
}

// PurgeOutput is what one round took; More says that its time was over first.
type PurgeOutput struct {
	ops.Purged
	More bool
}

// PurgeEvents deletes rows past their retention, in small batches with pauses between.
func (a *Activities) PurgeEvents(ctx context.Context) (PurgeOutput, error) {
	var out PurgeOutput
	end := time.Now().Add(purgeBudget)
	err := a.purge(ctx, end, &out)
	if out.Purged != (ops.Purged{}) {
		a.Log.InfoContext(ctx, "inbox.purged", "events", out.Events, "attempts", out.Attempts, "audit", out.Audit,
			"replays", out.Replays, "erasures", out.Erasures, "counts", out.Counts, "more", out.More)
	}
	if err != nil && ctx.Err() == nil {
		a.Log.WarnContext(ctx, "inbox.purge_failed", "error", err)
	}
	return out, opaque(err)
}

func (a *Activities) purge(ctx context.Context, end time.Time, out *PurgeOutput) error {
	var mark ops.PurgeCursor
	events := func() (bool, error) {
		batch, err := a.PurgeStore.PurgeEvents(ctx, a.Retention.Events, mark, purgeBatch)
		out.Purged, mark = out.Plus(batch.Purged), batch.Next
		return batch.Done, err
	}
	kept := func(purge func(context.Context, time.Duration, int) (int64, error), age time.Duration, count *int64) func() (bool, error) {
		return func() (bool, error) {
			n, err := purge(ctx, age, purgeBatch)
			*count += n
			return n < purgeBatch, err
		}
	}
	counts := func() (bool, error) {
		n, err := a.PurgeStore.PurgeAttemptStats(ctx, purgeCounts)
		out.Counts += n
		return n < purgeCounts, err
	}
	for _, batch := range []func() (bool, error){
		kept(a.PurgeStore.PurgeAudit, a.Retention.Audit, &out.Audit),
		kept(a.PurgeStore.PurgeErasures, a.Retention.Audit, &out.Erasures),
		kept(a.PurgeStore.PurgeReplays, a.Retention.Events, &out.Replays), // their filters may hold an order's id
		counts, // before the events, whose first purge may take days
		events,
	} {
		for done := false; !done; {
			if out.More = time.Now().After(end); out.More {
				return nil
			}
			began := time.Now()
			var err error
			if done, err = batch(); err != nil {
				return err
			}
			activity.RecordHeartbeat(ctx, out.Purged)
			stopping, err := rest(ctx, time.Since(began))
			if err != nil || stopping { // another worker continues
				out.More = stopping
				return err
			}
		}
	}
	return nil
}

// rest pauses in proportion to the time of a batch, and reports whether the worker is about to stop.
func rest(ctx context.Context, worked time.Duration) (bool, error) {
	timer := time.NewTimer(max(purgeRest*worked, minPurgeRest))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false, ctx.Err()
	case <-activity.GetWorkerStopChannel(ctx):
		return true, nil
	case <-timer.C:
		return false, nil
	}
}
