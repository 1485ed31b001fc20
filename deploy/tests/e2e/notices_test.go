package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/deploy/sandbox"
	"relay/internal/relay"
)

// channel is a Slack-compatible receiver. It refuses the first attempt of all, as a proxy that restarts does.
type channel struct {
	mu     sync.Mutex
	texts  []string
	failed int
}

func (c *channel) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var message struct{ Text string }
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failed == 0 {
		c.failed++
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	if json.NewDecoder(r.Body).Decode(&message) != nil || message.Text == "" || r.Header.Get("Content-Type") != "application/json" {
		http.Error(w, "invalid_payload", http.StatusBadRequest)
		return
	}
	c.texts = append(c.texts, message.Text)
	_, _ = w.Write([]byte("ok"))
}

func (c *channel) messages() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string{}, c.texts...)
}

// got waits for n messages, and returns the last one.
func (c *channel) got(t *testing.T, n int) string {
	t.Helper()
	eventually(t, func() error {
		if got := len(c.messages()); got < n {
			return fmt.Errorf("%d of %d messages", got, n)
		}
		return nil
	})
	list := c.messages()
	require.Len(t, list, n, strings.Join(list, "\n\n"))
	return list[n-1]
}

// A storm of failures at the destinations of several storefronts is one message and its end another, although the worker is killed
// after the first attempt to send it, and the database for a while.
func TestAStormOfFailuresIsOneMessageAndItsEndAnother(t *testing.T) {
	t.Parallel()
	slack := &channel{}
	receiver := httptest.NewServer(slack)
	t.Cleanup(receiver.Close)
	w := newWorld(t, "RETRY_BACKOFF_BASE=2", "MAX_RETRY_ATTEMPTS=3", "NOTIFY_URL="+receiver.URL+"/services/"+markSecret,
		"PUBLIC_URL=https://relay.example.com", "NOTIFY_WAIT=20s", "NOTIFY_FAILURE_SHARE=0.05")
	storm := []string{"ada", "bob", "cid"}
	for _, code := range storm {
		w.storefront(t, code)
		w.always(t, "/"+code+"/", sandbox.Answer{Status: http.StatusServiceUnavailable, Body: markVendor})
	}
	r := w.relay(t, "a", "serve")
	rain := func(prefix string) {
		for _, code := range storm {
			batch, _ := items(code, prefix+code, 30)
			post(t, r, batch...)
		}
	}
	rain("early-")
	eventually(t, func() error { return w.atLeast(t, len(storm), "destination_health WHERE unhealthy_since IS NOT NULL") })
	rain("late-")
	eventually(t, func() error { return w.atLeast(t, 1, "notices WHERE attempts > 0") })
	r.Kill()
	w.Database.Kill()
	require.NoError(t, w.Database.Restart(t.Context()))
	require.NoError(t, r.Start(t.Context()))

	alert := slack.got(t, 1)
	require.Contains(t, alert, "3 destinations became unhealthy")
	for _, code := range storm {
		require.Contains(t, alert, "• "+code+" / sgtm: server_error, status 503, since ")
	}
	require.Contains(t, alert, "<https://relay.example.com/console/destinations?state=ill|Console>")
	require.Contains(t, alert, "docs/OPERATIONS.md#a-destination-is-down")
	rain("later-")
	eventually(t, func() error { return w.atLeast(t, 1, "notices WHERE sent_at IS NOT NULL") })
	system := asked(t, r, http.StatusOK, http.MethodGet, "/admin/v1/system", "")["notices"].(map[string]any)
	require.Equal(t, []any{true, 0.0, "destination_unhealthy"}, []any{system["configured"], system["unsent"], system["last_kind"]})

	require.NoError(t, w.Sandbox.ClearAnswers(t.Context()))
	recovery := slack.got(t, 2)
	require.Contains(t, recovery, "3 destinations recovered*")
	eventually(t, func() error { return w.atLeast(t, 3*3*30, "marketing_events WHERE status = 'delivered'") })

	// The counts of the storm's failures are taken before the next look, which reports something else.
	_, err := w.Store.RollUp(t.Context(), bound)
	require.NoError(t, err)
	eventually(t, func() error { return w.atLeast(t, 1, "reconciliation") })
	w.exec(t, "UPDATE reconciliation SET repaired_in_all = repaired_in_all + 2")
	require.Contains(t, slack.got(t, 3), "The reconciler repaired")
	w.recordLongest(t, "send-notices", "notices")
	require.Equal(t, true, asked(t, r, http.StatusOK, http.MethodPost, "/admin/v1/system/test-notice", "")["ok"])
	all := strings.Join(slack.messages(), "\n")
	require.Contains(t, slack.got(t, 4), "This is a test")
	for _, mark := range []string{markEmail, markName, markPayload, markVendor, markSecret} {
		require.NotContains(t, all, mark)
	}
	require.Equal(t, relay.StatusDelivered, w.delivered(t, "late-ada-0").Status)
}
