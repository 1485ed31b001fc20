package webui_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/batch/v1"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"

	"relay/deploy/sandbox"
	"relay/internal/ops"
	"relay/internal/relay"
)

var fails = sandbox.Answer{Status: 503}

func TestAFailedDeliveryIsFoundByItsOrderAndResetInTheWebUI(t *testing.T) {
	w := setup(t)
	w.fanOut(t, "bosley")
	w.RespondWith(t, "/bosley/platform/sandbox_b", fails)
	const order = "2025020100003333"
	w.Post(t, "bosley", order)
	failed := w.Until(t, order, is(relay.StatusFailed))
	w.ended(t, failed, enums.WORKFLOW_EXECUTION_STATUS_FAILED)

	p := w.browse(t)
	p.search(`EventId="` + order + `"`)
	p.rows(1)
	require.Contains(t, p.text(), "FAILED")
	p.picture("search")
	p.click(`tbody a[href*="deliver-event"]`, "")
	const why = "sandbox: accepted, last response 200; sandbox_b: no attempts left (exhausted), last response 503"
	p.wait(why, func() bool { return strings.Contains(p.text(), why) })
	require.Contains(t, p.text(), "Fairness\nbosley")
	require.Subset(t, w.summaries(t, w.execution(t, failed)), []string{`"first attempt at sandbox, sandbox_b"`, `"sandbox_b"`}, "shown inline in the history")
	require.NotContains(t, w.summaries(t, w.execution(t, failed)), `"sandbox"`, "it needed no further attempt")
	p.picture("failed")
	d, err := w.temporal.DescribeWorkflowExecution(t.Context(), w.execution(t, failed).GetWorkflowId(), "")
	require.NoError(t, err)
	require.Equal(t, `"purchase_completed of bosley"`, string(d.GetExecutionConfig().GetUserMetadata().GetSummary().GetData()), "shown under User Metadata")

	w.RespondWith(t, "/bosley/platform/sandbox_b", sandbox.Answer{})
	p.click("button", "Reset")
	p.click(`[data-testid="workflow-reset-event-id-select-button"]`, "")
	p.click(`#reset-event-id-select [role="option"]`, "4 - WorkflowTaskCompleted")
	p.write(`[data-testid="reset-reason"]`, "the platform is back")
	p.picture("reset")
	p.click(`dialog[open] [data-testid="confirm-modal-button"]`, "")
	p.gone("dialog[open]")

	e := w.Until(t, order, is(relay.StatusDelivered))
	require.Equal(t, []relay.Outcome{relay.Accepted}, sends(e, "sandbox"), "it had accepted the event")
	require.Equal(t, []relay.Outcome{relay.Retry, relay.Retry, relay.Retry, relay.Retry, relay.Accepted}, sends(e, "sandbox_b"))
	require.Equal(t, 1, e.Generation)
	w.ended(t, e, enums.WORKFLOW_EXECUTION_STATUS_COMPLETED)
	p.search(`EventId="` + order + `"`)
	p.rows(2) // two runs of one workflow
	require.Contains(t, p.text(), "COMPLETED")
	require.Contains(t, p.text(), "FAILED")
}

func TestAResetOfARejectedDeliverySendsOnlyWhatWasNotAccepted(t *testing.T) {
	w := setup(t)
	w.fanOut(t, "keeps")
	w.RespondWith(t, "/keeps/platform/sandbox_b", sandbox.Answer{Status: 400})
	w.Post(t, "keeps", "k-1")
	rejected := w.Until(t, "k-1", is(relay.StatusFailed))
	w.ended(t, rejected, enums.WORKFLOW_EXECUTION_STATUS_FAILED)
	x := w.execution(t, rejected)
	tasks := w.tasks(t, x)
	require.Len(t, tasks, 1, "the first attempts were all that it took: there is one place to reset it to")
	words := w.firstAttempts(t, x)
	require.Contains(t, words, "sandbox: accepted, last response 200; sandbox_b: ")
	require.Contains(t, words, "last response 400")
	w.RespondWith(t, "/keeps/platform/sandbox_b", sandbox.Answer{})

	w.reset(t, x, tasks[0])
	e := w.Until(t, "k-1", is(relay.StatusDelivered))
	require.Equal(t, []relay.Outcome{relay.Accepted}, sends(e, "sandbox"))
	require.Equal(t, []relay.Outcome{relay.Rejected, relay.Accepted}, sends(e, "sandbox_b"))
}

func TestAResetOfAnExhaustedDeliveryAttemptsAgainFromAnyTask(t *testing.T) {
	w := setup(t)
	w.Storefront(t, "exhausted")
	w.RespondWith(t, "/exhausted", fails)
	w.Post(t, "exhausted", "x-1")
	e := w.Until(t, "x-1", is(relay.StatusFailed))
	w.ended(t, e, enums.WORKFLOW_EXECUTION_STATUS_FAILED)
	w.RespondWith(t, "/exhausted", sandbox.Answer{})
	x := w.execution(t, e)
	tasks := w.tasks(t, x)
	w.reset(t, x, tasks[len(tasks)-1])
	e = w.Until(t, "x-1", is(relay.StatusDelivered))
	require.Equal(t, []relay.Outcome{relay.Retry, relay.Retry, relay.Retry, relay.Retry, relay.Accepted}, sends(e, relay.SGTM))
}

func TestAResetOfADeliveredEventSendsNothing(t *testing.T) {
	w := setup(t)
	w.Storefront(t, "hims")
	w.Post(t, "hims", "h-1")
	e := w.Until(t, "h-1", is(relay.StatusDelivered))
	w.ended(t, e, enums.WORKFLOW_EXECUTION_STATUS_COMPLETED)
	x := w.execution(t, e)
	w.reset(t, x, w.tasks(t, x)[0])
	e = w.Until(t, "h-1", func(e ops.EventDetail) bool { return e.Generation == 1 && e.Status.Final() })
	require.Equal(t, relay.StatusDelivered, e.Status)
	require.Equal(t, []relay.Outcome{relay.Accepted}, sends(e, relay.SGTM))
}

func TestAFilteredListIsResetInOneBatch(t *testing.T) {
	w := setup(t)
	w.Storefront(t, "corso")
	w.Storefront(t, "other")
	w.RespondWith(t, "/corso", sandbox.Answer{Status: 400})
	w.RespondWith(t, "/other", sandbox.Answer{Status: 400})
	orders := []string{"c-1", "c-2", "c-3"}
	for _, order := range orders {
		w.Post(t, "corso", order)
	}
	w.Post(t, "other", "other-1")
	for _, order := range append(orders, "other-1") {
		w.ended(t, w.Until(t, order, is(relay.StatusFailed)), enums.WORKFLOW_EXECUTION_STATUS_FAILED)
	}
	w.RespondWith(t, "/corso", sandbox.Answer{})
	w.RespondWith(t, "/other", sandbox.Answer{})

	p := w.browse(t)
	p.search(`Storefront="corso" AND ExecutionStatus="Failed"`)
	p.rows(len(orders))
	p.click(`thead label:has(#select-visible-workflows)`, "")
	p.click(`[data-testid="bulk-reset-button"]`, "")
	p.picture("reset-list")
	p.click(`#batch-reset-confirmation-modal[open] [data-testid="confirm-modal-button"]`, "")
	p.gone("dialog[open]")
	for _, order := range orders {
		e := w.Until(t, order, is(relay.StatusDelivered))
		require.Equal(t, []relay.Outcome{relay.Rejected, relay.Accepted}, sends(e, relay.SGTM))
	}
	e, err := w.Event(t.Context(), "other-1", purchase)
	require.NoError(t, err)
	require.Equal(t, relay.StatusFailed, e.Status, "the event belongs to another storefront")

	t.Run("by the button's call", func(t *testing.T) {
		_, err := w.temporal.WorkflowService().StartBatchOperation(t.Context(), &workflowservice.StartBatchOperationRequest{
			Namespace: namespace, JobId: "reset-other", Reason: "test", VisibilityQuery: `Storefront="other" AND ExecutionStatus="Failed"`,
			Operation: &workflowservice.StartBatchOperationRequest_ResetOperation{ResetOperation: &batch.BatchOperationReset{
				Options: &commonpb.ResetOptions{Target: &commonpb.ResetOptions_FirstWorkflowTask{}},
			}},
		})
		require.NoError(t, err)
		w.Until(t, "other-1", is(relay.StatusDelivered))
	})
}
