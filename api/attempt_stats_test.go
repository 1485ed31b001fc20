package api_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/internal/ops"
	"relay/internal/relay"
)

func TestAttemptsAreCountedByOutcomeStatusAndTime(t *testing.T) {
	t.Parallel()
	const stats = "/admin/v1/attempts/stats"
	o := newOpsTest(t)
	now := time.Now().UTC()
	require.NoError(t, o.store.AddAttempts(t.Context(), map[ops.AttemptKey]int64{
		{Minute: now, Storefront: "bosley", Destination: "ga4", Outcome: relay.Accepted, Status: 204, Range: 100}:     90,
		{Minute: now, Storefront: "bosley", Destination: "ga4", Outcome: relay.Retry, Status: 503, Range: 1000}:       10,
		{Minute: now, Storefront: "pfizer", Destination: "sgtm", Outcome: relay.Accepted, Status: 200, Range: 10}:     5,
		{Minute: now.Add(-8 * time.Hour), Storefront: "pfizer", Destination: "sgtm", Outcome: relay.Retry, Range: 10}: 5,
		{Minute: now, Storefront: "gone", Destination: "sgtm", Outcome: relay.Retry, Range: 10}:                       5,
	}))
	get := func(query string) reply { return o.as(rita).call(http.MethodGet, stats+query, "") }
	r := get("?from=" + now.Add(-time.Hour).Format(time.RFC3339))
	require.Equal(t, http.StatusOK, r.status, r.text)
	require.Equal(t, "minute", r.body["step"])
	total := r.body["total"].(map[string]any)
	require.InDelta(t, 105, total["n"], 0)
	require.InDelta(t, 10, total["failed"], 0)
	list := r.body["destinations"].([]any)
	require.Len(t, list, 2)
	ga4 := list[0].(map[string]any)
	require.Equal(t, []any{"bosley", "ga4", .1}, []any{ga4["storefront"], ga4["destination"], ga4["error_rate"]})
	require.Equal(t, map[string]any{"accepted": 90.0, "retry": 10.0}, ga4["outcomes"])
	require.Equal(t, []any{map[string]any{"status": 204.0, "n": 90.0}, map[string]any{"status": 503.0, "n": 10.0}}, ga4["statuses"])
	require.InDelta(t, 77.8, ga4["p50_ms"], .1)
	require.InDelta(t, 750, ga4["p95_ms"], .1)

	day := get("")
	require.Equal(t, "hour", day.body["step"])
	require.InDelta(t, 110, day.body["total"].(map[string]any)["n"], 0)
	week := get("?from=" + now.Add(-7*24*time.Hour).Format(time.RFC3339))
	require.Equal(t, "day", week.body["step"])
	require.InDelta(t, 110, week.body["total"].(map[string]any)["n"], 0)
	require.Len(t, get("?storefront=pfizer&destination=sgtm").body["destinations"], 1)
	empty := get("?storefront=pfizer&destination=ga4")
	require.InDelta(t, 0, empty.body["total"].(map[string]any)["error_rate"], 0)
	for _, query := range []string{"?storefront=nobody", "?destination=%22", "?color=red", "?from=2025-01-01T00:00:00Z"} {
		require.Equal(t, http.StatusUnprocessableEntity, get(query).status, query)
	}
}
