package workflows

import (
	"context"
	"errors"
	"fmt"
	"strings"

	commonpb "go.temporal.io/api/common/v1"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"relay/internal/ops"
	"relay/internal/relay"
)

// Executions are the workflows of one namespace.
type Executions struct {
	Client    client.Client
	Namespace string
}

// WithoutWorkflow returns the rows for which no running workflow is listed. The list lags behind, so check each WorkflowState.
func (x Executions) WithoutWorkflow(ctx context.Context, rows []ops.HeldRow) ([]ops.HeldRow, error) {
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
	var suspects []ops.HeldRow
	for _, r := range rows {
		if !running[DeliverEventID(r.ID)] {
			suspects = append(suspects, r)
		}
	}
	return suspects, nil
}

// WorkflowState returns the state of the latest run of a row's workflow.
func (x Executions) WorkflowState(ctx context.Context, row int64) (ops.WorkflowState, error) {
	d, err := x.Client.DescribeWorkflowExecution(ctx, DeliverEventID(row), "")
	var gone *serviceerror.NotFound
	if errors.As(err, &gone) {
		return ops.WorkflowGone, nil
	}
	if err != nil {
		return ops.WorkflowGone, err
	}
	switch d.GetWorkflowExecutionInfo().GetStatus() {
	case enums.WORKFLOW_EXECUTION_STATUS_RUNNING, enums.WORKFLOW_EXECUTION_STATUS_PAUSED:
		return ops.WorkflowRunning, nil
	case enums.WORKFLOW_EXECUTION_STATUS_CANCELED:
		return ops.WorkflowStopped, nil
	case enums.WORKFLOW_EXECUTION_STATUS_TERMINATED:
		return x.terminated(ctx, row, d.GetWorkflowExecutionInfo().GetExecution().GetRunId())
	}
	return ops.WorkflowGone, nil
}

// historyService is how a server names itself in what it does to a workflow, such as a termination at the limit of its
// history. A person's client has another identity, or none.
const historyService = "history-service"

// terminated distinguishes a termination by the server, after which the event is still to be delivered, from a person's.
func (x Executions) terminated(ctx context.Context, row int64, run string) (ops.WorkflowState, error) {
	history := x.Client.GetWorkflowHistory(ctx, DeliverEventID(row), run, false, enums.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT)
	for history.HasNext() {
		e, err := history.Next()
		var gone *serviceerror.NotFound
		if errors.As(err, &gone) { // deleted meanwhile
			return ops.WorkflowGone, nil
		}
		if err != nil {
			return ops.WorkflowGone, err
		}
		if a := e.GetWorkflowExecutionTerminatedEventAttributes(); a != nil && a.GetIdentity() == historyService {
			return ops.WorkflowGone, nil
		}
	}
	return ops.WorkflowStopped, nil
}

// CancelDelivery asks a row's workflow to end; relay.ErrNotFound where none is open.
func (x Executions) CancelDelivery(ctx context.Context, row int64) error {
	err := x.Client.CancelWorkflow(ctx, DeliverEventID(row), "")
	var gone *serviceerror.NotFound
	var asked *serviceerror.CancellationAlreadyRequested
	switch {
	case errors.As(err, &gone):
		return relay.ErrNotFound
	case errors.As(err, &asked):
		return nil
	}
	return err
}

// TerminateDelivery ends a row's workflow without asking it.
func (x Executions) TerminateDelivery(ctx context.Context, row int64) error {
	err := x.Client.TerminateWorkflow(ctx, DeliverEventID(row), "", "erased")
	var gone *serviceerror.NotFound
	if errors.As(err, &gone) {
		return nil
	}
	return err
}

// DeleteDeliveries deletes all runs of the rows' workflows, and returns the rows that had any. The list lags behind,
// so it also asks for the latest run of each row.
func (x Executions) DeleteDeliveries(ctx context.Context, rows []int64) ([]int64, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	runs, err := x.listed(ctx, rows)
	if err != nil {
		return nil, err
	}
	var found []int64
	for _, row := range rows {
		all := runs[DeliverEventID(row)]
		latest, err := x.latest(ctx, row)
		if err != nil {
			return nil, err
		}
		if latest != "" {
			all = append(all, latest)
		}
		there := false
		for _, run := range all {
			deleted, err := x.deleteRun(ctx, row, run)
			if err != nil {
				return nil, err
			}
			there = there || deleted
		}
		if there {
			found = append(found, row)
		}
	}
	return found, nil
}

// listed are the runs that Temporal lists for the rows, by workflow.
func (x Executions) listed(ctx context.Context, rows []int64) (map[string][]string, error) {
	ids := make([]string, len(rows))
	for i, row := range rows {
		ids[i] = "'" + DeliverEventID(row) + "'"
	}
	runs := map[string][]string{}
	var next []byte
	for {
		page, err := x.Client.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
			Namespace:     x.Namespace,
			NextPageToken: next,
			Query:         fmt.Sprintf("WorkflowId IN (%s)", strings.Join(ids, ",")),
		})
		if err != nil {
			return nil, err
		}
		for _, e := range page.GetExecutions() {
			id := e.GetExecution().GetWorkflowId()
			runs[id] = append(runs[id], e.GetExecution().GetRunId())
		}
		if next = page.GetNextPageToken(); len(next) == 0 {
			return runs, nil
		}
	}
}

// latest is the latest run of a row's workflow; "" where there is none.
func (x Executions) latest(ctx context.Context, row int64) (string, error) {
	d, err := x.Client.DescribeWorkflowExecution(ctx, DeliverEventID(row), "")
	var gone *serviceerror.NotFound
	if errors.As(err, &gone) {
		return "", nil
	}
	return d.GetWorkflowExecutionInfo().GetExecution().GetRunId(), err
}

// deleteRun deletes one run; false where it was gone.
func (x Executions) deleteRun(ctx context.Context, row int64, run string) (bool, error) {
	_, err := x.Client.WorkflowService().DeleteWorkflowExecution(ctx, &workflowservice.DeleteWorkflowExecutionRequest{
		Namespace:         x.Namespace,
		WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: DeliverEventID(row), RunId: run},
	})
	var gone *serviceerror.NotFound
	if errors.As(err, &gone) {
		return false, nil
	}
	return err == nil, err
}
