package console_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"relay/deploy/dev/harness"
	"relay/deploy/sandbox"
	shared "relay/deploy/tests/world"
	"relay/internal/ops"
	"relay/internal/relay"
)

// follow opens a stream, and returns it once its first event is there.
func follow(t *testing.T, url string) io.ReadCloser {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/admin/v1/live", http.NoBody)
	require.NoError(t, err)
	r.SetBasicAuth(reader, password)
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, res.StatusCode)
	lines := bufio.NewReader(res.Body)
	for line := ""; !strings.HasPrefix(line, "event:"); {
		line, err = lines.ReadString('\n')
		require.NoError(t, err)
	}
	return struct {
		io.Reader
		io.Closer
	}{lines, res.Body}
}

// A relay that stops ends its streams, and does not wait for them. Pages that were open find it again when it is back, and show what
// happened meanwhile without a reload. The relay of this test only serves: another one delivers.
func TestOpenPagesOutliveARestart(t *testing.T) {
	w := setup(t)
	r, err := w.StartRelay(t.Context(), harness.RelayOptions{Name: "relay-restarted", Role: "api"})
	require.NoError(t, err)
	restarted := &world{&shared.World{System: w.System, Relay: r, SQL: w.SQL}}
	w.Storefront(t, "restarted")
	w.Storefront(t, "patient")
	w.RespondWith(t, "/patient", sandbox.Answer{Status: http.StatusServiceUnavailable, Headers: map[string]string{"Retry-After": "3600"}})
	w.Post(t, "patient", "patient-1")
	e := w.Until(t, "patient-1", func(e ops.EventDetail) bool { return e.WaitingFor == relay.WaitsForRetry })

	event, tail := restarted.browse(t, admin, password), restarted.browse(t, reader, password)
	event.open(fmt.Sprintf("events/%d", e.ID))
	tail.open("live?storefront=restarted")
	for _, b := range []*tab{event, tail} {
		b.wait(isLive)
		b.do(chromedp.Evaluate(`window.same = true`, nil))
	}
	streams := make([]io.ReadCloser, 10)
	for i := range streams {
		streams[i] = follow(t, r.URL)
	}

	require.NoError(t, r.Stop(), "with streams that are open")
	for _, s := range streams {
		_, err := io.Copy(io.Discard, s)
		require.NoError(t, err, "a stream was cut off: the relay did not end it, but waited for it until its time was up")
		require.NoError(t, s.Close())
	}
	for _, b := range []*tab{event, tail} {
		b.wait(`!(` + isLive + `)`)
	}
	w.rest(t, http.MethodPost, fmt.Sprintf("/admin/v1/events/%d/cancel", e.ID), nil) // which the pages cannot see
	w.Until(t, "patient-1", ended)

	require.NoError(t, r.Start(t.Context()))
	for _, b := range []*tab{event, tail} {
		b.wait(isLive)
	}
	event.wait(`document.querySelector("[data-part=event] .steps").innerText.includes("Failed")`)
	w.Post(t, "restarted", "restarted-1")
	e = w.Until(t, "restarted-1", ended)
	tail.wait(fmt.Sprintf(`!!document.querySelector('[data-tail] a[href$="/%d"]')`, e.ID))
	for _, b := range []*tab{event, tail} {
		require.True(t, eval[bool](b, `window.same === true`), "the page was loaded anew")
	}
}

// isLive is true on a page whose stream is open.
const isLive = `[...document.querySelectorAll("[data-live-state]")].some(e => e.innerText === "live")`
