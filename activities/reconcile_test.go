package activities_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"

	"relay/activities"
	"relay/internal/ops"
	"relay/internal/relay"
)

// books holds rows of runs, and their repairs.
type books struct {
	rows     []ops.HeldRow
	statuses map[int64]relay.Status
	recorded []ops.Reconciliation
}

func (b *books) Processing(_ context.Context, after *ops.HeldRow, limit int) ([]ops.HeldRow, error) {
	for i, o := range b.rows {
		if after == nil || o.ID > after.ID {
			return b.rows[i:min(i+limit, len(b.rows))], nil
		}
	}
	return nil, nil
}

func (b *books) Reopen(_ context.Context, id int64, _ string) (bool, error) {
	b.statuses[id] = relay.StatusPending
	return true, nil
}

func (b *books) Finish(_ context.Context, id int64, _ string, c relay.EventOutcome) error {
	b.statuses[id] = c.Status
	return nil
}

func (b *books) RecordReconciliation(_ context.Context, r ops.Reconciliation) error {
	b.recorded = append(b.recorded, r)
	return nil
}

// executions are workflows by row; a row with id 1 is listed late.
type executions struct {
	fates map[int64]ops.WorkflowState
	err   error
	lists int
}

func (x *executions) WithoutWorkflow(_ context.Context, rows []ops.HeldRow) ([]ops.HeldRow, error) {
	x.lists++
	var suspects []ops.HeldRow
	for _, r := range rows {
		if x.fates[r.ID] != ops.WorkflowRunning || r.ID == 1 {
			suspects = append(suspects, r)
		}
	}
	return suspects, x.err
}

func (x *executions) WorkflowState(_ context.Context, row int64) (ops.WorkflowState, error) {
	return x.fates[row], nil
}

func TestReconcileRepairsRowsWhoseWorkflowIsGone(t *testing.T) {
	t.Parallel()
	b := &books{statuses: map[int64]relay.Status{}}
	x := &executions{fates: map[int64]ops.WorkflowState{7: ops.WorkflowGone, 900: ops.WorkflowStopped}}
	for id := int64(1); id <= 1000; id++ {
		b.rows = append(b.rows, ops.HeldRow{ID: id, Run: "r"})
		if _, ok := x.fates[id]; !ok {
			x.fates[id] = ops.WorkflowRunning
		}
	}
	r, err := reconcile(t, b, x)
	require.NoError(t, err)
	require.Equal(t, ops.Reconciliation{Checked: 1000, Reopened: 1, Cancelled: 1}, r)
	require.Equal(t, map[int64]relay.Status{7: relay.StatusPending, 900: relay.StatusFailed}, b.statuses,
		"lost rows are pending again, stopped ones failed, and those that are only listed late do not change")
	require.Equal(t, 2, x.lists, "few and large lists")
	require.Equal(t, []ops.Reconciliation{r}, b.recorded)
}

func TestReconcileRepairsNothingWhileTemporalIsUnavailable(t *testing.T) {
	t.Parallel()
	b := &books{rows: []ops.HeldRow{{ID: 1}}, statuses: map[int64]relay.Status{}}
	_, err := reconcile(t, b, &executions{err: errors.New("away")})
	require.Error(t, err)
	require.Empty(t, b.statuses)
	require.Empty(t, b.recorded)
}

func reconcile(t *testing.T, b *books, x *executions) (ops.Reconciliation, error) {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	a := &activities.Activities{ReconcileStore: b, Executions: x, Log: slog.New(slog.DiscardHandler)}
	env.RegisterActivity(a)
	result, err := env.ExecuteActivity(a.Reconcile)
	var r ops.Reconciliation
	if err == nil {
		require.NoError(t, result.Get(&r))
	}
	return r, err
}
