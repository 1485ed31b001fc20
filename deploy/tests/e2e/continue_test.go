package e2e_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"

	"relay/db"
	"relay/deploy/dev/harness"
	"relay/internal/relay"
)

// Two events wait for a credential that does not decrypt until their runs have continued as new. One is reset at its second
// run, the other at its first. Both remain the owners of their rows, and each is sent once.
func TestAResetOfARunThatContinuedAsNewSendsOnce(t *testing.T) {
	t.Parallel()
	built, err := programs()
	require.NoError(t, err)
	w := newWorldIn(t, harness.Config{Programs: built, Temporal: harness.TemporalOptions{ContinueAfter: 10}})
	w.storefront(t, "acme")
	var secret string
	require.NoError(t, w.sql.QueryRowContext(t.Context(), "SELECT api_secret FROM storefront_sgtm_config").Scan(&secret))
	w.exec(t, "UPDATE storefront_sgtm_config SET api_secret = ?", ofAnotherKey(t))
	r := w.relay(t, "one", "serve")
	orders := []string{"acme-0", "acme-1"}
	post(t, r, item("acme", orders[0]), item("acme", orders[1]))

	for i, order := range orders {
		e, err := w.Event(t.Context(), order, purchase)
		require.NoError(t, err)
		first, second := w.continued(t, deliver(e))
		w.resetToFirstTask(t, deliver(e), []string{second, first}[i])
	}
	w.exec(t, "UPDATE storefront_sgtm_config SET api_secret = ?", secret)
	w.requireOneRequestEach(t, "/acme/", orders)
	for _, order := range orders {
		e := w.delivered(t, order)
		require.Equal(t, enums.WORKFLOW_EXECUTION_STATUS_COMPLETED, w.closed(t, deliver(e)))
	}
}

// ofAnotherKey returns a token that the relay cannot decrypt.
func ofAnotherKey(t *testing.T) string {
	t.Helper()
	key, err := db.GenerateKey()
	require.NoError(t, err)
	keys, err := db.NewKeys(key)
	require.NoError(t, err)
	token, err := keys.Encrypt(relay.NewSecret("of another key"))
	require.NoError(t, err)
	return token
}

// continued waits until a workflow has continued as new, and returns its first and its current run.
func (w *world) continued(t *testing.T, id string) (first, present string) {
	t.Helper()
	eventually(t, func() error {
		d, err := w.temporal.DescribeWorkflowExecution(t.Context(), id, "")
		if err != nil {
			return err
		}
		first, present = d.GetWorkflowExecutionInfo().GetFirstRunId(), d.GetWorkflowExecutionInfo().GetExecution().GetRunId()
		if first == present {
			return fmt.Errorf("%s has not continued as new", id)
		}
		return nil
	})
	return first, present
}

// resetToFirstTask resets a run to its first workflow task, as the Web UI does, once that task has ended.
func (w *world) resetToFirstTask(t *testing.T, id, run string) {
	t.Helper()
	var task int64
	eventually(t, func() error {
		for _, e := range w.history(t.Context(), t, id, run).GetEvents() {
			if e.GetEventType() == enums.EVENT_TYPE_WORKFLOW_TASK_COMPLETED {
				task = e.GetEventId()
				return nil
			}
		}
		return errNotYet
	})
	_, err := w.temporal.ResetWorkflowExecution(t.Context(), &workflowservice.ResetWorkflowExecutionRequest{
		Namespace: "default", WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: id, RunId: run}, Reason: "test",
		WorkflowTaskFinishEventId: task, RequestId: run,
	})
	require.NoError(t, err)
}
