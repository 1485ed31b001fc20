package workflows

import (
	"context"
	"errors"
	"strconv"
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"relay/internal/relay"
)

// DeliverEventID is the id of the workflow that delivers an event's row: one open run at a time, whoever starts it.
func DeliverEventID(row int64) string { return "deliver-event:" + strconv.FormatInt(row, 10) }

// Starter starts workflows on one task queue.
type Starter struct {
	Client    client.Client
	TaskQueue string
	Search    *Search
	// Eager hands the first task to a worker of this process. It skips the fair queue, so only the API's own starts use it.
	Eager bool
}

// StartDelivery starts DeliverEvent for a row. While one runs it changes nothing, and after one has ended it starts another:
// the row decides whether there is anything to do.
func (s Starter) StartDelivery(ctx context.Context, e relay.Start) error {
	o := s.deliveryOptions(e)
	in := DeliverInput{ID: e.ID}
	o.TypedSearchAttributes, in.Searchable = s.Search.attributes(e)
	_, err := s.Client.ExecuteWorkflow(ctx, o, DeliverEvent, in)
	var invalid *serviceerror.InvalidArgument
	if in.Searchable && errors.As(err, &invalid) {
		// The attributes have been taken away, or are too new for this server: being found is worth less than being delivered.
		o.TypedSearchAttributes, in.Searchable = temporal.SearchAttributes{}, false
		_, err = s.Client.ExecuteWorkflow(ctx, o, DeliverEvent, in)
	}
	return err
}

func (s Starter) deliveryOptions(e relay.Start) client.StartWorkflowOptions {
	summary := e.StorefrontCode
	if s.Search.IDs {
		summary = e.Type + " of " + e.StorefrontCode
	}
	return client.StartWorkflowOptions{
		ID:                       DeliverEventID(e.ID),
		TaskQueue:                s.TaskQueue,
		WorkflowIDReusePolicy:    enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowIDConflictPolicy: enums.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		Priority:                 temporal.Priority{FairnessKey: e.StorefrontCode},
		EnableEagerStart:         s.Eager,
		WorkflowTaskTimeout:      taskTimeout,
		StaticSummary:            summary,
	}
}

// EnsurePolling starts PollInbox unless it runs.
func (s Starter) EnsurePolling(ctx context.Context) error {
	return s.once(ctx, PollInboxID, "starts the deliveries of rows that nobody has started", PollInbox)
}

// once starts a workflow unless it runs. One that has ended may be started again.
func (s Starter) once(ctx context.Context, id, summary string, workflow any, args ...any) error {
	_, err := s.Client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID:                       id,
		TaskQueue:                s.TaskQueue,
		WorkflowIDReusePolicy:    enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowIDConflictPolicy: enums.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		StaticSummary:            summary,
	}, workflow, args...)
	return err
}

// schedule runs a workflow again and again, one at a time.
func (s Starter) schedule(id string, every time.Duration, workflow any, summary string) client.ScheduleOptions {
	return client.ScheduleOptions{
		ID:      id,
		Spec:    client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{{Every: every}}},
		Overlap: enums.SCHEDULE_OVERLAP_POLICY_SKIP,
		Action:  &client.ScheduleWorkflowAction{ID: id, Workflow: workflow, TaskQueue: s.TaskQueue, StaticSummary: summary},
	}
}

// ensure makes a schedule, unless it is there.
func (s Starter) ensure(ctx context.Context, o client.ScheduleOptions) error {
	_, err := s.Client.ScheduleClient().Create(ctx, o)
	if errors.Is(err, temporal.ErrScheduleAlreadyRunning) {
		return nil
	}
	return err
}
