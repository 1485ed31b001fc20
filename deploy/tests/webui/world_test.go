// Package webui_test follows the instructions of docs/OPERATIONS.md in Temporal's Web UI, in a headless Chromium, on a
// running system. It checks the rest of the Web UI's data by the same gRPC calls as the Web UI.
package webui_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"relay/activities"
	"relay/db/seed"
	"relay/deploy/dev/harness"
	shared "relay/deploy/tests/world"
	"relay/internal/ops"
	"relay/internal/proc"
	"relay/internal/relay"
	"relay/workflows"
)

const (
	bound     = shared.Bound
	purchase  = shared.Purchase
	namespace = "default"
)

// world is the system that all tests of this package share; each has storefronts of its own.
type world struct {
	*shared.World
	temporal client.Client
}

var one world

func TestMain(m *testing.M) {
	shared.Main(m, func() error {
		if one.temporal != nil {
			one.temporal.Close()
		}
		return one.Stop()
	})
}

// setup starts the system for the first test.
func setup(t *testing.T) *world {
	t.Helper()
	if one.World != nil {
		return &one
	}
	ui, err := proc.FreePort(t.Context())
	require.NoError(t, err)
	one.World = shared.Start(t, harness.Config{Temporal: harness.TemporalOptions{UIPort: ui}})
	one.temporal, err = client.NewLazyClient(client.Options{HostPort: one.Temporal.Address(), Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	one.Storefront(t, "warm-up")
	// The server takes search attributes a second or two after they were registered.
	require.Eventually(t, func() bool {
		one.Post(t, "warm-up", fmt.Sprintf("w-%d", time.Now().UnixNano()))
		n, err := one.list(t.Context(), "Storefront = 'warm-up'")
		return err == nil && n > 0
	}, bound, time.Second)
	return &one
}

// fanOut creates a storefront without a container, with two platforms of the sandbox.
func (w *world) fanOut(t *testing.T, code string) {
	t.Helper()
	id, err := seed.On(w.Store).CreateStorefront(t.Context(), relay.Storefront{Code: code, Name: code, Active: true})
	require.NoError(t, err)
	for _, platform := range []string{"sandbox", "sandbox_b"} {
		require.NoError(t, w.AddPlatform(t.Context(), id, code, platform))
	}
}

func is(s relay.Status) func(ops.EventDetail) bool {
	return func(e ops.EventDetail) bool { return e.Status == s }
}

// sends returns the outcomes of an event's attempts at a destination, in order.
func sends(e ops.EventDetail, destination string) []relay.Outcome {
	var all []relay.Outcome
	for _, a := range e.Attempts {
		if a.Destination == destination && a.Number > 0 {
			all = append(all, a.Result.Outcome)
		}
	}
	return all
}

// list returns the number of workflows that a query finds. It lags a little.
func (w *world) list(ctx context.Context, query string) (int64, error) {
	n, err := w.temporal.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Namespace: namespace, Query: query})
	return n.GetCount(), err
}

// execution returns the latest run of an event's workflow.
func (w *world) execution(t *testing.T, e ops.EventDetail) *commonpb.WorkflowExecution {
	t.Helper()
	d, err := w.temporal.DescribeWorkflowExecution(t.Context(), workflows.DeliverEventID(e.ID), "")
	require.NoError(t, err)
	return d.GetWorkflowExecutionInfo().GetExecution()
}

// ended waits until the latest run of an event's workflow has the status.
func (w *world) ended(t *testing.T, e ops.EventDetail, status enums.WorkflowExecutionStatus) {
	t.Helper()
	require.Eventually(t, func() bool {
		d, err := w.temporal.DescribeWorkflowExecution(t.Context(), workflows.DeliverEventID(e.ID), "")
		return err == nil && d.GetWorkflowExecutionInfo().GetStatus() == status
	}, bound, 50*time.Millisecond)
}

// tasks returns the event ids of the workflow tasks that a run completed.
func (w *world) tasks(t *testing.T, x *commonpb.WorkflowExecution) []int64 {
	t.Helper()
	var ids []int64
	history := w.temporal.GetWorkflowHistory(t.Context(), x.GetWorkflowId(), x.GetRunId(), false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for history.HasNext() {
		e, err := history.Next()
		require.NoError(t, err)
		if e.GetEventType() == enums.EVENT_TYPE_WORKFLOW_TASK_COMPLETED {
			ids = append(ids, e.GetEventId())
		}
	}
	return ids
}

// summaries returns the lines that the history shows beside a run's activities.
func (w *world) summaries(t *testing.T, x *commonpb.WorkflowExecution) []string {
	t.Helper()
	var lines []string
	history := w.temporal.GetWorkflowHistory(t.Context(), x.GetWorkflowId(), x.GetRunId(), false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for history.HasNext() {
		e, err := history.Next()
		require.NoError(t, err)
		if e.GetEventType() == enums.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED || e.GetEventType() == enums.EVENT_TYPE_MARKER_RECORDED {
			lines = append(lines, string(e.GetUserMetadata().GetSummary().GetData()))
		}
	}
	return lines
}

// firstAttempts returns the text of the first attempts' result, as the Web UI shows it with the local activity.
func (w *world) firstAttempts(t *testing.T, x *commonpb.WorkflowExecution) string {
	t.Helper()
	history := w.temporal.GetWorkflowHistory(t.Context(), x.GetWorkflowId(), x.GetRunId(), false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for history.HasNext() {
		e, err := history.Next()
		require.NoError(t, err)
		for _, p := range e.GetMarkerRecordedEventAttributes().GetDetails()["result"].GetPayloads() {
			var out activities.ResolveOutput
			require.NoError(t, converter.GetDefaultDataConverter().FromPayload(p, &out))
			if out.First != nil {
				return out.First.Text
			}
		}
	}
	return ""
}

// reset resets a run to the task with that event id, as the button Reset does.
func (w *world) reset(t *testing.T, x *commonpb.WorkflowExecution, task int64) {
	t.Helper()
	_, err := w.temporal.ResetWorkflowExecution(t.Context(), &workflowservice.ResetWorkflowExecutionRequest{
		Namespace: namespace, WorkflowExecution: x, Reason: "test", WorkflowTaskFinishEventId: task, RequestId: fmt.Sprint(time.Now().UnixNano()),
	})
	require.NoError(t, err)
}
