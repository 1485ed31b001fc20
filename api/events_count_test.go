package api_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/internal/relay"
)

func TestEventsAreCountedAsTheyAreListed(t *testing.T) {
	t.Parallel()
	o := newOpsTest(t)
	o.configured()
	o.ended(o.bosley, "o-1", relay.StatusFailed, relay.ReasonExhausted, refusedAtMeta)
	o.ended(o.bosley, "o-2", relay.StatusDelivered, "")
	waiting := o.event(o.bosley, "o-3", "purchase_completed", person)
	ok, err := o.store.Take(t.Context(), waiting, "run")
	require.NoError(t, err)
	require.True(t, ok)
	for query, n := range map[string]float64{"": 3, "?status=failed": 1, "?storefront=pfizer": 0, "?destination=vendor": 1, "?failed_at=vendor": 1, "?failed_at=sgtm": 0, "?status=failed,failed": 1, "?status=delivered,failed,delivered": 2, "?reason=exhausted": 1,
		"?order_id=o-2": 1, "?waiting_at=sgtm": 1, "?waiting_at=sgtm&status=pending": 0, "?waiting_at=sgtm&storefront=bosley": 1} {
		r := o.as(rita).call(http.MethodGet, "/admin/v1/events/count"+query, "")
		require.Equal(t, http.StatusOK, r.status, r.text)
		require.InDelta(t, n, r.body["count"], 0, query)
		require.Equal(t, false, r.body["more"])
		require.Len(t, o.call(http.MethodGet, "/admin/v1/events"+query, "").items(t), int(n), query)
	}
	require.Equal(t, "3", o.call(http.MethodGet, "/admin/v1/events/count", "").body["text"])
	for _, query := range []string{"?limit=1", "?color=red", "?storefront=nobody", "?waiting_at=%22", "?status=lost", "?from=x"} {
		require.Equal(t, http.StatusUnprocessableEntity, o.call(http.MethodGet, "/admin/v1/events/count"+query, "").status, query)
	}
}
