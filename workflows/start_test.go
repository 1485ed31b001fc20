package workflows_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	enums "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"google.golang.org/grpc"

	"relay/internal/ops"
	"relay/internal/relay"
	"relay/workflows"
)

// recorder is a Temporal client that records the calls of a start.
type recorder struct {
	client.Client
	operatorservice.OperatorServiceClient

	options []client.StartWorkflowOptions
	inputs  []workflows.DeliverInput
	refuse  error // the first start
}

func (r *recorder) ExecuteWorkflow(_ context.Context, o client.StartWorkflowOptions, _ any, args ...any) (client.WorkflowRun, error) {
	r.options = append(r.options, o)
	if len(args) > 0 {
		in, _ := args[0].(workflows.DeliverInput)
		r.inputs = append(r.inputs, in)
	}
	err := r.refuse
	r.refuse = nil
	return nil, err
}

func (r *recorder) DescribeWorkflowExecution(context.Context, string, string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	return nil, serviceerror.NewNotFound("no such workflow")
}

func (r *recorder) OperatorService() operatorservice.OperatorServiceClient { return r }

func (r *recorder) ListSearchAttributes(context.Context, *operatorservice.ListSearchAttributesRequest, ...grpc.CallOption) (*operatorservice.ListSearchAttributesResponse, error) {
	keyword := enums.INDEXED_VALUE_TYPE_KEYWORD
	return &operatorservice.ListSearchAttributesResponse{CustomAttributes: map[string]enums.IndexedValueType{
		"Storefront": keyword, "EventType": keyword, "EventId": keyword, "Source": keyword, "Destinations": enums.INDEXED_VALUE_TYPE_KEYWORD_LIST,
	}}, nil
}

// started starts the delivery of one event.
func started(t *testing.T, r *recorder, s *workflows.Search) client.StartWorkflowOptions {
	t.Helper()
	require.NoError(t, s.Detect(t.Context(), r, "default"))
	starter := workflows.Starter{Client: r, TaskQueue: "relay", Search: s}
	require.NoError(t, starter.StartDelivery(t.Context(), relay.PendingDelivery{ID: 7, EventID: "order-1", Type: "rx_issued", StorefrontCode: "bosley", Source: "oms"}))
	return r.options[len(r.options)-1]
}

func TestAStartNamesItsRowAndItsStorefront(t *testing.T) {
	t.Parallel()
	r := &recorder{}
	o := started(t, r, &workflows.Search{IDs: true})
	require.Equal(t, "deliver-event:7", o.ID)
	require.Equal(t, "relay", o.TaskQueue)
	require.Equal(t, enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE, o.WorkflowIDReusePolicy, "a retried event starts again")
	require.Equal(t, enums.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING, o.WorkflowIDConflictPolicy, "a second start changes nothing")
	require.Equal(t, temporal.Priority{FairnessKey: "bosley"}, o.Priority, "a busy storefront's events wait behind a quiet one's")
	require.Equal(t, workflows.DeliverInput{ID: 7, Searchable: true}, r.inputs[0])
	id, ok := o.TypedSearchAttributes.GetKeyword(workflows.EventID)
	require.True(t, ok)
	require.Equal(t, "order-1", id)
	require.Equal(t, "rx_issued of bosley", o.StaticSummary)
}

func TestAStartHasTheDestinationsOfThePresentRoute(t *testing.T) {
	t.Parallel()
	search := &workflows.Search{}
	require.NoError(t, search.Detect(t.Context(), &recorder{}, "default"))
	for _, want := range [][]string{{"ga4", "meta_capi"}, nil} {
		r := &recorder{}
		starter := workflows.Starter{Client: r, TaskQueue: "relay", Search: search, Route: func(_ context.Context, storefront string) []string {
			require.Equal(t, "bosley", storefront)
			return want
		}, Eager: func() bool { return want != nil }}
		require.NoError(t, starter.StartDelivery(t.Context(), relay.PendingDelivery{ID: 7, StorefrontCode: "bosley"}))
		got, known := r.options[0].TypedSearchAttributes.GetKeywordList(workflows.Destinations)
		require.Equal(t, want, got)
		require.Equal(t, want != nil, known)
		require.Equal(t, want != nil, r.options[0].EnableEagerStart)
	}
}

func TestIDsAreNotSentIfTheyMayNotBeSearchable(t *testing.T) {
	t.Parallel()
	o := started(t, &recorder{}, &workflows.Search{})
	code, ok := o.TypedSearchAttributes.GetKeyword(workflows.Storefront)
	require.True(t, ok)
	require.Equal(t, "bosley", code)
	require.Equal(t, 2, o.TypedSearchAttributes.Size(), "the storefront and the source")
	for _, key := range []temporal.SearchAttributeKeyKeyword{workflows.EventID, workflows.EventType} {
		require.False(t, o.TypedSearchAttributes.ContainsKey(key), key.GetName())
	}
	require.Equal(t, "bosley", o.StaticSummary)
	require.NotContains(t, o.ID, "order-1")
}

// A replay or an erasure may have ended: it was cancelled in the Web UI, or is requested again.
func TestAReplayAndAnErasureCanBeStartedAgainAfterTheirEnd(t *testing.T) {
	t.Parallel()
	for id, start := range map[string]func(workflows.Starter) error{
		"replay-events:3": func(s workflows.Starter) error { return s.StartReplay(t.Context(), 3) },
		"erase-events:3":  func(s workflows.Starter) error { return s.StartErasure(t.Context(), 3) },
	} {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			r := &recorder{}
			require.NoError(t, start(workflows.Starter{Client: r, TaskQueue: "relay"}))
			o := r.options[0]
			require.Equal(t, id, o.ID)
			require.Equal(t, "relay-housekeeping", o.TaskQueue)
			require.Equal(t, enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE, o.WorkflowIDReusePolicy)
			require.Equal(t, enums.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING, o.WorkflowIDConflictPolicy)
		})
	}
}

func TestAnEventIsDeliveredWithoutItsSearchAttributes(t *testing.T) {
	t.Parallel()
	r := &recorder{refuse: serviceerror.NewInvalidArgument("no mapping defined for search attribute")}
	o := started(t, r, &workflows.Search{IDs: true})
	require.Len(t, r.options, 2)
	require.Zero(t, o.TypedSearchAttributes.Size())
	require.Equal(t, workflows.DeliverInput{ID: 7}, r.inputs[1])
}

// described is a Temporal client with one workflow.
type described struct {
	client.Client
	status   enums.WorkflowExecutionStatus
	identity string
	err      error
	asked    bool
}

func (d *described) DescribeWorkflowExecution(context.Context, string, string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	return &workflowservice.DescribeWorkflowExecutionResponse{WorkflowExecutionInfo: &workflowpb.WorkflowExecutionInfo{Status: d.status}}, d.err
}

func (d *described) GetWorkflowHistory(context.Context, string, string, bool, enums.HistoryEventFilterType) client.HistoryEventIterator {
	d.asked = true
	return &oneEvent{event: &historypb.HistoryEvent{Attributes: &historypb.HistoryEvent_WorkflowExecutionTerminatedEventAttributes{
		WorkflowExecutionTerminatedEventAttributes: &historypb.WorkflowExecutionTerminatedEventAttributes{Identity: d.identity},
	}}}
}

type oneEvent struct{ event *historypb.HistoryEvent }

func (o *oneEvent) HasNext() bool { return o.event != nil }

func (o *oneEvent) Next() (*historypb.HistoryEvent, error) {
	e := o.event
	o.event = nil
	return e, nil
}

func TestOnlyADeliveryThatAPersonEndedIsStopped(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		temporal described
		fate     ops.WorkflowState
		asked    bool
	}{
		"running":                           {described{status: enums.WORKFLOW_EXECUTION_STATUS_RUNNING}, ops.WorkflowRunning, false},
		"paused":                            {described{status: enums.WORKFLOW_EXECUTION_STATUS_PAUSED}, ops.WorkflowRunning, false},
		"cancelled":                         {described{status: enums.WORKFLOW_EXECUTION_STATUS_CANCELED}, ops.WorkflowStopped, false},
		"terminated by a person":            {described{status: enums.WORKFLOW_EXECUTION_STATUS_TERMINATED, identity: "temporal-cli:ann@host"}, ops.WorkflowStopped, true},
		"terminated in the Web UI":          {described{status: enums.WORKFLOW_EXECUTION_STATUS_TERMINATED}, ops.WorkflowStopped, true},
		"terminated at the history's limit": {described{status: enums.WORKFLOW_EXECUTION_STATUS_TERMINATED, identity: "history-service"}, ops.WorkflowGone, true},
		"timed out":                         {described{status: enums.WORKFLOW_EXECUTION_STATUS_TIMED_OUT}, ops.WorkflowGone, false},
		"ended":                             {described{status: enums.WORKFLOW_EXECUTION_STATUS_COMPLETED}, ops.WorkflowGone, false},
		"unknown":                           {described{err: serviceerror.NewNotFound("no")}, ops.WorkflowGone, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fate, err := workflows.Executions{Client: &c.temporal}.WorkflowState(t.Context(), 7)
			require.NoError(t, err)
			require.Equal(t, c.fate, fate)
			require.Equal(t, c.asked, c.temporal.asked, "one more call only where it decides")
		})
	}
	_, err := workflows.Executions{Client: &described{err: serviceerror.NewUnavailable("away")}}.WorkflowState(t.Context(), 7)
	require.Error(t, err)
}
