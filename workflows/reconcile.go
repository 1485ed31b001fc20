package workflows

import (
	"context"

	"go.temporal.io/sdk/workflow"

	"relay/internal/ops"
)

const reconcileID = "reconcile"

// Reconcile compares rows in status processing with the workflows that deliver them, and repairs the differences.
func Reconcile(ctx workflow.Context) (ops.Reconciliation, error) {
	var r ops.Reconciliation
	err := workflow.ExecuteActivity(reconcileOptions(ctx), a.Reconcile).Get(ctx, &r)
	return r, err
}

// EnsureReconciling creates or updates the schedule of Reconcile.
func (s Starter) EnsureReconciling(ctx context.Context) error {
	return s.ensure(ctx, s.schedule(reconcileID, reconcileEvery, "Reconcile", "repairs rows that have neither an end nor a workflow"))
}
