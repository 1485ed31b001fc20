package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/internal/ops"
	"relay/internal/relay"
)

// routes are the words of a flip's answer.
func (r reply) routes() []string {
	list := []string{}
	for _, route := range r.body["routes"].([]any) {
		list = append(list, route.(map[string]any)["text"].(string))
	}
	return list
}

func TestAChangedSwitchReturnsTheNewRoute(t *testing.T) {
	t.Parallel()
	a := newAdminTest(t)
	id := a.storefront("bosley")
	config, credential := a.sgtm("bosley"), a.meta("bosley")
	a.post("credentials", `{"storefront_code":"bosley","platform_code":"ga4","credentials":{"measurement_id":"G-A1","api_secret":"a-test-secret"}}`)
	platform := a.must(http.MethodGet, "/admin/v1/credentials/1", "").body["platform_id"]

	flip := func(path string) reply { return a.must(http.MethodPost, "/admin/v1/"+path, "") }
	off := flip(fmt.Sprintf("sgtm-configs/%d/deactivate", config))
	require.Equal(t, []string{"events of bosley now go to: ga4, meta_capi"}, off.routes())
	require.Equal(t, true, off.body["changed"])
	require.Equal(t, "direct", off.body["fallback"])
	require.Equal(t, "anna", off.body["switched_by"])

	stopped := flip(fmt.Sprintf("sgtm-configs/%d/deactivate?fallback=stop", config))
	require.Equal(t, true, stopped.body["changed"])
	require.Contains(t, stopped.routes()[0], "events of bosley now go nowhere")
	again := flip(fmt.Sprintf("sgtm-configs/%d/deactivate", config))
	require.Equal(t, false, again.body["changed"], "a second click does nothing")
	require.Equal(t, "stop", again.body["fallback"], "and forgets nothing")
	flip(fmt.Sprintf("sgtm-configs/%d/deactivate?fallback=direct", config))

	require.Equal(t, []string{"events of bosley now go to: ga4"}, flip(fmt.Sprintf("credentials/%d/deactivate", credential)).routes())
	require.Equal(t, []string{"events of bosley now go to: ga4, meta_capi"}, flip(fmt.Sprintf("credentials/%d/activate", credential)).routes())
	require.Equal(t, []string{"events of bosley now go to: ga4"}, flip(fmt.Sprintf("platforms/%v/deactivate", platform)).routes())
	require.Contains(t, flip(fmt.Sprintf("storefronts/%d/deactivate", id)).routes()[0], "now go nowhere")
	require.Contains(t, flip(fmt.Sprintf("sgtm-configs/%d/activate", config)).routes()[0], "now go nowhere")
	require.Equal(t, []string{"events of bosley now go to: sgtm"}, flip(fmt.Sprintf("storefronts/%d/activate", id)).routes())
}

// A switch that depends on what was seen is not set once that has changed. One that does not depend on it is.
func TestASwitchMayDependOnAVersion(t *testing.T) {
	t.Parallel()
	a := newAdminTest(t)
	id := a.storefront("bosley")
	config, credential := a.sgtm("bosley"), a.meta("bosley")
	platform := int64(a.must(http.MethodGet, fmt.Sprintf("/admin/v1/credentials/%d", credential), "").body["platform_id"].(float64))
	for _, path := range []string{fmt.Sprintf("/admin/v1/storefronts/%d", id), fmt.Sprintf("/admin/v1/sgtm-configs/%d", config),
		fmt.Sprintf("/admin/v1/credentials/%d", credential), fmt.Sprintf("/admin/v1/platforms/%d", platform)} {
		tag := a.must(http.MethodGet, path, "").header.Get("ETag")
		off := a.call(http.MethodPost, path+"/deactivate", "", "If-Match", tag)
		require.Equal(t, http.StatusOK, off.status, off.text)
		for _, verb := range []string{"/activate", "/deactivate"} {
			late := a.call(http.MethodPost, path+verb, "", "If-Match", tag)
			require.Equal(t, http.StatusPreconditionFailed, late.status, late.text)
			require.Equal(t, "version_mismatch", late.body["code"])
		}
		require.Equal(t, false, a.must(http.MethodGet, path, "").body["is_active"])
		require.Equal(t, true, a.must(http.MethodPost, path+"/activate", "").body["changed"])
	}
}

func TestWhoSetASwitchIsKnown(t *testing.T) {
	t.Parallel()
	a := newAdminTest(t)
	id := a.storefront("bosley")
	a.sgtm("bosley")
	a.meta("bosley")
	a.must(http.MethodPatch, "/admin/v1/storefronts/1", `{"is_active":false,"name":"Bosley"}`)
	a.must(http.MethodPatch, "/admin/v1/storefronts/1", `{"name":"Bosley Inc"}`)
	a.must(http.MethodPost, "/admin/v1/sgtm-configs/1/deactivate", "")
	a.must(http.MethodPost, "/admin/v1/credentials/1/deactivate", "")
	for destination, reason := range map[string]relay.Reason{"": relay.ReasonStorefrontDisabled, relay.SGTM: relay.ReasonSGTMDisabled,
		"meta_capi": relay.ReasonCredentialDisabled} {
		f, err := a.store.SwitchChange(t.Context(), id, destination, reason)
		require.NoError(t, err)
		require.Equal(t, "anna", f.By, reason)
		require.False(t, f.At.IsZero())
	}
	f, err := a.store.SwitchChange(t.Context(), id, "meta_capi", relay.ReasonPlatformDisabled)
	require.NoError(t, err)
	require.Equal(t, ops.SwitchChange{}, f, "nobody has touched it")
	lines := a.must(http.MethodGet, "/admin/v1/audit?entity=storefronts", "").body["items"].([]any)
	require.NotContains(t, lines[0], "switched")
	require.Equal(t, false, lines[1].(map[string]any)["switched"])
}

func TestAListIsPagedInAStableOrder(t *testing.T) {
	t.Parallel()
	a := newAdminTest(t)
	for _, code := range []string{"delta", "alpha", "charlie", "bravo", "echo"} {
		a.post("storefronts", fmt.Sprintf(`{"storefront_id":%q,"name":"Same"}`, code))
	}
	walk := func(query string) []string {
		var codes []string
		cursor := ""
		for {
			page := a.must(http.MethodGet, "/admin/v1/storefronts?limit=2"+query+cursor, "")
			require.InDelta(t, 5, page.body["total"], 0)
			for _, item := range page.body["items"].([]any) {
				codes = append(codes, item.(map[string]any)["storefront_id"].(string))
			}
			next, ok := page.body["next_cursor"].(string)
			if !ok {
				return codes
			}
			cursor = "&cursor=" + next
		}
	}
	require.Equal(t, []string{"delta", "alpha", "charlie", "bravo", "echo"}, walk(""))
	require.Equal(t, []string{"alpha", "bravo", "charlie", "delta", "echo"}, walk("&sort=storefront_id"))
	require.Equal(t, []string{"echo", "delta", "charlie", "bravo", "alpha"}, walk("&sort=-storefront_id"))
	require.Equal(t, []string{"echo", "bravo", "charlie", "alpha", "delta"}, walk("&sort=-name"))
	require.Equal(t, []string{"echo", "bravo", "charlie", "alpha", "delta"}, walk("&sort=-created_at"))
	require.Equal(t, []string{"delta", "alpha", "charlie", "bravo", "echo"}, walk("&sort=updated_at"))

	page := a.must(http.MethodGet, "/admin/v1/storefronts?limit=2&sort=name", "")
	other := a.call(http.MethodGet, "/admin/v1/storefronts?sort=id&cursor="+page.body["next_cursor"].(string), "")
	require.Equal(t, "invalid_parameter cursor", other.problem())
}

func TestListsAreFiltered(t *testing.T) {
	t.Parallel()
	a := newAdminTest(t)
	a.storefront("bosley")
	a.storefront("pfizer")
	a.sgtm("bosley")
	a.meta("bosley")
	a.meta("pfizer")
	a.must(http.MethodPost, "/admin/v1/credentials/2/deactivate", "")
	for query, n := range map[string]float64{
		"storefronts?q=FIZ":                            1,
		"storefronts?q=%25":                            0,
		"storefronts?is_active=false":                  0,
		"storefronts?storefront_id=bosley":             1,
		"sgtm-configs?storefront_code=bosley":          1,
		"sgtm-configs?storefront_id=2":                 0,
		"sgtm-configs?client_type=ga4":                 1,
		"credentials?is_active=false":                  1,
		"credentials?platform_code=meta_capi":          2,
		"credentials?platform_code=ga4":                0,
		"credentials?storefront_code=pfizer":           1,
		"platforms?code=meta_capi":                     1,
		"platforms?tier=1":                             catalogued(t, func(p listed) bool { return p.Tier == 1 }),
		"platforms?q=pinterest&sort=-code":             1,
		"platforms?category=ads&is_active=true&tier=1": catalogued(t, func(p listed) bool { return p.Tier == 1 && p.Category == "ads" }),
	} {
		require.InDelta(t, n, a.must(http.MethodGet, "/admin/v1/"+query, "").body["total"], 0, query)
	}
}

// listed is an entry of the catalogue's file, as far as lists filter by it.
type listed struct {
	Tier     int
	Category string
}

// catalogued counts the entries of the catalogue's file that match.
func catalogued(t *testing.T, match func(listed) bool) float64 {
	t.Helper()
	text, err := os.ReadFile("../db/migrations/platform-catalogue.json")
	require.NoError(t, err)
	var all []listed
	require.NoError(t, json.Unmarshal(text, &all))
	n := len(slices.DeleteFunc(all, func(p listed) bool { return !match(p) }))
	require.Positive(t, n)
	return float64(n)
}
