package e2e_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/deploy/sandbox"
	"relay/internal/relay"
)

// atLeast returns an error if there are fewer rows.
func (w *world) atLeast(t *testing.T, n int, from string) error {
	t.Helper()
	if got := w.count(t, "SELECT COUNT(*) FROM "+from); got < n {
		return fmt.Errorf("%d of %d %s", got, n, from)
	}
	return nil
}

// A container that restarts under a batch responds 503 to the first attempt of each event, and 200 to every later one.
func TestABatchOfFirstFailuresIsNotAnOutage(t *testing.T) {
	t.Parallel()
	const events, backoff = 500, time.Minute // the default
	w := newWorld(t, "RETRY_BACKOFF_BASE=60")
	w.storefront(t, "blip")
	require.NoError(t, w.Sandbox.Answer(t.Context(), sandbox.Rule{
		Path: "/blip/", Answers: []sandbox.Answer{{Status: http.StatusServiceUnavailable}}, EachEvent: true,
	}))
	r := w.relay(t, "a", "serve")
	batch, _ := items("blip", "blip", events)
	post(t, r, batch...)
	// On a slow machine the first attempts take longer than a backoff.
	eventually(t, func() error { return w.atLeast(t, events, "event_attempts WHERE number = 1 AND outcome <> 'sending'") })
	within(t, 2*backoff, func() error {
		require.Zero(t, w.count(t, "SELECT COUNT(*) FROM marketing_events WHERE status = 'failed'"), "no event fails meanwhile")
		return w.atLeast(t, events, "marketing_events WHERE status = 'delivered'")
	})
	require.Len(t, w.requests(t, "/blip/"), 2*events)
	require.Zero(t, w.count(t, "SELECT COUNT(*) FROM destination_health WHERE failures > 0"))
	require.Zero(t, w.count(t, "SELECT COUNT(*) FROM event_replays"))
}

// An outage that exhausts all attempts, of a storefront without further traffic: the relay detects the end by its own probes.
func TestTheRelayDetectsTheEndOfAnOutage(t *testing.T) {
	t.Parallel()
	const early, late = 40, 40
	w := newWorld(t, "RETRY_BACKOFF_BASE=2", "MAX_RETRY_ATTEMPTS=3")
	w.storefront(t, "down")
	w.always(t, "/down/", sandbox.Answer{Status: http.StatusServiceUnavailable, Body: markVendor})
	r := w.relay(t, "a", "serve")
	batch, _ := items("down", "early", early)
	post(t, r, batch...)
	eventually(t, func() error { return w.atLeast(t, 1, "destination_health WHERE unhealthy_since IS NOT NULL") })
	batch, orders := items("down", "late", late)
	post(t, r, batch...)
	eventually(t, func() error { return w.atLeast(t, early+late-1, "marketing_events WHERE status = 'failed'") }) // one may be in delivery, as the probe
	unsent := w.count(t, "SELECT COUNT(*) FROM marketing_events WHERE reason = 'destination_unhealthy'")
	require.GreaterOrEqual(t, unsent, late-5, "without a request, except for probes")

	t.Run("it reports the unhealthy destination", func(t *testing.T) {
		list := asked(t, r, http.StatusOK, http.MethodGet, "/admin/v1/destinations?health=unhealthy", "")["items"].([]any)
		require.Len(t, list, 1)
		d := list[0].(map[string]any)
		health := d["health"].(map[string]any)
		require.Equal(t, "unhealthy", health["state"])
		require.InDelta(t, 503, health["last_status"], 0)
		require.Contains(t, health, "next_probe_at")
		require.Positive(t, d["failed"])
	})

	t.Run("it probes with one request at a time, at intervals", func(t *testing.T) {
		before := len(w.requests(t, "/down/"))
		eventually(t, func() error { return w.atLeast(t, 1, "destination_health WHERE probes >= 3") })
		require.Less(t, len(w.requests(t, "/down/"))-before, 10)
	})

	require.NoError(t, w.Sandbox.ClearAnswers(t.Context()))
	ended := time.Now()
	eventually(t, func() error { return w.atLeast(t, early+late, "marketing_events WHERE status = 'delivered'") })
	t.Logf("all delivered %v after the end of the outage", time.Since(ended).Round(100*time.Millisecond))
	require.Equal(t, 1, w.count(t, "SELECT COUNT(*) FROM event_replays WHERE created_by = 'relay' AND matched > 0"), "the replay reports its matches")
	e := w.delivered(t, orders[0])
	require.Equal(t, relay.StatusDelivered, e.Status)
}
