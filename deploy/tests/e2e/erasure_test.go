package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"

	"relay/deploy/dev/harness"
	"relay/deploy/sandbox"
	"relay/internal/ops"
	"relay/internal/relay"
	"relay/workflows"
)

const erasedPerson = "marker-person-7"

// A delivered order, a person whose event waits for its next attempt, and a direct row are erased, with a relay that is
// killed during the erasure. Only their rows remain in the database, in Temporal and in the log, without personal data, and
// a second arrival does not restore the data.
func TestErasedDataIsInNoPartAndDoesNotReturn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "RETRY_BACKOFF_BASE=3600")
	w.storefront(t, "kept")
	w.storefront(t, "stuck")
	w.always(t, "/stuck/", sandbox.Answer{Status: 503})
	r := w.relay(t, "relay", "serve")
	person := item("stuck", "ord-beta")
	person["user_data"] = map[string]any{"external_id": erasedPerson}
	post(t, r, item("kept", "ord-alpha"), person, item("kept", "ord-delta"))
	w.insert(t, "kept", "ord-gamma")
	rows := map[string]int64{}
	for _, order := range []string{"ord-alpha", "ord-gamma", "ord-delta"} {
		rows[order] = w.delivered(t, order).ID
	}
	rows["ord-beta"] = w.wait(t, "ord-beta", func(e ops.EventDetail) bool {
		return len(e.Attempts) == 1 && e.Attempts[0].Result.Outcome == relay.Retry
	}).ID
	sent := len(w.requests(t, "/"))

	for _, what := range [][]string{{"--order", "ord-alpha"}, {"--external-id", erasedPerson}, {"--order", "ord-gamma"}} {
		require.Contains(t, w.cli(t, r, append([]string{"erase", "--yes", "--detach"}, what...)...), "erasure ")
	}
	r.Kill()
	require.NoError(t, r.Start(t.Context()))
	for id, looked := range []int{1, 4, 1} {
		out := w.cli(t, r, "erase", "watch", fmt.Sprint(id+1))
		require.Contains(t, out, fmt.Sprintf("%d of %d events scanned, 1 of 1 erased, done", looked, looked))
	}
	w.record(t, workflows.EraseEventsID(2), "erased")

	gone := []string{"ord-alpha", "ord-beta", "ord-gamma"}
	for _, order := range gone {
		w.requireErased(t, r, order, rows[order])
	}
	w.requireUnknownToTemporal(t, append(gone, erasedPerson)...)
	log, err := os.ReadFile(r.LogFile())
	require.NoError(t, err)
	for _, word := range append(gone, erasedPerson) {
		require.NotContains(t, string(log), word)
	}

	// The events arrive again.
	response, err := r.Post(t.Context(), harness.Batch(item("kept", "ord-alpha"), person, item("kept", "ord-gamma"), item("kept", "ord-delta")))
	require.NoError(t, err)
	require.Equal(t, []int{0, 3, 1}, []int{response.Accepted, response.Duplicates, response.Rejected}, response.Body) // ord-delta has a different time
	w.insert(t, "kept", "ord-gamma")
	eventually(t, func() error {
		if w.count(t, "SELECT COUNT(*) FROM marketing_events WHERE status = 'failed' AND reason = 'erased' AND event_payload = '{}'") != 1 {
			return errNotYet
		}
		return nil
	})
	require.Zero(t, w.count(t, "SELECT COUNT(*) FROM marketing_events WHERE event_id = 'ord-gamma'"))
	require.Equal(t, 5, w.count(t, "SELECT COUNT(*) FROM marketing_events"))
	require.Len(t, w.requests(t, "/"), sent, "no event was sent again")
	require.NotEmpty(t, w.delivered(t, "ord-delta").Attempts[0].Body, "events outside the erasure keep their data")
}

// holding returns the columns of all tables that contain a text.
func (w *world) holding(t *testing.T, text string) []string {
	t.Helper()
	rows, err := w.sql.QueryContext(t.Context(), "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = DATABASE()")
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	var places [][2]string
	for rows.Next() {
		var p [2]string
		require.NoError(t, rows.Scan(&p[0], &p[1]))
		places = append(places, p)
	}
	require.NoError(t, rows.Err())
	var found []string
	for _, p := range places {
		if w.count(t, "SELECT COUNT(*) FROM `"+p[0]+"` WHERE INSTR(CAST(`"+p[1]+"` AS CHAR), ?) > 0", text) > 0 {
			found = append(found, p[0]+"."+p[1])
		}
	}
	return found
}

// requireErased searches every table and Temporal for an erased order.
func (w *world) requireErased(t *testing.T, r *harness.Relay, order string, row int64) {
	t.Helper()
	require.Equal(t, 1, w.count(t, "SELECT COUNT(*) FROM marketing_events WHERE id = ? AND event_id = ? AND event_payload = '{}' AND erased_at IS NOT NULL",
		row, ops.Erased(order)))
	require.Equal(t, 1, w.count(t, "SELECT COUNT(*) FROM event_attempts WHERE marketing_event_id = ?", row))
	require.Zero(t, w.count(t, "SELECT COUNT(*) FROM event_attempts WHERE marketing_event_id = ? AND COALESCE(request_body, request_sha256, trace_id, response_fields) IS NOT NULL", row))
	require.Empty(t, w.holding(t, order))
	require.Empty(t, w.holding(t, erasedPerson))
	status := asked(t, r, http.StatusOK, http.MethodGet, "/v1/events?order_id="+order, "")
	require.Equal(t, order, status["items"].([]any)[0].(map[string]any)["order_id"], "OMS finds it by its order")
	require.Zero(t, w.count(t, "SELECT COUNT(*) FROM event_erasures WHERE subject IS NOT NULL"))
	_, err := w.temporal.DescribeWorkflowExecution(t.Context(), workflows.DeliverEventID(row), "")
	var notFound *serviceerror.NotFound
	require.ErrorAs(t, err, &notFound)
	eventually(t, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), bound)
		defer cancel()
		for _, e := range w.executions(ctx, t) {
			if e.GetExecution().GetWorkflowId() == workflows.DeliverEventID(row) {
				return errNotYet
			}
		}
		return nil
	})
	shown := w.cli(t, r, "events", "show", fmt.Sprint(row))
	require.Contains(t, shown, "erased")
	require.NotContains(t, shown, order)
	refused := asked(t, r, http.StatusConflict, http.MethodPost, fmt.Sprintf("/admin/v1/events/%d/retry", row), "")
	require.Equal(t, "erased", refused["code"])
	require.True(t, strings.HasPrefix(ops.Erased(order), "erased:"))
}
