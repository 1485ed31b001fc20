package console_test

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/stretchr/testify/require"
)

// one is a value of the database.
func (w *world) one(t *testing.T, query string, args ...any) string {
	t.Helper()
	var v string
	require.NoError(t, w.SQL.QueryRowContext(t.Context(), query, args...).Scan(&v))
	return v
}

// paused adds a replay that is paused after its first event, and returns its id.
func (w *world) paused(t *testing.T, event string) string {
	t.Helper()
	res, err := w.SQL.ExecContext(t.Context(), `INSERT INTO event_replays (state, filter, rate, created_by, matched, started)
		SELECT 'paused', JSON_OBJECT('storefront_id', id, 'statuses', JSON_ARRAY('failed'), 'from', '2026-01-01T00:00:00Z'), 10, 'ann', 1200, 1
		FROM storefronts WHERE storefront_id = 'lumen'`)
	require.NoError(t, err)
	id, err := res.LastInsertId()
	require.NoError(t, err)
	_, err = w.SQL.ExecContext(t.Context(), "INSERT INTO event_replay_items (replay_id, marketing_event_id) VALUES (?, ?)", id, event)
	require.NoError(t, err)
	return strconv.FormatInt(id, 10)
}

// pages are the addresses of all pages, with things that are there.
func (w *world) pages(t *testing.T) map[string]string {
	t.Helper()
	failed := w.one(t, "SELECT MIN(id) FROM marketing_events WHERE status = 'failed' AND reason <> 'unknown_storefront'")
	storefront := w.one(t, "SELECT id FROM storefronts WHERE storefront_id = 'lumen'")
	container := w.one(t, "SELECT id FROM storefront_sgtm_config LIMIT 1")
	replay := "replays/" + w.paused(t, failed)
	pages := map[string]string{
		"overview": "", "overview-7d": "?window=7d", "overview-30d": "?window=30d&storefront=nova", "events": "events", "events-failed": "events?status=failed&window=24h",
		"event": "events/" + failed + "?preview=1", "event-cancel": "events/" + failed + "/cancel", "search": "search", "keys": "keys", "missing": "events/" + strconv.Itoa(1<<40),
		"routes": "routes", "routes-off": "routes?show=off", "switch-storefront": "switches/storefronts/" + storefront + "?to=off", "switch-sgtm": "switches/sgtm-configs/" + container + "?to=off",
		"replays": "replays", "replays-new": "replays/new?status=failed&window=24h", "replay": replay, "replay-events": replay + "/events", "replay-cancel": replay + "/cancel",
	}
	maps.Copy(pages, configurationPages)
	return pages
}

// opened shows what a page hides at first: what cannot be seen is not checked.
const opened = `document.querySelectorAll("details").forEach(d => d.open = true)`

// wide makes every table as wide as with many columns.
const wide = `document.querySelectorAll(".table table").forEach(t => t.style.width = "3000px")`

// cut lists what a page cuts off: text that does not fit in its box, unless the box scrolls, and what leaves the window. What has a
// title shows the rest by it, and what is for screen readers alone is cut on purpose.
const cut = `[...document.querySelectorAll("body *")].filter(e => {
	const r = e.getBoundingClientRect(), s = getComputedStyle(e);
	if (!r.width || e.title || e.closest("svg, .hide, .skip, thead") || s.clipPath !== "none") return false;
	const clips = ["hidden", "clip"].includes(s.overflowX) || s.scrollbarWidth === "none";
	return clips && e.scrollWidth > e.clientWidth + 1 || (r.right > innerWidth + 1 || r.left < -1) && !e.closest("pre, .table, .scroll");
}).map(e => e.outerHTML.slice(0, 120))`

func TestEveryPageInEveryLook(t *testing.T) {
	w := setup(t)
	for name, path := range w.pages(t) {
		t.Run(name, func(t *testing.T) {
			b := w.browse(t, admin, password)
			for _, width := range []int64{1280, 390} {
				for _, theme := range []string{"light", "dark"} {
					b.look(width, theme)
					b.open(path)
					where := fmt.Sprintf("%s-%d-%s", name, width, theme)
					b.shot(where)
					_ = eval[any](b, opened)
					require.LessOrEqual(t, eval[int64](b, `document.documentElement.scrollWidth`), width, "%s scrolls sideways", where)
					require.Equal(t, 1, eval[int](b, `document.querySelectorAll("h1").length`), where)
					require.Empty(t, eval[[]string](b, cut), "%s cuts off", where)
					b.accessible(t, where)
					b.quiet(where)
				}
			}
			b.look(1280, "light")
			b.open(path)
			_ = eval[any](b, wide)
			require.LessOrEqual(t, eval[int64](b, `document.documentElement.scrollWidth`), int64(1280), "%s scrolls sideways with a wide table", name)
			b.zoom(640) // a window of 1280 at 200 %
			b.open(path)
			b.shot(name + "-zoom")
			_ = eval[any](b, opened)
			require.LessOrEqual(t, eval[int64](b, `document.documentElement.scrollWidth`), int64(640), "%s scrolls sideways at 200 %%", name)
			require.Empty(t, eval[[]string](b, cut), "%s cuts off at 200 %%", name)
		})
	}
}

// Without its script a page is complete, and its forms work.
func TestEveryPageWithoutScript(t *testing.T) {
	w := setup(t)
	b := w.browse(t, admin, password)
	b.do(emulation.SetScriptExecutionDisabled(true))
	for name, path := range w.pages(t) {
		b.open(path)
		require.NotEmpty(t, b.text(), name)
		require.False(t, eval[bool](b, `!!document.querySelector("[data-local]")`), "%s: the script ran", name)
		b.quiet(name)
	}
	order := "without-script"
	w.Post(t, "lumen", order)
	e := w.Until(t, order, ended)
	b.open("")
	b.do(typed("#search", order+"\r"))
	b.wait(`location.pathname.endsWith("/events/` + fmt.Sprint(e.ID) + `")`)
	b.click(`button[value="retry"]`)
	require.Contains(t, b.text(), "Done.")
	require.Contains(t, b.text(), admin+" retried event")
}

// The first visit is small, and asks for nothing elsewhere.
func TestTheFirstVisitIsSmall(t *testing.T) {
	w := setup(t)
	b := w.browse(t, admin, password)
	b.open("")
	b.wait(`document.readyState === "complete"`)
	b.mu.Lock()
	defer b.mu.Unlock()
	requests := 0
	for _, url := range b.asked {
		require.True(t, strings.HasPrefix(url, w.Relay.URL+"/"), url)
		if !strings.Contains(url, "/admin/v1/live") { // the stream
			requests++
		}
	}
	require.LessOrEqual(t, requests, 4, b.asked)
	require.LessOrEqual(t, b.bytes, 40e3)
}

// The pictures of the documents: -update takes them anew.
func TestPictures(t *testing.T) {
	if !*update {
		t.Skip("-update takes the pictures of the documents")
	}
	w := setup(t)
	b := w.browse(t, admin, password)
	b.look(1280, "light")
	failed := w.one(t, "SELECT MAX(id) FROM marketing_events WHERE status = 'failed' AND storefront_code = 'lumen' AND reason = 'unauthorized'")
	for name, path := range map[string]string{"overview": "", "event": "events/" + failed, "routes": "routes", "destination": "storefronts/lumen/snapchat"} {
		b.open(path)
		b.wait(`document.readyState === "complete"`)
		b.picture(pictures+"/console-"+name+".png", false)
	}
}
