package workflows

import (
	"context"
	"errors"
	"strconv"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"relay/activities"
	"relay/internal/relay"
)

// DeliverEventID is the id of the workflow that delivers an event's row: one open run at a time, whichever process starts it.
func DeliverEventID(row int64) string { return "deliver-event:" + strconv.FormatInt(row, 10) }

// Starter starts workflows: deliveries on TaskQueue, everything else on its queue of housekeeping.
type Starter struct {
	Client    client.Client
	TaskQueue string
	Search    *Search
	// Eager reports whether a start hands its first task to a worker of this process, which skips the fair queue; nil is never.
	Eager func() bool
	// Route returns the destinations of a storefront's present route, as far as they are known; nil is never.
	Route func(ctx context.Context, storefront string) []string
}

// StartDelivery starts DeliverEvent for a row. While one runs it changes nothing, and after one has ended it starts another:
// the row decides whether there is anything to do.
func (s Starter) StartDelivery(ctx context.Context, e relay.PendingDelivery) error {
	o := s.deliveryOptions(e)
	in := DeliverInput{ID: e.ID}
	var route []string
	if s.Route != nil {
		route = s.Route(ctx, e.StorefrontCode)
	}
	o.TypedSearchAttributes, in.Searchable = s.Search.attributes(e, route)
	_, err := s.Client.ExecuteWorkflow(ctx, o, DeliverEvent, in)
	var invalid *serviceerror.InvalidArgument
	if in.Searchable && errors.As(err, &invalid) {
		// Search attributes not (yet) registered: start without them, because delivery matters more than search.
		o.TypedSearchAttributes, in.Searchable = temporal.SearchAttributes{}, false
		_, err = s.Client.ExecuteWorkflow(ctx, o, DeliverEvent, in)
	}
	return err
}

func (s Starter) deliveryOptions(e relay.PendingDelivery) client.StartWorkflowOptions {
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
		EnableEagerStart:         s.Eager != nil && s.Eager(),
		WorkflowTaskTimeout:      taskTimeout,
		StaticSummary:            summary,
	}
}

// EnsurePolling starts PollInbox for each part of the storefronts, unless it runs. One that an older release started on the queue of
// the deliveries is replaced in one step: for a moment both may poll, which the leases of the rows allow.
func (s Starter) EnsurePolling(ctx context.Context, shards int) error {
	var all error
	for shard := range shards {
		all = errors.Join(all, s.ensurePolling(ctx, shard))
	}
	return all
}

func (s Starter) ensurePolling(ctx context.Context, shard int) error {
	id := pollInboxID(shard)
	o := s.housekeeping(id, "starts the deliveries of rows that no process has started")
	d, err := s.Client.DescribeWorkflowExecution(ctx, id, "")
	var none *serviceerror.NotFound
	if err != nil && !errors.As(err, &none) {
		return err
	}
	if queue := d.GetExecutionConfig().GetTaskQueue().GetName(); queue == s.TaskQueue {
		o.WorkflowIDConflictPolicy = enums.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING
	}
	_, err = s.Client.ExecuteWorkflow(ctx, o, PollInbox, activities.PollInput{Shard: shard})
	return err
}

// once starts a workflow unless it runs. One that has ended may be started again.
func (s Starter) once(ctx context.Context, id, summary string, workflow any, args ...any) error {
	_, err := s.Client.ExecuteWorkflow(ctx, s.housekeeping(id, summary), workflow, args...)
	return err
}

func (s Starter) housekeeping(id, summary string) client.StartWorkflowOptions {
	return client.StartWorkflowOptions{
		ID:                       id,
		TaskQueue:                Housekeeping(s.TaskQueue),
		WorkflowIDReusePolicy:    enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowIDConflictPolicy: enums.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		StaticSummary:            summary,
	}
}
