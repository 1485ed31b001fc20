package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"relay/deploy/dev/harness"
	"relay/deploy/sandbox"
	"relay/internal/ops"
	"relay/internal/relay"
)

// cancelledAndTerminated cancels one delivery and terminates another. No code runs at a termination: the reconciler finds that row, and
// counts it.
func cancelledAndTerminated(t *testing.T, w *town) {
	w.storefront(t, "given-up")
	w.always(t, "/given-up/", sandbox.Answer{Status: 503, Headers: map[string]string{"Retry-After": "3600"}})
	post(t, w.one, item("given-up", "given-up-1"), item("given-up", "given-up-2"))
	waits := func(e ops.EventDetail) bool { return slices.Contains(outcomes(e, relay.SGTM), relay.Retry) }
	cancelled, terminated := w.wait(t, "given-up-1", waits), w.wait(t, "given-up-2", waits)

	require.NoError(t, w.temporal.CancelWorkflow(t.Context(), deliver(cancelled), ""))
	w.requireCancelled(t, "given-up-1")
	require.Equal(t, enums.WORKFLOW_EXECUTION_STATUS_CANCELED, w.closed(t, deliver(cancelled)))
	w.record(t, deliver(cancelled), "cancelled")

	require.NoError(t, w.temporal.TerminateWorkflow(t.Context(), deliver(terminated), "", "test"))
	w.exec(t, "UPDATE marketing_events SET claimed_until = UTC_TIMESTAMP(6) WHERE id = ?", terminated.ID) // as if a minute had passed
	reconcile := w.temporal.ScheduleClient().GetHandle(t.Context(), "reconcile")
	require.NoError(t, reconcile.Trigger(t.Context(), client.ScheduleTriggerOptions{}))
	w.requireCancelled(t, "given-up-2")
	eventually(t, func() error { return w.repaired(t) })
	w.recordScheduled(t, "reconcile", "reconcile")
	require.Len(t, w.requests(t, "/given-up/"), 2)
}

func (w *world) requireCancelled(t *testing.T, order string) {
	t.Helper()
	e := w.wait(t, order, harness.Final)
	require.Equal(t, relay.StatusFailed, e.Status)
	require.Equal(t, relay.ReasonCancelled, e.Reason)
	require.Equal(t, []relay.Outcome{relay.Retry}, outcomes(e, relay.SGTM))
}

// repaired returns an error unless /health/ready?verbose reports a repair of the reconciler.
func (w *town) repaired(t *testing.T) error {
	t.Helper()
	status, body, err := w.one.Do(t.Context(), http.MethodGet, "/health/ready?verbose", nil)
	require.NoError(t, err)
	var got struct {
		Reconciliation struct {
			At            time.Time
			Invariant     string
			RepairedInAll int `json:"repaired_in_all"`
		}
	}
	require.NoError(t, json.Unmarshal(body, &got))
	if r := got.Reconciliation; status != http.StatusOK || r.At.IsZero() || r.RepairedInAll < 1 || r.Invariant == "unknown" {
		return fmt.Errorf("%d %s", status, body)
	}
	return nil
}
