package workflows_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"relay/workflows"
)

// The histories in testdata were recorded on real parts (go test ./tests/e2e -update in deploy). A workflow that does not
// replay them would break the deliveries that are open while it is rolled out.
func TestRecordedHistoriesReplay(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.history.json")
	require.NoError(t, err)
	var names []string
	for _, file := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(file), ".history.json"))
		t.Run(names[len(names)-1], func(t *testing.T) {
			t.Parallel()
			r := worker.NewWorkflowReplayer()
			for _, w := range []any{workflows.DeliverEvent, workflows.EraseEvents, workflows.PollInbox, workflows.PurgeEvents,
				workflows.Reconcile, workflows.ReplayEvents, workflows.RollUpStats, workflows.SendNotices} {
				r.RegisterWorkflow(w)
			}
			require.NoError(t, r.ReplayWorkflowHistoryFromJSONFile(quiet{}, file))
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			require.NotContains(t, string(text), "@", "no machine's name")
		})
	}
	require.Equal(t, []string{
		"cancelled",
		"database-away-at-the-first-step",
		"database-away-between-attempts",
		"database-away-when-the-response-arrived",
		"delivered-after-retries",
		"erased",
		"failed-exhausted",
		"failed-half-retried",
		"first-attempt-at-five",
		"first-attempt-killed",
		"first-attempt-rejected",
		"first-attempt-retried",
		"first-attempt-stored-and-killed",
		"first-attempt",
		"limited-with-new-routes",
		"limited",
		"notices",
		"poll-inbox",
		"purge",
		"reconcile",
		"replay-paused-and-killed",
		"rerouted",
		"roll-up",
		"skipped",
		"worker-killed",
	}, names)
}

func TestAWorkflowWithOtherCommandsDoesNotReplay(t *testing.T) {
	t.Parallel()
	r := worker.NewWorkflowReplayer()
	r.RegisterWorkflowWithOptions(func(ctx workflow.Context, _ workflows.DeliverInput) error {
		return workflow.Sleep(ctx, time.Second)
	}, workflow.RegisterOptions{Name: "DeliverEvent"})
	require.Error(t, r.ReplayWorkflowHistoryFromJSONFile(quiet{}, "testdata/delivered-after-retries.history.json"))
}
