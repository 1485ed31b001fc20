package api_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/internal/relay"
)

func TestStatsAnswerByStorefront(t *testing.T) {
	t.Parallel()
	o := newOpsTest(t)
	o.configured()
	o.ended(o.bosley, "o-1", relay.StatusFailed, relay.ReasonUnauthorized, refusedAtMeta)
	o.event(o.bosley, "o-2", "purchase_completed", person)
	require.NoError(t, o.store.RecordFailure(t.Context(), o.bosley, "vendor", relay.Failure{Reason: relay.ReasonUnauthorized, Down: true, Probe: 30 * time.Second}))
	_, err := o.store.RollUp(t.Context(), time.Minute)
	require.NoError(t, err)
	r := o.as(rita).call(http.MethodGet, "/admin/v1/stats?storefront=bosley", "")
	require.Equal(t, http.StatusOK, r.status, r.text)
	s := r.body["storefronts"].([]any)[0].(map[string]any)
	require.InDelta(t, 2, s["received"], 0)
	require.InDelta(t, 1, s["open"], 0)
	require.Contains(t, s, "oldest_pending_seconds")
	require.Equal(t, map[string]any{"unauthorized": 1.0}, s["failed"])
	meta := s["destinations"].(map[string]any)["vendor"].(map[string]any)
	require.Equal(t, "unhealthy", meta["health"])
	require.Equal(t, map[string]any{"unauthorized": 1.0}, meta["failed"])
	require.Len(t, o.call(http.MethodGet, "/admin/v1/stats", "").body["storefronts"], 2)
	require.NotContains(t, r.body, "unknown_storefront")
	all := o.call(http.MethodGet, "/admin/v1/stats", "")
	require.InDelta(t, 0, all.body["unknown_storefront"].(map[string]any)["received"], 0)
}
