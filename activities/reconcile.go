package activities

import (
	"context"
	"log/slog"

	"go.temporal.io/sdk/activity"

	"relay/internal/ops"
	"relay/internal/relay"
)

// ReconcileStore reads and repairs rows in status processing.
type ReconcileStore interface {
	// Processing lists rows that a run has and that count as in flight no longer, behind a row of an earlier page.
	Processing(ctx context.Context, after *ops.HeldRow, limit int) ([]ops.HeldRow, error)
	// Reopen makes a row that is still this run's pending again.
	Reopen(ctx context.Context, id int64, run string) (bool, error)
	Finish(ctx context.Context, id int64, run string, c relay.EventOutcome) error
	RecordReconciliation(ctx context.Context, r ops.Reconciliation) error
}

// Executions are the workflows that deliver rows, as Temporal knows them.
type Executions interface {
	// WithoutWorkflow are those rows for which no running workflow is listed; the list may lag behind.
	WithoutWorkflow(ctx context.Context, rows []ops.HeldRow) ([]ops.HeldRow, error)
	// WorkflowState is the state of the workflow of a row, which does not lag behind.
	WorkflowState(ctx context.Context, row int64) (ops.WorkflowState, error)
}

// Reconcile finds rows whose workflow is gone and repairs them: every row has a final state or a running workflow. A
// delivery that a person terminated or cancelled fails as cancelled. A lost one (timed out, deleted, a namespace gone) becomes
// pending again.
func (a *Activities) Reconcile(ctx context.Context) (ops.Reconciliation, error) {
	var r ops.Reconciliation
	var last *ops.HeldRow
	for {
		rows, err := a.ReconcileStore.Processing(ctx, last, reconcilePage)
		if err != nil {
			return r, opaque(err)
		}
		if len(rows) == 0 {
			break
		}
		last = &rows[len(rows)-1]
		r.Checked += len(rows)
		suspects, err := a.Executions.WithoutWorkflow(ctx, rows)
		if err != nil {
			return r, opaque(err)
		}
		for _, row := range suspects {
			if err := a.repair(ctx, row, &r); err != nil {
				return r, opaque(err)
			}
			activity.RecordHeartbeat(ctx)
		}
	}
	level := slog.LevelDebug
	if r.Repaired() > 0 {
		level = slog.LevelWarn
	}
	a.Log.Log(ctx, level, "inbox.reconciled", "checked", r.Checked, "reopened", r.Reopened, "cancelled", r.Cancelled)
	return r, opaque(a.ReconcileStore.RecordReconciliation(ctx, r))
}

func (a *Activities) repair(ctx context.Context, row ops.HeldRow, r *ops.Reconciliation) error {
	fate, err := a.Executions.WorkflowState(ctx, row.ID)
	if err != nil {
		return err
	}
	switch fate {
	case ops.WorkflowRunning:
		return nil
	case ops.WorkflowStopped:
		r.Cancelled++
		return a.ReconcileStore.Finish(ctx, row.ID, row.Run, relay.EventOutcome{
			Status: relay.StatusFailed,
			Reason: relay.ReasonCancelled,
			Detail: relay.ReasonCancelled.Text(),
		})
	}
	reopened, err := a.ReconcileStore.Reopen(ctx, row.ID, row.Run)
	if reopened {
		r.Reopened++
	}
	return err
}
