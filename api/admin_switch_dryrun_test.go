package api_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/internal/relay"
)

func TestADryRunReturnsTheEffectOfASwitch(t *testing.T) {
	t.Parallel()
	a := newAdminTest(t)
	id := a.storefront("bosley")
	config, credential := a.sgtm("bosley"), a.meta("bosley")
	a.post("credentials", `{"storefront_code":"bosley","platform_code":"ga4","credentials":{"measurement_id":"G-A1","api_secret":"a-test-secret"}}`)
	platform := a.must(http.MethodGet, "/admin/v1/credentials/1", "").body["platform_id"]
	for n := range 3 {
		row := a.inDelivery(id, fmt.Sprint("o-", n))
		if n == 0 { // its delivery to the container has ended
			require.NoError(t, a.store.RecordSending(t.Context(), relay.Attempt{AttemptID: "a", EventID: row, Destination: relay.SGTM, Number: 1,
				Result: relay.Result{Outcome: relay.Rejected}}))
		}
	}
	lines := func() float64 { return a.must(http.MethodGet, "/admin/v1/audit", "").body["total"].(float64) }
	was := lines()
	try := func(path string) (reply, map[string]any) {
		t.Helper()
		r := a.must(http.MethodPost, "/admin/v1/"+path, "")
		require.Equal(t, true, r.body["dry_run"])
		return r, r.body["effect"].(map[string]any)
	}
	check := func(path string, storefronts, inFlight float64, before, after string) {
		t.Helper()
		r, effect := try(path)
		require.InDelta(t, storefronts, effect["storefronts"], 0, path)
		require.InDelta(t, inFlight, effect["in_flight"], 0, path)
		require.Equal(t, false, effect["in_flight_more"])
		require.Equal(t, []string{after}, r.routes(), path)
		require.Equal(t, before, effect["before"].([]any)[0].(map[string]any)["text"], path)
	}
	const now, would = "events of bosley now go to: ", "events of bosley would go to: "
	check(fmt.Sprintf("sgtm-configs/%d/deactivate?dry_run=true", config), 1, 3, now+"sgtm", would+"ga4, meta_capi")
	check(fmt.Sprintf("sgtm-configs/%d/deactivate?dry_run=true&fallback=stop", config), 1, 3, now+"sgtm",
		"events of bosley would go nowhere, and end skipped: "+relay.ReasonSGTMStop.Text())
	check(fmt.Sprintf("sgtm-configs/%d/activate?dry_run=true", config), 0, 0, now+"sgtm", would+"sgtm")
	check(fmt.Sprintf("credentials/%d/deactivate?dry_run=true", credential), 0, 0, now+"sgtm", would+"sgtm")
	check(fmt.Sprintf("storefronts/%d/deactivate?dry_run=true", id), 1, 3, now+"sgtm",
		"events of bosley would go nowhere, and end skipped: "+relay.ReasonStorefrontDisabled.Text())
	require.InDelta(t, was, lines(), 0, "nothing was done")
	require.Equal(t, true, a.must(http.MethodGet, fmt.Sprintf("/admin/v1/sgtm-configs/%d", config), "").body["is_active"])

	a.must(http.MethodPost, fmt.Sprintf("/admin/v1/sgtm-configs/%d/deactivate", config), "")
	check(fmt.Sprintf("credentials/%d/deactivate?dry_run=true", credential), 1, 3, now+"ga4, meta_capi", would+"ga4")
	check(fmt.Sprintf("platforms/%v/deactivate?dry_run=true", platform), 1, 3, now+"ga4, meta_capi", would+"ga4")
	check(fmt.Sprintf("sgtm-configs/%d/activate?dry_run=true", config), 1, 3, now+"ga4, meta_capi", would+"sgtm")
	a.must(http.MethodPost, fmt.Sprintf("/admin/v1/storefronts/%d/deactivate", id), "")
	check(fmt.Sprintf("storefronts/%d/activate?dry_run=true", id), 1, 0,
		"events of bosley now go nowhere, and end skipped: "+relay.ReasonStorefrontDisabled.Text(), would+"ga4, meta_capi")

	a.login = rita
	require.Equal(t, http.StatusForbidden, a.call(http.MethodPost, fmt.Sprintf("/admin/v1/storefronts/%d/activate?dry_run=true", id), "").status)
	a.login = anna
	require.Equal(t, http.StatusNotFound, a.call(http.MethodPost, "/admin/v1/storefronts/4711/activate?dry_run=true", "").status)
	require.Equal(t, http.StatusUnprocessableEntity, a.call(http.MethodPost, fmt.Sprintf("/admin/v1/storefronts/%d/activate?dry=true", id), "").status)
}

// inDelivery is an event that a run has taken.
func (a *administered) inDelivery(storefront int64, order string) int64 {
	a.t.Helper()
	stored, err := a.store.InsertEvents(a.t.Context(), []relay.NewEvent{{EventID: order, OrderID: order, Type: "purchase_completed", StorefrontID: storefront,
		StorefrontCode: "bosley", Payload: []byte("{}")}}, 0)
	require.NoError(a.t, err)
	ok, err := a.store.Take(a.t.Context(), stored[0].ID, "run")
	require.NoError(a.t, err)
	require.True(a.t, ok)
	return stored[0].ID
}
