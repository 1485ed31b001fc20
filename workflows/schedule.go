package workflows

import (
	"context"
	"errors"
	"slices"
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
)

// schedule defines a workflow that runs again and again, one at a time. The workflow is named by its type, so that the
// definition compares with the one that the server has.
func (s Starter) schedule(id string, every time.Duration, workflowType, summary string) client.ScheduleOptions {
	return client.ScheduleOptions{
		ID:      id,
		Spec:    client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{{Every: every}}},
		Overlap: enums.SCHEDULE_OVERLAP_POLICY_SKIP,
		Action:  &client.ScheduleWorkflowAction{ID: id, Workflow: workflowType, TaskQueue: Housekeeping(s.TaskQueue), StaticSummary: summary},
	}
}

// ensure creates a schedule, or updates one whose definition is not this release's. A schedule that an operator has paused
// stays paused.
func (s Starter) ensure(ctx context.Context, o client.ScheduleOptions) error {
	err := s.Client.ScheduleClient().GetHandle(ctx, o.ID).Update(ctx, client.ScheduleUpdateOptions{
		DoUpdate: func(in client.ScheduleUpdateInput) (*client.ScheduleUpdate, error) {
			is := in.Description.Schedule
			if defines(o, is) {
				return nil, temporal.ErrSkipScheduleUpdate
			}
			is.Spec, is.Action = &o.Spec, o.Action
			is.Policy.Overlap = o.Overlap
			return &client.ScheduleUpdate{Schedule: &is}, nil
		},
	})
	var none *serviceerror.NotFound
	if !errors.As(err, &none) {
		return err
	}
	_, err = s.Client.ScheduleClient().Create(ctx, o)
	if errors.Is(err, temporal.ErrScheduleAlreadyRunning) { // another process was faster
		return nil
	}
	return err
}

// defines reports whether a schedule is as o defines it.
func defines(o client.ScheduleOptions, is client.Schedule) bool {
	want := o.Action.(*client.ScheduleWorkflowAction)
	got, ok := is.Action.(*client.ScheduleWorkflowAction)
	return ok && got.ID == want.ID && got.Workflow == want.Workflow && got.TaskQueue == want.TaskQueue &&
		got.StaticSummary == want.StaticSummary && slices.Equal(is.Spec.Intervals, o.Spec.Intervals) && len(is.Spec.Calendars) == 0 &&
		is.Policy.Overlap == o.Overlap
}
