package api_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheBacklogListsOpenEvents(t *testing.T) {
	t.Parallel()
	const backlog = "/admin/v1/backlog"
	o := newOpsTest(t)
	empty := o.call(http.MethodGet, backlog, "")
	require.Equal(t, http.StatusOK, empty.status, empty.text)
	require.Equal(t, []any{}, empty.body["storefronts"])
	require.NotContains(t, empty.body, "unknown_storefront")
	require.NotContains(t, empty.body, "oldest_pending_seconds")

	o.event(o.bosley, "o-1", "purchase_completed", person)
	taken := o.event(o.bosley, "o-2", "purchase_completed", person)
	ok, err := o.store.Take(t.Context(), taken, "run")
	require.NoError(t, err)
	require.True(t, ok)
	r := o.as(rita).call(http.MethodGet, backlog, "")
	require.InDelta(t, 1, r.body["pending"], 0)
	require.InDelta(t, 1, r.body["processing"], 0)
	require.Contains(t, r.body, "oldest_pending_seconds")
	bosley := r.body["storefronts"].([]any)[0].(map[string]any)
	require.Equal(t, "bosley", bosley["storefront"])
	require.InDelta(t, 1, bosley["pending"], 0)
	require.Equal(t, http.StatusUnprocessableEntity, o.call(http.MethodGet, backlog+"?storefront=bosley", "").status)
}
