package workflows

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"relay/activities"
	"relay/internal/ops"
	"relay/internal/relay"
)

const (
	eraseSteps     = 400 // in one history
	eraseFirstWait = time.Second
	eraseLastWait  = 30 * time.Second
)

// EraseEventsID is the id of the workflow behind an erasure.
func EraseEventsID(erasure int64) string { return "erase-events:" + strconv.FormatInt(erasure, 10) }

// EraseEvents erases what is stored of an order or a person. It keeps nothing but the erasure's id: whom it is about, how far
// it is and what it has found are in the database, so that it may be begun anew at any time.
func EraseEvents(ctx workflow.Context, in activities.EraseInput) error {
	var last activities.EraseOutput
	if err := workflow.SetQueryHandler(ctx, QueryProgress, func() (activities.EraseOutput, error) { return last, nil }); err != nil {
		return err
	}
	wait := eraseFirstWait
	for range eraseSteps {
		before := last
		in.Insist = wait == eraseLastWait
		if err := workflow.ExecuteActivity(erasing(ctx), a.StepErasure, in).Get(ctx, &last); err != nil {
			return err
		}
		switch {
		case last.State == ops.ErasureDone:
			return nil
		case last.Erased > before.Erased || last.Scanned > before.Scanned:
			wait = eraseFirstWait
		}
		if last.Waiting == 0 {
			continue
		}
		timer := workflow.TimerOptions{Summary: "waiting for deliveries to end and their workflows to be deleted"}
		if err := workflow.NewTimerWithOptions(ctx, wait, timer).Get(ctx, nil); err != nil {
			return err
		}
		wait = min(2*wait, eraseLastWait)
	}
	return keepHouse(ctx, EraseEvents, activities.EraseInput{ID: in.ID})
}

// erasing is a step of an erasure, repeated until it succeeds.
func erasing(ctx workflow.Context) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 2 * time.Minute,
		HeartbeatTimeout:    time.Minute,
		Summary:             "looks for what is to be erased, and erases it",
		RetryPolicy:         &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: time.Minute},
	})
}

// StartErasure starts the workflow of an erasure unless it runs.
func (s Starter) StartErasure(ctx context.Context, id int64) error {
	return s.once(ctx, EraseEventsID(id), "erases what is stored of an order or a person", EraseEvents, activities.EraseInput{ID: id})
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

// DeleteDeliveries deletes all runs of the rows' workflows, and gives the rows of which there were any. The list lags behind,
// so the latest run of each is asked for by itself.
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
