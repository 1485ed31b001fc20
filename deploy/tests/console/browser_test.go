package console_test

import (
	"context"
	"encoding/base64"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	shared "relay/deploy/tests/world"
)

var (
	update = flag.Bool("update", false, "take the pictures of the documents anew")
	shots  = flag.String("shots", "", "folder for a picture of every page in every look")
)

const pictures = "../../../docs/pictures"

// tab is a page of a headless Chromium, with the login of a visitor.
type tab struct {
	t   *testing.T
	w   *world
	ctx context.Context

	mu       sync.Mutex
	troubles []string // what the browser complained of
	asked    []string // the addresses it loaded
	bytes    float64  // over the wire
}

// browse opens a Chromium, whose login is answered as a person does, once.
func (w *world) browse(t *testing.T, name, pass string) *tab {
	t.Helper()
	ctx := shared.Chromium(t, 1280, 900, 2*bound)
	b := &tab{t: t, w: w, ctx: ctx}
	require.NoError(t, chromedp.Run(ctx)) // the browser lives as long as the context of its first action
	chromedp.ListenTarget(ctx, b.listen)
	b.do(network.Enable(), log.Enable(), runtime.Enable())
	b.login(name, pass)
	return b
}

// login sends the header that the browser itself sends after its dialog: headless, it has none.
func (b *tab) login(name, pass string) {
	b.t.Helper()
	token := base64.StdEncoding.EncodeToString([]byte(name + ":" + pass))
	b.do(network.SetExtraHTTPHeaders(network.Headers{"Authorization": "Basic " + token}))
}

// answerLogin fills in the browser's own dialog for a login.
func (b *tab) answerLogin(name, pass string) {
	b.t.Helper()
	b.do(network.SetExtraHTTPHeaders(network.Headers{}), fetch.Enable().WithHandleAuthRequests(true))
	chromedp.ListenTarget(b.ctx, func(event any) {
		on := func(a chromedp.Action) { go func() { _ = chromedp.Run(b.ctx, a) }() }
		switch e := event.(type) {
		case *fetch.EventRequestPaused:
			on(fetch.ContinueRequest(e.RequestID))
		case *fetch.EventAuthRequired:
			on(fetch.ContinueWithAuth(e.RequestID, &fetch.AuthChallengeResponse{Response: fetch.AuthChallengeResponseResponseProvideCredentials, Username: name, Password: pass}))
		}
	})
}

func (b *tab) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		b.asked = append(b.asked, e.Request.URL)
	case *network.EventLoadingFinished:
		b.bytes += e.EncodedDataLength
	case *log.EventEntryAdded: // a breach of the page's policy is one
		if e.Entry.Source == log.SourceNetwork {
			return // an answer's status, which tests look at themselves
		}
		if e.Entry.Level == log.LevelError || e.Entry.Level == log.LevelWarning {
			b.troubles = append(b.troubles, fmt.Sprint(e.Entry.Level, ": ", e.Entry.Text, " ", e.Entry.URL))
		}
	case *runtime.EventExceptionThrown:
		b.troubles = append(b.troubles, "exception: "+e.ExceptionDetails.Text)
	}
}

// quiet requires that the browser complained of nothing since the last look.
func (b *tab) quiet(where string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	require.Empty(b.t, b.troubles, where)
}

func (b *tab) do(actions ...chromedp.Action) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, bound/2)
	defer cancel()
	require.NoError(b.t, chromedp.Run(ctx, actions...))
}

// open loads a page of the console.
func (b *tab) open(path string) {
	b.t.Helper()
	b.do(chromedp.Navigate(b.w.Relay.URL + "/console/" + path))
}

// look sets the size of the window and the theme.
func (b *tab) look(width int64, theme string) {
	b.t.Helper()
	b.do(emulation.SetDeviceMetricsOverride(width, 900, 1, width < 600),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}}))
}

// zoom shows a page at 200 %, in a window that is then this wide.
func (b *tab) zoom(width int64) {
	b.t.Helper()
	b.do(emulation.SetDeviceMetricsOverride(width, 450, 2, false))
}

// eval evaluates an expression on the page.
func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	var v T
	b.do(chromedp.Evaluate(expression, &v))
	return v
}

// awaited waits for a promise.
func awaited(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }

// text is what can be read on the page.
func (b *tab) text() string {
	b.t.Helper()
	return eval[string](b, `document.body.innerText`)
}

// wait waits until an expression is true on a page that is loaded, its script with it: keys do nothing before.
func (b *tab) wait(expression string) {
	b.t.Helper()
	expression = `document.readyState === "complete" && (` + expression + `)`
	for end := time.Now().Add(bound / 2); ; time.Sleep(100 * time.Millisecond) {
		var is bool
		if chromedp.Run(b.ctx, chromedp.Evaluate(expression, &is)) == nil && is {
			return
		}
		if time.Now().After(end) {
			require.Fail(b.t, "never true: "+expression, b.text())
		}
	}
}

// click clicks on the first element of a selector, and waits for the page that follows.
func (b *tab) click(selector string) {
	b.t.Helper()
	b.do(chromedp.Evaluate(`window.before = true`, nil), chromedp.Click(selector, chromedp.ByQuery))
	b.wait(`window.before === undefined`)
}

// picture takes one of the page as a document shows it.
func (b *tab) picture(file string, full bool) {
	b.t.Helper()
	var png []byte
	capture := chromedp.CaptureScreenshot(&png)
	if full {
		capture = chromedp.ActionFunc(func(ctx context.Context) (err error) {
			png, err = page.CaptureScreenshot().WithCaptureBeyondViewport(true).WithFormat(page.CaptureScreenshotFormatPng).Do(ctx)
			return err
		})
	}
	b.do(chromedp.Sleep(200*time.Millisecond), capture)
	require.NoError(b.t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(b.t, os.WriteFile(file, png, 0o644))
}

// shot writes a picture of a page for work on its look: -shots=folder.
func (b *tab) shot(name string) {
	b.t.Helper()
	if *shots != "" {
		b.picture(filepath.Join(*shots, strings.NewReplacer("/", "_", "?", "_", "&", "_", "=", "_").Replace(name)+".png"), true)
	}
}
