package workflows

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"relay/internal/ops"
)

const (
	reconcileID    = "reconcile"
	reconcileEvery = time.Minute
	// A reconciliation of 100,000 open rows takes 200 list calls at the ten a second that a server grants.
	reconcileTimeout   = 10 * time.Minute
	reconcileHeartbeat = time.Minute
)

// Reconcile compares the rows that say that somebody delivers them with the workflows that do, and repairs what disagrees.
func Reconcile(ctx workflow.Context) (ops.Reconciliation, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: reconcileTimeout,
		HeartbeatTimeout:    reconcileHeartbeat,
		Summary:             "compares open rows with workflows",
		RetryPolicy:         &temporal.RetryPolicy{MaximumAttempts: 3},
	})
	var r ops.Reconciliation
	err := workflow.ExecuteActivity(ctx, a.Reconcile).Get(ctx, &r)
	return r, err
}

// EnsureReconciling creates or updates the schedule of Reconcile.
func (s Starter) EnsureReconciling(ctx context.Context) error {
	return s.ensure(ctx, s.schedule(reconcileID, reconcileEvery, "Reconcile", "repairs rows that have neither an end nor a workflow"))
}

// Executions are the workflows of one namespace.
type Executions struct {
	Client    client.Client
	Namespace string
}

// Suspects are those rows for which no running workflow is listed. The list lags behind, so each needs a look at its Fate.
func (x Executions) Suspects(ctx context.Context, rows []ops.Owned) ([]ops.Owned, error) {
	ids := make([]string, len(rows))
	for i, r := range rows {
		ids[i] = "'" + DeliverEventID(r.ID) + "'"
	}
	running := make(map[string]bool, len(rows))
	var next []byte
	for {
		page, err := x.Client.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
			Namespace:     x.Namespace,
			PageSize:      int32(len(rows)), //nolint:gosec // 500 at most
			NextPageToken: next,
			Query:         fmt.Sprintf("ExecutionStatus = 'Running' AND WorkflowId IN (%s)", strings.Join(ids, ",")),
		})
		if err != nil {
			return nil, err
		}
		for _, e := range page.GetExecutions() {
			running[e.GetExecution().GetWorkflowId()] = true
		}
		if next = page.GetNextPageToken(); len(next) == 0 {
			break
		}
	}
	var suspects []ops.Owned
	for _, r := range rows {
		if !running[DeliverEventID(r.ID)] {
			suspects = append(suspects, r)
		}
	}
	return suspects, nil
}

// Fate is what became of the latest run of a row's workflow.
func (x Executions) Fate(ctx context.Context, row int64) (ops.Fate, error) {
	d, err := x.Client.DescribeWorkflowExecution(ctx, DeliverEventID(row), "")
	var gone *serviceerror.NotFound
	if errors.As(err, &gone) {
		return ops.FateGone, nil
	}
	if err != nil {
		return ops.FateGone, err
	}
	switch d.GetWorkflowExecutionInfo().GetStatus() {
	case enums.WORKFLOW_EXECUTION_STATUS_RUNNING, enums.WORKFLOW_EXECUTION_STATUS_PAUSED:
		return ops.FateRunning, nil
	case enums.WORKFLOW_EXECUTION_STATUS_CANCELED:
		return ops.FateStopped, nil
	case enums.WORKFLOW_EXECUTION_STATUS_TERMINATED:
		return x.terminated(ctx, row, d.GetWorkflowExecutionInfo().GetExecution().GetRunId())
	}
	return ops.FateGone, nil
}

// historyService is how a server names itself in what it does to a workflow, such as a termination at the limit of its
// history. A person's client has another identity, or none.
const historyService = "history-service"

// terminated tells a termination by the server, after which the event is to be delivered all the same, from a person's.
func (x Executions) terminated(ctx context.Context, row int64, run string) (ops.Fate, error) {
	history := x.Client.GetWorkflowHistory(ctx, DeliverEventID(row), run, false, enums.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT)
	for history.HasNext() {
		e, err := history.Next()
		var gone *serviceerror.NotFound
		if errors.As(err, &gone) { // deleted meanwhile
			return ops.FateGone, nil
		}
		if err != nil {
			return ops.FateGone, err
		}
		if a := e.GetWorkflowExecutionTerminatedEventAttributes(); a != nil && a.GetIdentity() == historyService {
			return ops.FateGone, nil
		}
	}
	return ops.FateStopped, nil
}
