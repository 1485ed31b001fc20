package console_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"relay/deploy/sandbox"
	shared "relay/deploy/tests/world"
	"relay/internal/ops"
)

// configurationPages are those of destinations, storefronts, and what is kept about them.
var configurationPages = map[string]string{
	"destinations": "destinations", "destination": "storefronts/lumen/snapchat", "destination-good": "storefronts/nova/sgtm", "settings": "storefronts/lumen/meta_capi/settings",
	"settings-sgtm": "storefronts/nova/sgtm/settings", "settings-new": "storefronts/acme/ga4/settings", "settings-delete": "storefronts/lumen/ga4/_delete",
	"try": "storefronts/lumen/ga4/try?type=purchase_completed", "try-test": "storefronts/lumen/ga4/try/test", "live": "live",
	"storefronts": "storefronts", "storefront": "storefronts/lumen", "storefront-new": "storefronts/_new", "storefront-edit": "storefronts/lumen/_edit",
	"storefront-delete": "storefronts/lumen/_delete", "destination-new": "storefronts/acme/_new", "platforms": "platforms", "platform": "platforms/ga4",
	"audit": "audit", "erasures": "erasures", "erasure-new": "erasures/_new", "system": "system",
}

// fill sets a field's value, whatever it had.
func fill(selector, text string) chromedp.Action {
	return chromedp.SetValue(selector, text, chromedp.ByQuery)
}

// rest makes a call as an admin, beside the browser.
func (w *world) rest(t *testing.T, method, path string, body any) map[string]any {
	t.Helper()
	b, err := json.Marshal(body)
	require.NoError(t, err)
	r, err := http.NewRequestWithContext(t.Context(), method, w.Relay.URL+path, bytes.NewReader(b))
	require.NoError(t, err)
	r.SetBasicAuth(admin, password)
	r.Header.Set("Content-Type", map[bool]string{true: "application/merge-patch+json", false: "application/json"}[method == http.MethodPatch])
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	var out map[string]any
	if res.StatusCode != http.StatusNoContent {
		require.NoError(t, json.NewDecoder(res.Body).Decode(&out))
	}
	require.Less(t, res.StatusCode, 300, "%s %s: %v", method, path, out)
	return out
}

// An unhealthy destination is probed from the list, and its row turns healthy without a reload.
func TestAnUnhealthyDestinationTurnsHealthyBeforeOnesEyes(t *testing.T) {
	w := setup(t)
	w.Storefront(t, "recovers")
	w.RespondWith(t, "/recovers", sandbox.Answer{Status: http.StatusUnauthorized})
	orders := []string{"recovers-1", "recovers-2"} // one to probe with while the relay's own probe sends the other
	for _, order := range orders {
		w.Post(t, "recovers", order)
		w.Until(t, order, ended)
	}
	b := w.browse(t, admin, password)
	b.open("destinations?state=unhealthy&storefront=recovers")
	require.Contains(t, b.text(), "unauthorized (401)")
	b.do(typed(`tr[data-row="recovers/sgtm"] input[name=note]`, "ticket 12"))
	b.click(`tr[data-row="recovers/sgtm"] button`)
	require.Contains(t, b.text(), "ticket 12")
	w.RespondWith(t, "/recovers", sandbox.Answer{}) // only now: the relay probes by itself, and would have healed it before the click
	b.open("destinations?storefront=recovers")
	b.do(chromedp.Evaluate(`window.same = true`, nil))
	b.wait(`document.querySelector('tr[data-row="recovers/sgtm"]').innerText.includes("healthy") && !document.querySelector('tr[data-row="recovers/sgtm"]').innerText.includes("unhealthy")`)
	require.True(t, eval[bool](b, `window.same === true`), "the page was not loaded anew")
	require.Equal(t, "1", w.one(t, "SELECT COUNT(*) FROM admin_audit WHERE action = 'probe' AND name = 'recovers/sgtm' AND actor = ?", admin))
	for _, order := range orders {
		w.Until(t, order, func(e ops.EventDetail) bool { return e.Status == "delivered" })
	}
}

// Settings are changed in the browser: a secret goes in and never comes out, and a late writer sees which login wrote first.
func TestSettingsAreWrittenAndAStalePageSaysWhoWasFaster(t *testing.T) {
	w := setup(t)
	w.Storefront(t, "settled")
	const page = "storefronts/settled/meta_capi/settings"
	b := w.browse(t, admin, password)
	b.open("storefronts/settled/_new")
	b.click(`a[href$="settled/meta_capi/settings"]`)
	b.do(fill(`[name="f.pixel_id"]`, "445566"), fill(`[name="s.access_token"]`, "a-secret-of-meta-42"), fill(`[name="o.identifiers"]`, "hashed"), fill(`[name="f.test_event_code"]`, "TEST99"),
		typed(`input[name=note]`, "go live"))
	b.click(`form .main`)
	require.Contains(t, b.text(), "Done.")
	require.Contains(t, b.text(), "real events are marked as test events", "a test code that is left on is said where one sets it")
	html := eval[string](b, `document.documentElement.outerHTML`)
	require.Contains(t, html, "is set, …a-42")
	require.NotContains(t, html, "a-secret-of-meta-42")

	list := w.rest(t, http.MethodGet, "/admin/v1/credentials?storefront_code=settled", nil)
	id := fmt.Sprint(list["items"].([]any)[0].(map[string]any)["id"])
	b.open(page)
	w.rest(t, http.MethodPatch, "/admin/v1/credentials/"+id, map[string]any{"credentials": map[string]any{"pixel_id": "999"}})
	b.do(fill(`[name="f.pixel_id"]`, "777"))
	b.click(`form .main`)
	require.Contains(t, b.text(), "Nothing was done")
	require.Contains(t, b.text(), "now stored: 999")
	require.Contains(t, b.text(), admin+" changed the credential")
	b.click(`form .main`) // now it is meant
	require.Contains(t, b.text(), "Done.")
	now := w.rest(t, http.MethodGet, "/admin/v1/credentials/"+id, nil)
	require.Equal(t, "777", now["credentials"].(map[string]any)["pixel_id"])
	require.Equal(t, true, now["secrets"].(map[string]any)["access_token"].(map[string]any)["is_set"], "a secret that was left empty stays")
}

// A test event leaves only after a page that names its destination, and its request and response are shown.
func TestATestEventIsSentAfterItsConfirmation(t *testing.T) {
	w := setup(t)
	w.Storefront(t, "tested")
	b := w.browse(t, admin, password)
	b.open("storefronts/tested/sgtm/try")
	b.click(`button[value=check]`)
	require.Contains(t, b.text(), "the settings are complete")
	b.click(`a[href$="/try/test"]`)
	require.Contains(t, eval[string](b, `document.querySelector("h1").innerText`), strings.TrimPrefix(w.Sandbox.BaseURL, "http://"))
	b.click(`.danger`)
	require.Contains(t, b.text(), "the container accepted the test event")
	require.Contains(t, b.text(), "relay_test")
	require.Equal(t, "1", w.one(t, "SELECT COUNT(*) FROM admin_audit WHERE action = 'test' AND name = 'tested/sgtm'"))
}

// A storefront is made, named with markup, changed and deleted, without a script.
func TestAStorefrontIsMadeAndDeletedWithoutScript(t *testing.T) {
	w := setup(t)
	b := w.browse(t, admin, password)
	b.do(emulation.SetScriptExecutionDisabled(true))
	const name = `<script>alert(1)</script> "&' 🎉`
	b.open("storefronts/_new")
	b.do(fill(`[name=storefront_id]`, "fleeting"), fill(`[name=name]`, name))
	b.click(`form .main`)
	require.Contains(t, b.text(), "Done.")
	require.Contains(t, b.text(), name)
	b.open("storefronts/fleeting/sgtm/settings")
	b.do(fill(`[name=sgtm_url]`, w.Sandbox.BaseURL+"/fleeting"), fill(`[name=measurement_id]`, "not-an-id"), fill(`[name=api_secret]`, "a-secret-of-fleeting"))
	b.click(`form .main`)
	require.Contains(t, b.text(), "■", "what is wrong is said")
	require.NotContains(t, eval[string](b, `document.documentElement.outerHTML`), "a-secret-of-fleeting")
	b.do(fill(`[name=measurement_id]`, "G-FLEETING"), fill(`[name=api_secret]`, "a-secret-of-fleeting"))
	b.click(`form .main`)
	require.Contains(t, b.text(), "Done.")

	b.open("storefronts/fleeting/_delete")
	b.do(fill(`[name=typed]`, "fleeting"))
	b.click(`form .danger`)
	require.Contains(t, b.text(), "Used by 1")
	b.open("storefronts/fleeting/sgtm/_delete")
	b.click(`form .danger`)
	require.Contains(t, b.text(), "Done.")
	b.open("storefronts/fleeting/_delete")
	b.do(fill(`[name=typed]`, "fleeting"), fill(`main [name=note]`, "it was a test"))
	b.click(`form .danger`)
	require.Contains(t, b.text(), "Done.")
	require.NotContains(t, eval[string](b, `document.querySelector("table")?.innerText ?? ""`), "fleeting")
}

// An erasure is begun with its kind typed; the person is on no page and in no address.
func TestAnErasureHidesItsPerson(t *testing.T) {
	w := setup(t)
	w.Storefront(t, "forgets")
	w.Post(t, "forgets", "forgets-1")
	w.Until(t, "forgets-1", ended)
	b := w.browse(t, admin, password)
	b.open("erasures/_new")
	b.do(typed(`[name=subject]`, "forgets-1"), typed(`[name=typed]`, "order"), typed(`main [name=note]`, "request 3"))
	b.click(`form .danger`)
	b.wait(`document.querySelector("main").innerText.includes("done")`)
	require.NotContains(t, eval[string](b, `document.documentElement.outerHTML + location.href`), "forgets-1")
	require.Contains(t, b.text(), "erased:")
	b.open("audit?entity=erasures")
	require.Contains(t, b.text(), "request 3")
	require.NotContains(t, b.text(), "forgets-1")
}

// The tail shows attempts as they happen, keeps to its filter, and does not move while it is paused.
func TestTheTailFollowsAndPauses(t *testing.T) {
	w := setup(t)
	for _, code := range []string{"tailed", "other"} {
		w.Storefront(t, code)
	}
	b := w.browse(t, admin, password)
	b.open("live?storefront=tailed")
	b.wait(`document.querySelector("[data-live-state]").innerText === "live"`)
	w.Post(t, "other", "other-1")
	w.Post(t, "tailed", "tailed-1")
	e := w.Until(t, "tailed-1", ended)
	b.wait(`document.querySelector("[data-tail] tbody")?.innerText.includes("accepted")`)
	require.NotContains(t, eval[string](b, `document.querySelector("[data-tail]").innerText`), "other")
	require.NotContains(t, eval[string](b, `document.documentElement.outerHTML`), shared.Email)
	b.press(`[data-pause]`)
	b.wait(`document.querySelector("[data-live-state]").innerText.startsWith("paused")`) // its stream is closed
	w.Post(t, "tailed", "tailed-2")
	w.Until(t, "tailed-2", ended)
	require.Equal(t, 1, eval[int](b, `document.querySelectorAll("[data-tail] tbody tr").length`), "paused")
	b.press(`[data-pause]`)
	b.wait(`document.querySelectorAll("[data-tail] tbody tr").length === 2`)
	b.click(`[data-tail] tbody tr:last-child a`)
	require.True(t, strings.HasSuffix(eval[string](b, `location.pathname`), "/events/"+w.one(t, "SELECT id FROM marketing_events WHERE id = ?", e.ID)))
}

// press clicks on what leads to no other page.
func (b *tab) press(selector string) {
	b.t.Helper()
	b.do(chromedp.Click(selector, chromedp.ByQuery))
}

// A list is read again when something happens at its storefront, and then not for a while, however much happens.
func TestAListOfEventsIsReadAgainSeldom(t *testing.T) {
	w := setup(t)
	for _, code := range []string{"watched", "unwatched"} {
		w.Storefront(t, code)
	}
	b := w.browse(t, admin, password)
	b.open("events?storefront=watched")
	b.wait(isLive)
	reads := func() int {
		b.mu.Lock()
		defer b.mu.Unlock()
		n := 0
		for _, url := range b.asked {
			if strings.Contains(url, "/console/events") {
				n++
			}
		}
		return n
	}
	deliver := func(code, order string) {
		w.Post(t, code, order)
		w.Until(t, order, ended)
	}
	deliver("unwatched", "unwatched-1")
	deliver("watched", "watched-1")
	b.wait(`document.querySelector("#new")?.innerText.startsWith("1 new")`)
	require.Equal(t, 2, reads(), "the page, and what it read for its own storefront")
	begun := time.Now()
	for i := 2; time.Since(begun) < 8*time.Second; i++ {
		deliver("watched", fmt.Sprintf("watched-%d", i))
	}
	most := func() int { return 3 + int(time.Since(begun)/(15*time.Second)) }
	require.LessOrEqual(t, reads(), most())
	b.wait(`parseInt(document.querySelector("#new")?.innerText) > 1`)
	require.LessOrEqual(t, reads(), most())
}
