package workflows_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"relay/activities"
	"relay/workflows"
)

// schedules is Temporal with at most one schedule and one PollInbox.
type schedules struct {
	client.Client
	client.ScheduleHandle

	has     *client.Schedule
	created []client.ScheduleOptions
	updates int

	pollingOn string // the queue of the PollInbox that runs; "" where none does
	started   client.StartWorkflowOptions
}

func (s *schedules) ScheduleClient() client.ScheduleClient { return scheduleClient{world: s} }

// scheduleClient is the SDK's interface to the schedules.
type scheduleClient struct {
	client.ScheduleClient
	world *schedules
}

func (c scheduleClient) GetHandle(context.Context, string) client.ScheduleHandle { return c.world }

func (c scheduleClient) Create(ctx context.Context, o client.ScheduleOptions) (client.ScheduleHandle, error) {
	return c.world.create(ctx, o)
}

func (s *schedules) create(_ context.Context, o client.ScheduleOptions) (client.ScheduleHandle, error) {
	s.created = append(s.created, o)
	return s, nil
}

func (s *schedules) Update(_ context.Context, o client.ScheduleUpdateOptions) error {
	if s.has == nil {
		return serviceerror.NewNotFound("no such schedule")
	}
	u, err := o.DoUpdate(client.ScheduleUpdateInput{Description: client.ScheduleDescription{Schedule: *s.has}})
	if err == nil {
		s.has, s.updates = u.Schedule, s.updates+1
		return nil
	}
	if err != temporal.ErrSkipScheduleUpdate { //nolint:errorlint // the SDK compares it like this
		return err
	}
	return nil
}

func (s *schedules) DescribeWorkflowExecution(context.Context, string, string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	if s.pollingOn == "" {
		return nil, serviceerror.NewNotFound("no such workflow")
	}
	return &workflowservice.DescribeWorkflowExecutionResponse{ExecutionConfig: &workflowpb.WorkflowExecutionConfig{
		TaskQueue: &taskqueuepb.TaskQueue{Name: s.pollingOn},
	}}, nil
}

func (s *schedules) ExecuteWorkflow(_ context.Context, o client.StartWorkflowOptions, _ any, _ ...any) (client.WorkflowRun, error) {
	s.started = o
	return nil, nil
}

// asCreated is the schedule that the server has after options.
func asCreated(o client.ScheduleOptions) *client.Schedule {
	action := *o.Action.(*client.ScheduleWorkflowAction)
	return &client.Schedule{
		Spec:   &client.ScheduleSpec{Intervals: o.Spec.Intervals},
		Action: &action,
		Policy: &client.SchedulePolicies{Overlap: o.Overlap, CatchupWindow: 365 * 24 * time.Hour},
		State:  &client.ScheduleState{},
	}
}

func TestAScheduleIsCreatedOnTheQueueOfHousekeeping(t *testing.T) {
	t.Parallel()
	s := &schedules{}
	starter := workflows.Starter{Client: s, TaskQueue: "relay"}
	require.NoError(t, starter.EnsureReconciling(t.Context()))
	require.NoError(t, starter.EnsurePurging(t.Context()))
	require.NoError(t, starter.EnsureRollingUp(t.Context()))
	types := map[any]string{}
	for _, o := range s.created {
		a := o.Action.(*client.ScheduleWorkflowAction)
		types[a.Workflow] = a.TaskQueue
	}
	require.Equal(t, map[any]string{"Reconcile": "relay-housekeeping", "PurgeEvents": "relay-housekeeping", "RollUpStats": "relay-housekeeping"}, types)
}

func TestAScheduleOfAnotherReleaseIsUpdated(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		older   func(*client.Schedule)
		updates int
	}{
		"the same": {func(*client.Schedule) {}, 0},
		"paused":   {func(s *client.Schedule) { s.State.Paused = true }, 0},
		"another interval, paused": {func(s *client.Schedule) {
			s.Spec.Intervals = []client.ScheduleIntervalSpec{{Every: time.Hour}}
			s.State.Paused = true
		}, 1},
		"another queue":   {func(s *client.Schedule) { s.Action.(*client.ScheduleWorkflowAction).TaskQueue = "relay" }, 1},
		"another summary": {func(s *client.Schedule) { s.Action.(*client.ScheduleWorkflowAction).StaticSummary = "old" }, 1},
		"a calendar":      {func(s *client.Schedule) { s.Spec.Calendars = []client.ScheduleCalendarSpec{{}} }, 1},
		"overlapping":     {func(s *client.Schedule) { s.Policy.Overlap = enums.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &schedules{}
			starter := workflows.Starter{Client: s, TaskQueue: "relay"}
			require.NoError(t, starter.EnsureReconciling(t.Context()))
			want, older := asCreated(s.created[0]), asCreated(s.created[0])
			c.older(older)
			paused := older.State.Paused
			s.has = older
			require.NoError(t, starter.EnsureReconciling(t.Context()))
			require.NoError(t, starter.EnsureReconciling(t.Context()), "once is enough")
			require.Equal(t, c.updates, s.updates)
			require.Len(t, s.created, 1)
			require.Equal(t, paused, s.has.State.Paused, "an operator's pause stays")
			require.Equal(t, want.Spec.Intervals, s.has.Spec.Intervals)
			require.Empty(t, s.has.Spec.Calendars)
			require.Equal(t, want.Action, s.has.Action)
			require.Equal(t, want.Policy, s.has.Policy)
		})
	}
}

func TestThePollerOfAnOlderReleaseMovesToTheQueueOfHousekeeping(t *testing.T) {
	t.Parallel()
	for queue, policy := range map[string]enums.WorkflowIdConflictPolicy{
		"":                   enums.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		"relay-housekeeping": enums.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		"relay":              enums.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING,
	} {
		s := &schedules{pollingOn: queue}
		require.NoError(t, workflows.Starter{Client: s, TaskQueue: "relay"}.EnsurePolling(t.Context(), 1))
		require.Equal(t, workflows.PollInboxID, s.started.ID)
		require.Equal(t, "relay-housekeeping", s.started.TaskQueue)
		require.Equal(t, policy, s.started.WorkflowIDConflictPolicy, queue)
	}
}

func TestEachPartOfTheStorefrontsHasItsPoller(t *testing.T) {
	t.Parallel()
	r := &recorder{}
	require.NoError(t, workflows.Starter{Client: r, TaskQueue: "relay"}.EnsurePolling(t.Context(), 3))
	var ids []string
	for _, o := range r.options {
		ids = append(ids, o.ID)
	}
	require.Equal(t, []string{"poll-inbox", "poll-inbox:1", "poll-inbox:2"}, ids)
}

// A worker with a lower POLL_SHARDS ends the superfluous pollers.
func TestAPollerOfARemovedPartEnds(t *testing.T) {
	t.Parallel()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(quiet{})
	env := suite.NewTestWorkflowEnvironment()
	env.RegisterWorkflow(workflows.PollInbox)
	env.RegisterActivity(&activities.Activities{PollShards: 2})
	env.ExecuteWorkflow(workflows.PollInbox, activities.PollInput{Shard: 2})
	require.True(t, env.IsWorkflowCompleted())
	require.NoError(t, env.GetWorkflowError())
}
