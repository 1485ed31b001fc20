package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/deploy/dev/harness"
	"relay/deploy/sandbox"
	"relay/internal/ops"
	"relay/internal/relay"
	"relay/workflows"
)

// cli runs a command of the relay as operators do, and returns its output.
func (w *world) cli(t *testing.T, r *harness.Relay, args ...string) string {
	t.Helper()
	return w.cliAs(t, r, "oms", args...)
}

func (w *world) cliAs(t *testing.T, r *harness.Relay, user string, args ...string) string {
	t.Helper()
	built, err := programs()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), built.Relay[0], append(built.Relay[1:], args...)...) //nolint:gosec // the project's own program
	cmd.Env = []string{"RELAY_URL=" + r.URL, "BASIC_AUTH_USERNAME=" + user, "BASIC_AUTH_PASSWORD=" + markPassword}
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	require.NoError(t, cmd.Run(), "relay %v: %s%s", args, out.String(), problems.String())
	return out.String()
}

// asked sends a request as an admin, requires its status and decodes the response.
func asked(t *testing.T, r *harness.Relay, status int, method, path, body string) map[string]any {
	t.Helper()
	got, response, err := r.Do(t.Context(), method, path, []byte(body))
	require.NoError(t, err)
	require.Equal(t, status, got, string(response))
	var m map[string]any
	require.NoError(t, json.Unmarshal(response, &m))
	return m
}

func TestOpsFindShowAndRetryAFailedEvent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "TEMPORAL_UI_URL=https://temporal.example.com")
	w.storefront(t, "ops")
	w.respondWith(t, "/ops/", 400)
	r := w.relay(t, "relay", "serve")
	post(t, r, item("ops", "ops-1"))
	e := w.wait(t, "ops-1", harness.Final)
	require.Equal(t, relay.StatusFailed, e.Status)
	id := fmt.Sprint(e.ID)

	list := w.cli(t, r, "events", "list", "--storefront", "ops", "--status", "failed", "--from", "1h")
	require.Contains(t, list, "ops-1")
	shown := w.cli(t, r, "events", "show", id)
	require.Contains(t, shown, "https://temporal.example.com/namespaces/default/workflows/"+workflows.DeliverEventID(e.ID))
	require.Contains(t, shown, "unclaimed_path")
	require.NotContains(t, shown, markEmail)
	require.Contains(t, w.cli(t, r, "events", "show", id, "--reveal", "--note", "check the address"), markEmail)
	preview := w.cli(t, r, "preview", "--id", id)
	require.Contains(t, preview, "would be sent")
	require.NotContains(t, preview, markSecret)

	require.Contains(t, w.cli(t, r, "events", "retry", id), "retried at once")
	e = w.wait(t, "ops-1", func(e ops.EventDetail) bool { return e.Status == relay.StatusDelivered })
	require.Equal(t, 1, e.Generation)
	status := asked(t, r, http.StatusOK, http.MethodPost, "/v1/events/status", `{"ids":["ops-1"]}`)
	require.Equal(t, "delivered", status["items"].([]any)[0].(map[string]any)["status"])

	eventually(t, func() error {
		stats := asked(t, r, http.StatusOK, http.MethodGet, "/admin/v1/stats?storefront=ops", "")
		if _, counted := stats["as_of"]; !counted {
			return errNotYet
		}
		return nil
	})
}

// The container was broken for a while. Operators replay the failed events; the relay is killed during the replay; no
// event is lost or started twice, and events keep their ids.
func TestAReplayContinuesAfterAKill(t *testing.T) {
	t.Parallel()
	const n = 60
	w := newWorld(t)
	w.storefront(t, "broken")
	w.always(t, "/broken/", sandbox.Answer{Status: 400})
	r := w.relay(t, "relay", "serve")
	batch, orders := items("broken", "broken", n)
	post(t, r, batch...)
	for _, order := range orders {
		require.Equal(t, relay.StatusFailed, w.wait(t, order, harness.Final).Status)
	}
	w.always(t, "/broken/", sandbox.Answer{Status: 200})

	require.Contains(t, w.cli(t, r, "replay", "start", "--storefront", "broken", "--dry-run"), fmt.Sprintf("%d events in all", n))
	created := asked(t, r, http.StatusCreated, http.MethodPost, "/admin/v1/replays", `{"filter":{"storefront":"broken"},"rate":4}`)
	replay := created["replay"].(map[string]any)
	path := fmt.Sprint("/admin/v1/replays/", replay["id"])
	w.arrived(t, "/broken/", n+5)
	paused := asked(t, r, http.StatusOK, http.MethodPost, path+"/pause", "")
	require.Equal(t, "paused", paused["state"])
	require.Less(t, paused["started"], float64(n))
	r.Kill()
	require.NoError(t, r.Start(t.Context()))
	require.Equal(t, "paused", asked(t, r, http.StatusOK, http.MethodGet, path, "")["state"])
	asked(t, r, http.StatusOK, http.MethodPost, path+"/resume", "")

	bars := w.cli(t, r, "replay", "watch", fmt.Sprint(replay["id"]))
	require.Contains(t, bars, fmt.Sprintf("%d of %d started, %d delivered, 0 failed, 0 skipped, done", n, n, n))
	for _, order := range orders {
		e := w.delivered(t, order)
		require.Equal(t, 1, e.Generation)
	}
	w.record(t, workflows.ReplayEventsID(int64(replay["id"].(float64))), "replay-paused-and-killed")

	// A second replay, with resend, sends all events to the container that has accepted them.
	out := w.cli(t, r, "replay", "start", "--storefront", "broken", "--resend", "sgtm", "--rate", "100", "--yes")
	require.Contains(t, out, fmt.Sprintf("%d delivered", n))
	ids := map[string]int{}
	for _, q := range w.requests(t, "/broken/") {
		ids[q.Key]++
	}
	require.Len(t, ids, n, "every event was sent under one id")
	for _, order := range orders {
		e := w.delivered(t, order) // no request without a row
		require.GreaterOrEqual(t, ids[dedupID(e)], 3, order)
		require.Len(t, slices.DeleteFunc(outcomes(e, relay.SGTM), func(o relay.Outcome) bool {
			return o == relay.Sending // at the kill
		}), 3, order)
	}
}
