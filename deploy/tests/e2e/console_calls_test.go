package e2e_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/deploy/dev/harness"
	"relay/internal/ops"
	"relay/internal/relay"
)

// The console's calls on a running system: an event waits for its retry, is counted, appears in the live stream and is cancelled.
func TestAnOpenEventIsCountedStreamedAndCancelled(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "RETRY_BACKOFF_BASE=3600")
	w.storefront(t, "calls")
	w.respondWith(t, "/calls/", 503)
	r := w.relay(t, "relay", "serve")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	seen := follow(ctx, t, r, "?kinds=attempt&storefront=calls")
	post(t, r, item("calls", "calls-1"))
	e := w.wait(t, "calls-1", func(e ops.EventDetail) bool { return e.WaitingFor == relay.WaitsForRetry })
	line := <-seen
	require.Contains(t, line, fmt.Sprintf(`"event_id":%d`, e.ID))
	require.NotContains(t, line, markEmail)

	backlog := asked(t, r, http.StatusOK, http.MethodGet, "/admin/v1/backlog", "")
	require.InDelta(t, 1, backlog["processing"], 0)
	require.InDelta(t, 1, backlog["retries"].([]any)[0].(map[string]any)["events"], 0)
	require.InDelta(t, 1, asked(t, r, http.StatusOK, http.MethodGet, "/admin/v1/events/count?waiting_at=sgtm", "")["count"], 0)
	require.Contains(t, w.cli(t, r, "events", "list", "--waiting-at", "sgtm"), "calls-1")
	eventually(t, func() error { // the worker adds its counts every ten seconds
		stats := asked(t, r, http.StatusOK, http.MethodGet, "/admin/v1/attempts/stats?storefront=calls", "")
		if n := stats["total"].(map[string]any)["n"]; n != 1.0 {
			return fmt.Errorf("%v attempts counted", n)
		}
		return nil
	})

	out := w.cli(t, r, "events", "cancel", fmt.Sprint(e.ID), "--note", "ticket 4711")
	require.Contains(t, out, "the event is cancelled")
	e = w.wait(t, "calls-1", harness.Final)
	require.Equal(t, []any{relay.StatusFailed, relay.ReasonCancelled}, []any{e.Status, e.Reason})
	audit := asked(t, r, http.StatusOK, http.MethodGet, "/admin/v1/audit?action=cancel", "")
	require.Equal(t, "ticket 4711", audit["items"].([]any)[0].(map[string]any)["note"])

	system := asked(t, r, http.StatusOK, http.MethodGet, "/admin/v1/system", "")
	temporal := system["temporal"].(map[string]any)
	require.Equal(t, true, temporal["reached"])
	require.NotEmpty(t, temporal["pollers"])
	require.NotContains(t, fmt.Sprint(system), markPassword)

	began := time.Now()
	require.NoError(t, r.Stop())
	require.Less(t, time.Since(began), 9*time.Second, "an open stream does not delay the relay's stop")
}

// follow opens the live stream of a relay, and returns its data.
func follow(ctx context.Context, t *testing.T, r *harness.Relay, query string) <-chan string {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.URL+"/admin/v1/live"+query, nil)
	require.NoError(t, err)
	req.SetBasicAuth("oms", markPassword)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, res.StatusCode)
	lines := make(chan string, 1000)
	go func() {
		defer func() { _ = res.Body.Close() }()
		for s := bufio.NewScanner(res.Body); s.Scan(); {
			if data, ok := strings.CutPrefix(s.Text(), "data: "); ok {
				lines <- data
			}
		}
	}()
	return lines
}
