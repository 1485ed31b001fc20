package e2e_test

import (
	"bytes"
	"context"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/protobuf/proto"
)

// The values to search for in the wrong places.
const (
	markEmail    = "marker-jane@example.test"
	markName     = "Markerjane"
	markPayload  = "marker-payload-7f3a"
	markSecret   = "marker-api-secret"
	markHeader   = "marker-header-value"
	markToken    = "token-of-" // the prefix of the harness's tokens
	markPassword = "marker-password"
	markDatabase = "marker-database-password"
	markVendor   = `{"message":"marker-vendor-text"}`
)

func marks() []string {
	return []string{markEmail, markName, markPayload, markSecret, markHeader, markToken, markPassword, markDatabase, markNumber, "marker-"}
}

// requireNothingLeaked searches all data that remains of an event, except for its payload.
func (w *world) requireNothingLeaked(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), bound)
	defer cancel()
	w.eachWorkflow(ctx, t, func(what string, all []byte) { requireWithout(t, what, all, marks()) })
	for _, r := range w.relays {
		log, err := os.ReadFile(r.LogFile())
		require.NoError(t, err)
		requireClean(t, "the log of "+r.Name(), log)
		require.NotContains(t, string(log), "DATA RACE", "the log of %s", r.Name())
		if r.MetricsURL != "" {
			requireClean(t, "the metrics of "+r.Name(), []byte(metricsOf(t, r)))
		}
	}
	if w.traces != nil {
		requireClean(t, "the traces", w.traces.all())
	}
	w.requireCleanAttempts(ctx, t)
}

// requireUnknownToTemporal searches for texts in all data that Temporal stores of all deliveries.
func (w *world) requireUnknownToTemporal(t *testing.T, texts ...string) {
	t.Helper()
	w.eachWorkflow(t.Context(), t, func(what string, all []byte) { requireWithout(t, what, all, texts) })
}

// eachWorkflow calls a function with Temporal's description of each workflow, open or closed, and its history, in their
// binary form, in which texts are verbatim.
func (w *world) eachWorkflow(ctx context.Context, t *testing.T, look func(what string, all []byte)) {
	t.Helper()
	executions := w.executions(ctx, t)
	require.NotEmpty(t, executions)
	for _, e := range executions {
		x := e.GetExecution()
		look("the list of workflows, "+x.GetWorkflowId(), encoded(t, e))
		look("the history of "+x.GetWorkflowId(), encoded(t, w.history(ctx, t, x.GetWorkflowId(), x.GetRunId())))
	}
}

func requireClean(t *testing.T, where string, text []byte) {
	t.Helper()
	requireWithout(t, where, text, marks())
}

func requireWithout(t *testing.T, where string, text []byte, forbidden []string) {
	t.Helper()
	for _, m := range forbidden {
		if i := bytes.Index(text, []byte(m)); i >= 0 {
			require.Fail(t, where+" holds "+m, "%q", text[max(0, i-200):min(len(text), i+200)])
		}
	}
}

func encoded(t *testing.T, m proto.Message) []byte {
	t.Helper()
	b, err := proto.Marshal(m)
	require.NoError(t, err)
	return b
}

// executions returns all workflows that Temporal lists, open and closed.
func (w *world) executions(ctx context.Context, t *testing.T) []*workflow.WorkflowExecutionInfo {
	t.Helper()
	var all []*workflow.WorkflowExecutionInfo
	for token := []byte(nil); ; {
		page, err := w.temporal.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{PageSize: 1000, NextPageToken: token})
		require.NoError(t, err)
		all = append(all, page.GetExecutions()...)
		if token = page.GetNextPageToken(); len(token) == 0 {
			return all
		}
	}
}

// requireCleanAttempts checks every field: the record shows only values that are known to be harmless.
func (w *world) requireCleanAttempts(ctx context.Context, t *testing.T) {
	t.Helper()
	rows, err := w.sql.QueryContext(ctx, `SELECT CONCAT_WS(' ', url, header_names, request_body, dropped_fields, response_fields, trace_id, detail) FROM event_attempts`)
	require.NoError(t, err)
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var text string
		require.NoError(t, rows.Scan(&text))
		requireClean(t, "an attempt", []byte(text))
	}
	require.NoError(t, rows.Err())
}
