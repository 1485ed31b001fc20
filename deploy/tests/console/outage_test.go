package console_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"relay/deploy/sandbox"
	"relay/internal/ops"
)

// With MySQL away a page is there, says what is missing, and heals by itself.
func TestMySQLAwayLeavesThePageUsable(t *testing.T) {
	w := setup(t)
	b := w.browse(t, admin, password)
	b.open("")
	w.Database.Kill()
	back := sync.OnceValue(func() error { return w.Database.Restart(context.WithoutCancel(t.Context())) })
	t.Cleanup(func() { require.NoError(t, back()) })
	require.Eventually(t, func() bool { // the bar keeps its counts for a few seconds
		b.open("events")
		return strings.Contains(b.text(), "not available now")
	}, bound, 500*time.Millisecond)
	require.Contains(t, b.text(), "does not respond")
	require.Contains(t, b.text(), "Retry")
	require.NoError(t, back())
	require.Eventually(t, func() bool {
		b.open("events")
		return !strings.Contains(b.text(), "does not respond")
	}, bound, time.Second)
}

// An unhealthy destination that recovers leaves the overview without a reload.
func TestADestinationTurnsHealthyWithoutAReload(t *testing.T) {
	w := setup(t)
	w.Storefront(t, "ill")
	w.RespondWith(t, "/ill", sandbox.Answer{Status: http.StatusUnauthorized})
	w.Post(t, "ill", "ill-1")
	w.Until(t, "ill-1", ended)
	b := w.browse(t, admin, password)
	b.open("")
	b.wait(`document.querySelector("[data-part=ill]").innerText.includes("ill / sgtm")`)
	w.RespondWith(t, "/ill", sandbox.Answer{})
	b.do(chromedp.Evaluate(`window.same = true`, nil))
	b.wait(`!document.querySelector("[data-part=ill]").innerText.includes("ill / sgtm")`) // the relay probes by itself
	require.True(t, eval[bool](b, `window.same === true`))
}

// With Temporal away a retry is kept, and delivered once Temporal is back.
func TestTemporalAwayKeepsARetry(t *testing.T) {
	w := setup(t)
	e := w.rejected(t, "later", "later-1")
	b := w.browse(t, admin, password)
	w.Temporal.Kill()
	back := sync.OnceValue(func() error { return w.Temporal.Restart(context.WithoutCancel(t.Context())) })
	t.Cleanup(func() { require.NoError(t, back()) })
	b.open(fmt.Sprintf("events/%d", e.ID))
	b.click(`button[value="retry"]`)
	require.Contains(t, b.text(), "Done.")
	require.Contains(t, b.text(), "Not started yet")
	require.NoError(t, back())
	w.Until(t, "later-1", func(e ops.EventDetail) bool { return e.Status == "delivered" })
}
