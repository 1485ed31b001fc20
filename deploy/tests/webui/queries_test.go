package webui_test

import (
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"relay/activities"
	"relay/deploy/sandbox"
	"relay/internal/relay"
	"relay/workflows"
)

const operations = "../../../docs/OPERATIONS.md"

var saved = regexp.MustCompile("(?m)^\\| \\[([a-z ]+)\\]\\(([^)]*)\\) \\| `([^`]*)` \\|$")

// savedQueries returns those of the table in docs/OPERATIONS.md, with the storefronts of this test. Each link must hold its query.
func savedQueries(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(operations)
	require.NoError(t, err)
	_, rest, _ := strings.Cut(string(text), "\n## Find\n")
	section, _, _ := strings.Cut(rest, "\n## ")
	queries := map[string]string{}
	ours := strings.NewReplacer("'bosley'", "'queries'", "meta_capi", "sandbox_b", "2025020100003333", "q-direct", "'20250201'", "'q-'",
		"2026-01-15T00:00:00Z", time.Now().Add(-time.Hour).UTC().Format(time.RFC3339))
	for _, row := range saved.FindAllStringSubmatch(section, -1) {
		link, err := url.Parse(row[2])
		require.NoError(t, err)
		require.Equal(t, row[3], link.Query().Get("query"), row[1])
		queries[row[1]] = ours.Replace(row[3])
	}
	return queries
}

func TestTheSavedQueriesFindTheirEvents(t *testing.T) {
	w := setup(t)
	w.fanOut(t, "queries")
	answers := func(b sandbox.Answer) { w.RespondWith(t, "/queries/platform/sandbox_b", b) }

	answers(sandbox.Answer{Status: 400})
	w.Post(t, "queries", "q-failed")
	_, err := w.SQL.ExecContext(t.Context(), `INSERT INTO marketing_events (event_id, storefront_code, event_type, event_payload, source_system, status)
		VALUES ('q-direct', 'queries', 'purchase_completed', '{"order_id": "q-direct"}', 'oms_direct', 'pending')`)
	require.NoError(t, err)
	w.Until(t, "q-failed", is(relay.StatusFailed))
	w.Until(t, "q-direct", is(relay.StatusFailed))
	answers(waits)
	w.Post(t, "queries", "q-waits")
	w.Post(t, "queries", "q-stopped")
	w.Until(t, "q-waits", attemptedAt("sandbox_b", 1))
	stopped := w.Until(t, "q-stopped", attemptedAt("sandbox_b", 1))
	require.NoError(t, w.temporal.TerminateWorkflow(t.Context(), workflows.DeliverEventID(stopped.ID), "", "test"))
	_, err = w.temporal.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: "replay-events:0", TaskQueue: "without-worker"}, workflows.ReplayEvents, activities.ReplayInput{})
	require.NoError(t, err)
	defer func() { require.NoError(t, w.temporal.TerminateWorkflow(t.Context(), "replay-events:0", "", "test")) }()

	// A query without a storefront or destination of this test would also find the workflows of earlier tests.
	queries, want := savedQueries(t), map[string]int64{
		"one order": 1, "failed today for bosley": 2, "failed at meta": 2, "retrying at meta": 1, "on their way for bosley": 1,
		"failed purchases": 2, "failed direct rows": 1, "orders of a day by their number": 4, "stopped by hand": 1, "replays under way": 1,
	}
	require.Len(t, queries, len(want))
	for name, n := range want {
		query, ok := queries[name]
		require.True(t, ok, name)
		if strings.Contains(query, "DeliverEvent") || strings.Contains(name, "purchases") || strings.Contains(name, "meta") {
			query += " AND Storefront = 'queries'"
		}
		var got int64
		require.Eventually(t, func() bool {
			got, err = w.list(t.Context(), query)
			return err == nil && got == n
		}, bound, tick, name)
	}
}

var reasons = regexp.MustCompile(`Reason = "([a-z_]+)"`)

func TestEveryReasonIsExplainedToOps(t *testing.T) {
	t.Parallel()
	code, err := os.ReadFile("../../../internal/relay/reason.go")
	require.NoError(t, err)
	text, err := os.ReadFile(operations)
	require.NoError(t, err)
	_, table, _ := strings.Cut(string(text), "\n## Reasons\n")
	found := reasons.FindAllSubmatch(code, -1)
	require.Greater(t, len(found), 40)
	for _, reason := range found {
		require.Contains(t, table, "`"+string(reason[1])+"`")
	}
}
