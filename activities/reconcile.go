package activities

import (
	"context"
	"log/slog"

	"go.temporal.io/sdk/activity"

	"relay/internal/ops"
	"relay/internal/relay"
)

// Books are what a reconciliation reads and repairs: the rows that say that somebody delivers them.
type Books interface {
	// Processing lists rows that a run has and that count as in flight no longer, behind a row of an earlier page.
	Processing(ctx context.Context, after *ops.Owned, limit int) ([]ops.Owned, error)
	// Reopen makes a row that is still this run's pending again.
	Reopen(ctx context.Context, id int64, run string) (bool, error)
	Finish(ctx context.Context, id int64, run string, c relay.Conclusion) error
	RecordReconciliation(ctx context.Context, r ops.Reconciliation) error
}

// Executions are the workflows that deliver rows, as Temporal knows them.
type Executions interface {
	// Suspects are those rows for which no running workflow is listed; the list may lag behind.
	Suspects(ctx context.Context, rows []ops.Owned) ([]ops.Owned, error)
	// Fate is what became of the workflow of a row, for certain.
	Fate(ctx context.Context, row int64) (ops.Fate, error)
}

// Reconcile finds rows whose workflow is gone and repairs them: every row has a final state or a running workflow. What was
// terminated or cancelled by hand fails, as cancelled; what was lost (timed out, deleted, a namespace gone) is pending again.
func (a *Activities) Reconcile(ctx context.Context) (ops.Reconciliation, error) {
	var r ops.Reconciliation
	var last *ops.Owned
	for {
		rows, err := a.Books.Processing(ctx, last, reconcilePage)
		if err != nil {
			return r, temporary(err)
		}
		if len(rows) == 0 {
			break
		}
		last = &rows[len(rows)-1]
		r.Checked += len(rows)
		suspects, err := a.Executions.Suspects(ctx, rows)
		if err != nil {
			return r, temporary(err)
		}
		for _, row := range suspects {
			if err := a.repair(ctx, row, &r); err != nil {
				return r, temporary(err)
			}
			activity.RecordHeartbeat(ctx)
		}
	}
	level := slog.LevelDebug
	if r.Repaired() > 0 {
		level = slog.LevelWarn
	}
	a.Log.Log(ctx, level, "inbox.reconciled", "checked", r.Checked, "reopened", r.Reopened, "cancelled", r.Cancelled)
	return r, temporary(a.Books.RecordReconciliation(ctx, r))
}

func (a *Activities) repair(ctx context.Context, row ops.Owned, r *ops.Reconciliation) error {
	fate, err := a.Executions.Fate(ctx, row.ID)
	if err != nil {
		return err
	}
	switch fate {
	case ops.FateRunning:
		return nil
	case ops.FateStopped:
		r.Cancelled++
		return a.Books.Finish(ctx, row.ID, row.Run, relay.Conclusion{
			Status: relay.StatusFailed,
			Reason: relay.ReasonCancelled,
			Detail: relay.ReasonCancelled.Words(),
		})
	}
	reopened, err := a.Books.Reopen(ctx, row.ID, row.Run)
	if reopened {
		r.Reopened++
	}
	return err
}
