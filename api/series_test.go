package api_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/internal/relay"
)

func TestASeriesHasACountForEachTime(t *testing.T) {
	t.Parallel()
	const series = "/admin/v1/stats/series"
	o := newOpsTest(t)
	o.ended(o.bosley, "o-1", relay.StatusFailed, relay.ReasonUnauthorized, refusedAtMeta)
	o.event(o.bosley, "o-2", "purchase_completed", person)
	_, err := o.store.RollUp(t.Context(), time.Minute)
	require.NoError(t, err)
	get := func(query string) reply { return o.as(rita).call(http.MethodGet, series+query, "") }
	lines := func(query string) map[string]float64 {
		r := get(query)
		require.Equal(t, http.StatusOK, r.status, r.text)
		totals := map[string]float64{}
		for _, s := range r.body["series"].([]any) {
			s := s.(map[string]any)
			require.Len(t, s["values"], len(r.body["times"].([]any)))
			totals[s["key"].(string)] = s["total"].(float64)
		}
		return totals
	}
	require.Equal(t, map[string]float64{"received": 2, "open": 1, "failed": 1}, lines(""))
	require.Equal(t, map[string]float64{"unauthorized": 1}, lines("?by=reason&storefront=bosley"))
	require.Equal(t, map[string]float64{"vendor": 1}, lines("?by=destination&step=day"))
	require.Equal(t, map[string]float64{"bosley": 1}, lines("?by=storefront&outcome=failed,skipped"))
	require.Empty(t, lines("?storefront=pfizer"))
	r := get("?step=day&from=2026-01-15T10:00:00Z&to=2026-01-18T00:00:00Z")
	require.Equal(t, "2026-01-15T00:00:00Z", r.body["from"])
	require.Len(t, r.body["times"], 3)
	require.Contains(t, r.body, "as_of")
	require.Contains(t, []int{24, 25}, len(get("").body["times"].([]any)))
	for _, query := range []string{"?by=order", "?step=minute", "?storefront=nobody", "?outcome=sent", "?color=red", "?destination=%22",
		"?from=2026-01-01T00:00:00Z&to=2026-02-02T00:00:00Z", "?step=day&from=2026-01-01T00:00:00Z&to=2026-06-02T00:00:00Z",
		"?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z"} {
		require.Equal(t, http.StatusUnprocessableEntity, get(query).status, query)
	}
}
