package activities

import (
	"context"
	"log/slog"

	"go.temporal.io/sdk/activity"

	"relay"
)

// Books are what a reconciliation reads and repairs: the rows that say that somebody delivers them.
type Books interface {
	// Processing lists rows that a run has and that count as in flight no longer, behind a row of an earlier page.
	Processing(ctx context.Context, after *relay.Owned, limit int) ([]relay.Owned, error)
	// Reopen makes a row that is still this run's pending again.
	Reopen(ctx context.Context, id int64, run string) (bool, error)
	Finish(ctx context.Context, id int64, run string, c relay.Conclusion) error
	RecordReconciliation(ctx context.Context, r relay.Reconciliation) error
}

// Executions are the workflows that deliver rows, as Temporal knows them.
type Executions interface {
	// Suspects are those rows for which no running workflow is listed; the list may lag behind.
	Suspects(ctx context.Context, rows []relay.Owned) ([]relay.Owned, error)
	// Fate is what became of the workflow of a row, for certain.
	Fate(ctx context.Context, row int64) (relay.Fate, error)
}

// reconcilePage is how many workflows one list call asks for: few and large, because lists are rationed.
const reconcilePage = 500

// Reconcile finds rows whose workflow is gone and repairs them: every row has a final state or a running workflow. What was
// terminated or cancelled by hand fails, as cancelled; what was lost (timed out, deleted, a namespace gone) is pending again.
func (a *Activities) Reconcile(ctx context.Context) (relay.Reconciliation, error) {
	var r relay.Reconciliation
	var last *relay.Owned
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

func (a *Activities) repair(ctx context.Context, row relay.Owned, r *relay.Reconciliation) error {
	fate, err := a.Executions.Fate(ctx, row.ID)
	if err != nil {
		return err
	}
	switch fate {
	case relay.FateRunning:
		return nil
	case relay.FateStopped:
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
