package temporal_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	sdk "go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"relay/deploy/dev/temporal"
)

const queue = "tests"

// waitForSignal is a workflow that runs until it is signalled, over any number of restarts.
func waitForSignal(ctx workflow.Context) (string, error) {
	var text string
	workflow.GetSignalChannel(ctx, "say").Receive(ctx, &text)
	return text, nil
}

func TestWorkflowsContinueAfterARestartOfTheServer(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a b#c%d?e")
	s := start(t, temporal.Config{Dir: dir})
	address, ui := s.Address(), s.UIURL()
	c := dial(t, address)
	stopWorker := work(t, c)

	run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: "waits", TaskQueue: queue}, waitForSignal)
	require.NoError(t, err)
	other, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: "ends", TaskQueue: queue}, waitForSignal)
	require.NoError(t, err)
	require.NoError(t, c.SignalWorkflow(t.Context(), "ends", "", "say", "now"))
	require.NoError(t, other.Get(t.Context(), nil))
	stopWorker()
	require.NoError(t, s.Stop())

	s = start(t, temporal.Config{Dir: dir, Port: port(t, address), UIPort: port(t, ui)})
	require.Equal(t, address, s.Address())
	require.Equal(t, ui, s.UIURL())
	c = dial(t, address)
	work(t, c)
	require.NoError(t, c.SignalWorkflow(t.Context(), "waits", "", "say", "later"))
	var text string
	require.NoError(t, c.GetWorkflow(t.Context(), "waits", run.GetRunID()).Get(t.Context(), &text))
	require.Equal(t, "later", text)
	eventually(t, func() bool { return count(t, c, "ExecutionStatus = 'Completed'") == 2 })
}

func TestTheNamespaceKeepsWorkflowsForThirtyDays(t *testing.T) {
	t.Parallel()
	s := start(t, temporal.Config{Dir: t.TempDir(), UIPort: temporal.NoUI})
	require.Empty(t, s.UIURL())
	c := dial(t, s.Address())
	got, err := c.WorkflowService().DescribeNamespace(t.Context(), &workflowservice.DescribeNamespaceRequest{Namespace: "default"})
	require.NoError(t, err)
	require.Equal(t, 30*24*time.Hour, got.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration())
}

// Every filter must work without the dropped indexes: full-text triggers serve keyword lists, the table scan the rest.
func TestEverySearchAttributeCanBeFiltered(t *testing.T) {
	t.Parallel()
	s := start(t, temporal.Config{Dir: t.TempDir(), UIPort: temporal.NoUI})
	c := dial(t, s.Address())
	_, err := c.OperatorService().AddSearchAttributes(t.Context(), &operatorservice.AddSearchAttributesRequest{
		Namespace: "default", SearchAttributes: map[string]enums.IndexedValueType{
			"Storefront": enums.INDEXED_VALUE_TYPE_KEYWORD, "Destinations": enums.INDEXED_VALUE_TYPE_KEYWORD_LIST,
		},
	})
	require.NoError(t, err)
	options := client.StartWorkflowOptions{
		ID: "one", TaskQueue: queue, Priority: sdk.Priority{FairnessKey: "bosley"},
		TypedSearchAttributes: sdk.NewSearchAttributes(
			sdk.NewSearchAttributeKeyKeyword("Storefront").ValueSet("bosley"),
			sdk.NewSearchAttributeKeyKeywordList("Destinations").ValueSet([]string{"sgtm", "ga4"}),
		),
	}
	eventually(t, func() bool { // a new attribute takes effect after a second or two
		_, err = c.ExecuteWorkflow(t.Context(), options, waitForSignal)
		return err == nil
	})
	for query, want := range map[string]int64{
		"Storefront = 'bosley'":              1,
		"Storefront = 'pfizer'":              0,
		"Destinations = 'ga4'":               1,
		"Destinations = 'meta'":              0,
		"WorkflowType STARTS_WITH 'waitFor'": 1,
		"WorkflowId = 'one'":                 1,
		"ExecutionStatus = 'Running'":        1,
		"TaskQueue = 'tests'":                1,
	} {
		eventually(t, func() bool { return count(t, c, query) == want })
	}
}

func TestTheWebUIServesItsOwnPages(t *testing.T) {
	t.Parallel()
	s := start(t, temporal.Config{Dir: t.TempDir()})
	index := get(t, s.UIURL()+"/namespaces/default/workflows")
	asset := regexp.MustCompile(`/_app/[^"']+\.js`).FindString(index)
	require.NotEmpty(t, asset, index)
	require.NotEmpty(t, get(t, s.UIURL()+asset))
	require.Contains(t, get(t, s.UIURL()+"/api/v1/namespaces/default"), `"name": "default"`)
}

func TestInjectedFaultsReachTheCaller(t *testing.T) {
	t.Parallel()
	s := start(t, temporal.Config{Dir: t.TempDir(), UIPort: temporal.NoUI, FaultRate: 0.5})
	c := dial(t, s.Address())
	failed := 0
	for i := range 20 {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		_, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: fmt.Sprint(i), TaskQueue: queue}, waitForSignal)
		cancel()
		if err != nil {
			failed++
		}
	}
	require.Positive(t, failed)
	_, err := temporal.Start(t.Context(), temporal.Config{Dir: t.TempDir(), FaultRate: 2})
	require.ErrorContains(t, err, "fault rate 2")
}

func TestAFolderHasOnlyOneServer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	start(t, temporal.Config{Dir: dir, UIPort: temporal.NoUI})
	_, err := temporal.Start(t.Context(), temporal.Config{Dir: dir, UIPort: temporal.NoUI})
	require.ErrorContains(t, err, "in use by another process")
}

func TestAnIncompleteFolderIsCreatedAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "temporal.db"), nil, 0o600))
	start(t, temporal.Config{Dir: dir, UIPort: temporal.NoUI})
}

func start(t *testing.T, c temporal.Config) *temporal.Server {
	t.Helper()
	s, err := temporal.Start(t.Context(), c)
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Stop() })
	return s
}

func dial(t *testing.T, address string) client.Client {
	t.Helper()
	c, err := client.DialContext(t.Context(), client.Options{HostPort: address, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

// work runs a worker until the test ends or the function it returns is called.
func work(t *testing.T, c client.Client) func() {
	t.Helper()
	w := worker.New(c, queue, worker.Options{})
	w.RegisterWorkflow(waitForSignal)
	require.NoError(t, w.Start())
	t.Cleanup(w.Stop)
	return w.Stop
}

func count(t *testing.T, c client.Client, query string) int64 {
	t.Helper()
	got, err := c.CountWorkflow(t.Context(), &workflowservice.CountWorkflowExecutionsRequest{Query: query})
	require.NoError(t, err)
	return got.GetCount()
}

func port(t *testing.T, address string) int {
	t.Helper()
	var n int
	_, err := fmt.Sscan(regexp.MustCompile(`\d+$`).FindString(address), &n)
	require.NoError(t, err)
	return n
}

func get(t *testing.T, url string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusOK, response.StatusCode, "%s: %s", url, body)
	return string(body)
}

func eventually(t *testing.T, condition func() bool) {
	t.Helper()
	require.Eventually(t, condition, 100*time.Second, 50*time.Millisecond)
}
