package e2e_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/history/v1"
	"go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/temporalproto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"relay/internal/ops"
	"relay/workflows"
)

var update = flag.Bool("update", false, "write the histories that workflows/history_test.go replays")

// record stores the history of a workflow for the tests of determinism, without the names of this machine.
func (w *world) record(t *testing.T, workflowID, name string) {
	t.Helper()
	if !*update {
		return
	}
	if workflowID != workflows.PollInboxID { // it never ends
		w.closed(t, workflowID)
	}
	h := w.history(t.Context(), t, workflowID, "")
	for _, e := range h.GetEvents() {
		anonymise(e.ProtoReflect())
	}
	text, err := temporalproto.CustomJSONMarshalOptions{Indent: "  "}.Marshal(h)
	require.NoError(t, err)
	host, err := os.Hostname()
	require.NoError(t, err)
	require.NotContains(t, string(text), `"`+host)
	require.NotContains(t, string(text), "@", "the SDK's identities are a process id, a host's name and a task queue")
	path := filepath.Join("..", "..", "..", "workflows", "testdata", name+".history.json")
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o750))
	require.NoError(t, os.WriteFile(path, append(text, '\n'), 0o600))
}

// recordScheduled stores the history of the latest workflow that a schedule started.
func (w *world) recordScheduled(t *testing.T, schedule, name string) {
	t.Helper()
	if !*update {
		return
	}
	d, err := w.temporal.ScheduleClient().GetHandle(t.Context(), schedule).Describe(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, d.Info.RecentActions)
	w.record(t, d.Info.RecentActions[len(d.Info.RecentActions)-1].StartWorkflowResult.WorkflowID, name)
}

// recordLongest records the longest of a schedule's latest runs.
func (w *world) recordLongest(t *testing.T, schedule, name string) {
	t.Helper()
	if !*update {
		return
	}
	d, err := w.temporal.ScheduleClient().GetHandle(t.Context(), schedule).Describe(t.Context())
	require.NoError(t, err)
	id, most := "", int64(0)
	for _, run := range d.Info.RecentActions {
		one, err := w.temporal.DescribeWorkflowExecution(t.Context(), run.StartWorkflowResult.WorkflowID, "")
		require.NoError(t, err)
		if n := one.GetWorkflowExecutionInfo().GetHistoryLength(); n > most {
			id, most = run.StartWorkflowResult.WorkflowID, n
		}
	}
	w.record(t, id, name)
}

// anonymise replaces the texts that the SDK derives from this machine's name: identities, and the names of sticky queues.
func anonymise(m protoreflect.Message) {
	if q, ok := m.Interface().(*taskqueue.TaskQueue); ok && q.GetKind() == enums.TASK_QUEUE_KIND_STICKY {
		q.Name = "sticky"
	}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.Kind() == protoreflect.StringKind && f.Name() == "identity":
			m.Set(f, protoreflect.ValueOfString("relay"))
		case f.Kind() == protoreflect.MessageKind && !f.IsList() && !f.IsMap():
			anonymise(v.Message())
		}
		return true
	})
}

func deliver(e ops.EventDetail) string { return workflows.DeliverEventID(e.ID) }

// history returns the history of a workflow's run, of the latest one if run is empty.
func (w *world) history(ctx context.Context, t *testing.T, id, run string) *history.History {
	t.Helper()
	h := &history.History{}
	events := w.temporal.GetWorkflowHistory(ctx, id, run, false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		e, err := events.Next()
		require.NoError(t, err)
		h.Events = append(h.Events, e)
	}
	return h
}

// waitTimer waits until a delivery has started a timer with the summary.
func (w *world) waitTimer(t *testing.T, e ops.EventDetail, summary string) {
	t.Helper()
	eventually(t, func() error {
		if got := timers(t, w.history(t.Context(), t, deliver(e), "")); !slices.Contains(got, summary) {
			return fmt.Errorf("%s has waited for %q, not for %q", deliver(e), got, summary)
		}
		return nil
	})
}

// timers returns the summaries of all timers that were started.
func timers(t *testing.T, h *history.History) []string {
	t.Helper()
	var found []string
	for _, e := range h.GetEvents() {
		if e.GetEventType() != enums.EVENT_TYPE_TIMER_STARTED {
			continue
		}
		var summary string
		if data := e.GetUserMetadata().GetSummary().GetData(); len(data) > 0 {
			require.NoError(t, json.Unmarshal(data, &summary))
		}
		found = append(found, summary)
	}
	return found
}

// status waits until Temporal has a workflow, and returns its status.
func (w *world) status(t *testing.T, id string) enums.WorkflowExecutionStatus {
	t.Helper()
	var status enums.WorkflowExecutionStatus
	eventually(t, func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		d, err := w.temporal.DescribeWorkflowExecution(ctx, id, "")
		status = d.GetWorkflowExecutionInfo().GetStatus()
		return err
	})
	return status
}

// closed waits until a workflow has ended, which is a moment after its row is final, and returns its status.
func (w *world) closed(t *testing.T, id string) enums.WorkflowExecutionStatus {
	t.Helper()
	status := enums.WORKFLOW_EXECUTION_STATUS_RUNNING
	eventually(t, func() error {
		if status = w.status(t, id); status == enums.WORKFLOW_EXECUTION_STATUS_RUNNING {
			return errNotYet
		}
		return nil
	})
	return status
}
