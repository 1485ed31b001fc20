package console_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"relay/deploy/sandbox"
	shared "relay/deploy/tests/world"
	"relay/internal/ops"
)

// typed types into a field, Enter included.
func typed(selector, text string) chromedp.Action {
	return chromedp.SendKeys(selector, text, chromedp.ByQuery)
}

// key presses a key, wherever the focus is.
func (b *tab) key(keys string) {
	b.t.Helper()
	b.do(chromedp.KeyEvent(keys))
}

func TestTheBrowserAsksForTheLogin(t *testing.T) {
	w := setup(t)
	b := w.browse(t, admin, password)
	b.answerLogin(admin, password)
	b.open("")
	require.Contains(t, b.text(), "Overview")
	require.Contains(t, b.text(), admin+" admin")

	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.Relay.URL+"/console/", nil) // what a browser shows once its dialog is left
	require.NoError(t, err)
	req.SetBasicAuth(admin, "wrong")
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusUnauthorized, res.StatusCode)
	require.Contains(t, string(body), "needs the login of an admin")
	require.NotContains(t, string(body), "<nav")

	own := w.browse(t, oms, password)
	own.open("")
	require.Contains(t, own.text(), "This login is OMS's")
}

func TestAReaderSeesNoFormAndIsRefusedAllTheSame(t *testing.T) {
	w := setup(t)
	b := w.browse(t, reader, password)
	for name, path := range w.pages(t) {
		b.open(path)
		require.Equal(t, 1, eval[int](b, `document.querySelectorAll("form[method=post]").length`), "%s: the search alone", name)
	}
	failed := w.pages(t)["event"]
	b.open(failed)
	require.Contains(t, b.text(), reader+" read-only")
	status := eval1(b, `fetch(location.pathname, {method: "POST", headers: {"Content-Type": "application/x-www-form-urlencoded"}, body: "do=retry"}).then(r => String(r.status))`)
	require.Equal(t, "403", status)
}

// eval1 evaluates a promise of a text.
func eval1(b *tab, expression string) string {
	b.t.Helper()
	var v string
	b.do(chromedp.Evaluate(expression, &v, awaited))
	return v
}

// A page of another site can neither send a form in the visitor's name nor hold the console in a frame.
func TestAnotherSiteCannotUseTheVisitorsLogin(t *testing.T) {
	w := setup(t)
	b := w.browse(t, admin, password)
	order := "cross-site"
	w.Post(t, "lumen", order)
	e := w.Until(t, order, ended)
	evil := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprintf(rw, `<form method=post action="%s/console/events/%d"><input name=do value=retry></form><iframe src="%s/console/"></iframe><script>setTimeout(() => document.forms[0].submit(), 300)</script>`,
			w.Relay.URL, e.ID, w.Relay.URL)
	}))
	defer evil.Close()
	b.open("")
	b.do(chromedp.Navigate(strings.Replace(evil.URL, "127.0.0.1", "localhost", 1)))
	b.wait(`document.body.innerText.includes("cross_origin")`)
	require.Equal(t, e.Generation, w.Until(t, order, ended).Generation, "nothing was retried")
	b.mu.Lock()
	defer b.mu.Unlock()
	require.Contains(t, strings.Join(b.troubles, "\n"), "frame-ancestors")
}

// By keyboard alone: find an event, retry it, and see it delivered without a reload.
func TestAnEventIsFoundRetriedAndSeenDeliveredByKeyboard(t *testing.T) {
	w := setup(t)
	e := w.rejected(t, "keys", "by-keyboard")

	b := w.browse(t, admin, password)
	b.open("")
	b.key("/")
	b.wait(`document.activeElement.id === "search"`)
	if eval[string](b, `document.activeElement.value`) != "" { // the key itself, which a keyboard would not type
		b.key(kb.Backspace)
	}
	b.key("by-keyboard" + kb.Enter)
	b.wait(`location.pathname.endsWith("/events/` + fmt.Sprint(e.ID) + `")`)
	require.Contains(t, b.text(), "failed")
	for range 40 {
		b.key(kb.Tab)
		if eval[bool](b, `document.activeElement.value === "retry"`) {
			break
		}
	}
	b.key(kb.Enter)
	b.wait(`document.body.innerText.includes("Done.")`)
	b.wait(`document.querySelector("[data-part=event]").innerText.includes("Delivered")`)

	b.key("g")
	b.key("e")
	b.wait(`location.pathname.endsWith("/console/events")`)
	b.key("j")
	require.True(t, eval[bool](b, `!!document.activeElement.closest("tr[data-row]")`))
}

// A person's data is on no page, until it is revealed for a reason that the audit keeps.
func TestAPersonIsOnNoPageUntilRevealed(t *testing.T) {
	w := setup(t)
	w.Storefront(t, "planted")
	w.Post(t, "planted", "planted-1")
	e := w.Until(t, "planted-1", ended)
	b := w.browse(t, admin, password)
	const planted = shared.Email
	for _, path := range []string{"", "events?storefront=planted", fmt.Sprintf("events/%d?preview=1", e.ID), "replays/new?status=delivered&storefront=planted"} {
		b.open(path)
		require.NotContains(t, eval[string](b, `document.documentElement.outerHTML`), planted, path)
	}
	b.open(fmt.Sprintf("events/%d", e.ID))
	_ = eval[any](b, opened)
	b.do(typed(`input[name=note]`, "ticket 4711"))
	b.click(`button[value="reveal"]`)
	require.Contains(t, b.text(), planted)
	require.NotContains(t, eval[string](b, `location.href`), "ticket")
	b.open(fmt.Sprintf("events/%d", e.ID))
	require.NotContains(t, b.text(), planted)
	require.Equal(t, "1", w.one(t, "SELECT COUNT(*) FROM admin_audit WHERE action = 'reveal' AND entity_id = ? AND actor = ?", e.ID, admin))
}

func TestMarkupFromOMSStaysText(t *testing.T) {
	w := setup(t)
	w.Storefront(t, "markup")
	order := `"><script>document.title="broken"</script>` + "\u202e'&🎉"
	w.Post(t, "markup", order)
	e := w.Until(t, order, ended)
	b := w.browse(t, admin, password)
	for _, path := range []string{"events?storefront=markup", fmt.Sprintf("events/%d?preview=1", e.ID)} {
		b.open(path)
		require.NotEqual(t, "broken", eval[string](b, `document.title`))
		require.Equal(t, 1, eval[int](b, `document.querySelectorAll("script").length`))
		b.quiet(path)
	}
	require.Contains(t, b.text(), `"><script>document.title="broken"</script>`)
}

// A switch says before it is set how many events it stops, wants its name, and leaves a line of the audit.
func TestASwitchShowsWhatItStopsAndStopsIt(t *testing.T) {
	w := setup(t)
	w.Storefront(t, "flipped")
	w.RespondWith(t, "/flipped", sandbox.Answer{Status: http.StatusServiceUnavailable})
	w.Post(t, "flipped", "flipped-1")
	w.Until(t, "flipped-1", func(e ops.EventDetail) bool { return len(e.Attempts) > 0 && !e.Status.Final() })
	b := w.browse(t, admin, password)
	b.open("routes?storefront=flipped")
	b.click(`a[aria-label="flipped off…"]`)
	require.Contains(t, b.text(), "1 event")
	require.Contains(t, b.text(), "would go nowhere")
	b.do(typed(`input[name=typed]`, "flipped"), typed(`input[name=note]`, "incident 7"))
	b.click(`main form button`)
	require.Contains(t, b.text(), "Done.")
	require.Contains(t, b.text(), "incident 7")
	require.Contains(t, b.text(), "off")
	e := w.Until(t, "flipped-1", ended)
	require.Equal(t, "storefront_disabled", string(e.Reason))
}

// The confirmation of a switch is of what it showed: what was changed meanwhile is shown first, and who did it.
func TestAStaleConfirmationOfASwitchSaysWhoWasFaster(t *testing.T) {
	w := setup(t)
	w.Storefront(t, "staled")
	id := w.one(t, "SELECT g.id FROM storefront_sgtm_config g JOIN storefronts s ON s.id = g.storefront_id WHERE s.storefront_id = 'staled'")
	on := func() string { return w.one(t, "SELECT is_active FROM storefront_sgtm_config WHERE id = ?", id) }
	b := w.browse(t, admin, password)
	b.open("switches/sgtm-configs/" + id + "?to=off")
	w.rest(t, http.MethodPatch, "/admin/v1/sgtm-configs/"+id, map[string]any{"fallback": "stop"})
	b.do(typed(`main input[name=note]`, "incident 8"))
	b.click(`main form button`)
	require.Contains(t, b.text(), "Nothing was done")
	require.Contains(t, b.text(), admin+" changed the container")
	require.Equal(t, "1", on())
	b.click(`main form button`) // now it is meant
	require.Contains(t, b.text(), "Done.")
	require.Equal(t, "0", on())
	b.open("storefronts/staled/sgtm")
	require.Contains(t, eval[string](b, `document.querySelector("[data-part=history]").innerText`), admin+" switched off the container")
	require.Contains(t, b.text(), "incident 8")
}

func TestAReplayIsCountedStartedPausedResumedAndCancelled(t *testing.T) {
	w := setup(t)
	w.Storefront(t, "again")
	w.RespondWith(t, "/again", sandbox.Answer{Status: http.StatusBadRequest})
	const n = 60
	for i := range n {
		w.Post(t, "again", fmt.Sprintf("again-%d", i))
	}
	for i := range n {
		w.Until(t, fmt.Sprintf("again-%d", i), ended)
	}
	w.RespondWith(t, "/again", sandbox.Answer{})
	b := w.browse(t, admin, password)
	b.open("events?status=failed&storefront=again")
	b.click(`a[href*="replays/new"]`)
	require.Contains(t, b.text(), fmt.Sprintf("%d events would be started", n))
	b.do(chromedp.SetValue(`input[name=rate]`, "2", chromedp.ByQuery), doubleClick(`main form[method=post] button`))
	b.wait(`/replays\/\d+$/.test(location.pathname)`)
	require.Equal(t, "1", w.one(t, "SELECT COUNT(*) FROM event_replays WHERE created_by = ?", admin), "a double click starts one")
	b.click(`button[value="pause"]`)
	b.wait(`document.querySelector("main").innerText.includes("paused")`)
	b.click(`button[value="resume"]`)
	b.wait(`document.querySelector("main").innerText.includes("running")`)
	b.click(`a[href$="/cancel"]`)
	require.Contains(t, b.text(), "will not be started")
	b.click(`button[value="cancel"]`)
	b.wait(`document.querySelector("main").innerText.includes("cancelled")`)
	require.Contains(t, b.text(), "Remaining")
}

// Without the script nothing holds back the second click, for which the browser drops the request of the first one.
func TestADoubleClickWithoutScriptActsOnce(t *testing.T) {
	w := setup(t)
	e := w.rejected(t, "twice", "twice-1")
	b := w.browse(t, admin, password)
	b.do(emulation.SetScriptExecutionDisabled(true))
	b.open(fmt.Sprintf("events/%d", e.ID))
	b.do(doubleClick(`button[value="retry"]`))
	b.wait(`document.body.innerText.includes("Done.")`)
	require.Equal(t, "1", w.one(t, "SELECT COUNT(*) FROM admin_audit WHERE action = 'retry' AND entity_id = ?", e.ID))
}

// doubleClick clicks twice, faster than a page can follow.
func doubleClick(selector string) chromedp.Action {
	return chromedp.DoubleClick(selector, chromedp.ByQuery)
}

// The address of a list holds its filter: Back finds it again, and a deep link needs nothing before it.
func TestBackKeepsTheFilter(t *testing.T) {
	w := setup(t)
	b := w.browse(t, admin, password)
	b.open("events?status=failed&window=24h")
	b.click(`tbody tr a`)
	b.do(chromedp.NavigateBack())
	b.wait(`location.search.includes("status=failed")`)
	require.Contains(t, b.text(), "status: failed")
}

func TestThePathsThatLeadToTheConsole(t *testing.T) {
	w := setup(t)
	for path, want := range map[string]string{"/": "console/", "/console": "console/"} {
		c := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		res, err := c.Get(w.Relay.URL + path)
		require.NoError(t, err)
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		require.Equal(t, http.StatusSeeOther, res.StatusCode)
		require.Equal(t, want, res.Header.Get("Location"))
	}
}
