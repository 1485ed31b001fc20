package webui_test

import (
	"context"
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	shared "relay/deploy/tests/world"
)

var update = flag.Bool("update", false, "rewrite the pictures of docs/OPERATIONS.md")

const pictures = "../../../docs/pictures"

// page is one page of a headless Chromium.
type page struct {
	t   *testing.T
	w   *world
	ctx context.Context
}

// browse opens a Chromium.
func (w *world) browse(t *testing.T) *page {
	t.Helper()
	return &page{t: t, w: w, ctx: shared.Chromium(t, 1200, 1100, 3*bound)}
}

// search opens the list with a query, as a saved query or a bookmark does.
func (p *page) search(query string) {
	p.t.Helper()
	list := p.w.Temporal.UIURL() + "/namespaces/" + namespace + "/workflows?query=" + url.QueryEscape(query)
	require.NoError(p.t, chromedp.Run(p.ctx, chromedp.Navigate(list)))
}

// place finds the middle of the first visible, clickable element of a selector, with a text if one is passed. An element that
// another one covers, such as while a dialog opens, cannot be clicked.
const place = `(() => {
	const e = [...document.querySelectorAll(%q)].find(e => e.getClientRects().length && !e.disabled && (!%q || e.innerText.trim() === %q));
	if (!e) return null;
	e.scrollIntoView({block: "center"});
	const r = e.getBoundingClientRect();
	const at = {x: r.x + r.width / 2, y: r.y + r.height / 2};
	return e.contains(document.elementFromPoint(at.x, at.y)) ? at : null;
})()`

// click waits until an element is clickable and does not move, and clicks its middle.
func (p *page) click(selector, text string) {
	p.t.Helper()
	type point struct{ X, Y float64 }
	var at, before *point
	p.wait(selector+" "+text, func() bool {
		before, at = at, nil
		err := chromedp.Run(p.ctx, chromedp.Evaluate(fmt.Sprintf(place, selector, text, text), &at))
		return err == nil && at != nil && before != nil && *at == *before
	})
	require.NoError(p.t, chromedp.Run(p.ctx, chromedp.MouseClickXY(at.X, at.Y)))
}

// gone waits until no element of a selector is visible, such as a dialog that closes.
func (p *page) gone(selector string) {
	p.t.Helper()
	p.wait("the end of "+selector, func() bool {
		var there bool
		seen := fmt.Sprintf("[...document.querySelectorAll(%q)].some(e => e.getClientRects().length)", selector)
		return chromedp.Run(p.ctx, chromedp.Evaluate(seen, &there)) == nil && !there
	})
}

// write types into a field.
func (p *page) write(selector, text string) {
	p.t.Helper()
	require.NoError(p.t, chromedp.Run(p.ctx, chromedp.SendKeys(selector, text, chromedp.ByQuery)))
}

// text returns the visible text of the page.
func (p *page) text() string {
	p.t.Helper()
	var text string
	require.NoError(p.t, chromedp.Run(p.ctx, chromedp.Evaluate(`document.body.innerText`, &text)))
	return text
}

// rows waits until the list shows n runs.
func (p *page) rows(n int) {
	p.t.Helper()
	var got int
	p.wait(fmt.Sprintf("%d runs in the list", n), func() bool {
		err := chromedp.Run(p.ctx, chromedp.Evaluate(`new Set([...document.querySelectorAll('tbody a[href*="/workflows/"]')]
			.map(a => a.getAttribute("href").split("/")[5])).size`, &got))
		return err == nil && got == n
	})
}

func (p *page) wait(what string, f func() bool) {
	p.t.Helper()
	for end := time.Now().Add(bound / 2); !f(); {
		if time.Now().After(end) {
			p.t.Fatalf("not there: %s; the page is:\n%s", what, p.text())
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// picture writes a picture for docs/OPERATIONS.md with -update.
func (p *page) picture(name string) {
	p.t.Helper()
	if !*update {
		return
	}
	var png []byte
	require.NoError(p.t, chromedp.Run(p.ctx, chromedp.Sleep(time.Second), chromedp.CaptureScreenshot(&png)))
	require.NoError(p.t, os.MkdirAll(pictures, 0o755))
	require.NoError(p.t, os.WriteFile(filepath.Join(pictures, name+".png"), png, 0o644))
}
