package cli_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/deploy/dev/harness"
	"relay/deploy/sandbox"
	shared "relay/deploy/tests/world"
	"relay/internal/ops"
	"relay/internal/relay"
)

const interrupted = 130

func TestNoticesAreTestedAndTheirStateIsShown(t *testing.T) {
	w, anna := setup(t), as(t, admin)
	require.Contains(t, anna.ok("notify", "status"), "no: NOTIFY_URL is not set")
	require.Contains(t, anna.fails(aProblem, "notify", "test"), "NOTIFY_URL is not set")

	var status atomic.Int64
	var received atomic.Int64
	status.Store(http.StatusOK)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		received.Add(1)
		w.WriteHeader(int(status.Load()))
	}))
	defer receiver.Close()
	r, err := w.StartRelay(t.Context(), harness.RelayOptions{Name: "relay-notifying", Role: "api",
		Env: []string{"PUBLIC_URL=https://relay.example.com", "NOTIFY_URL=" + receiver.URL + "/services/hunter2"}})
	require.NoError(t, err)
	rita := as(t, reader)
	anna.env, rita.env = append(anna.env, "RELAY_URL="+r.URL), append(rita.env, "RELAY_URL="+r.URL)
	require.Regexp(t, `configured +yes`, rita.ok("notify", "status"))
	require.Equal(t, true, object(t, rita.ok("notify", "status", "--json"))["configured"])
	require.Contains(t, rita.fails(unauthorized, "notify", "test"), "read-only")
	require.Zero(t, received.Load())
	require.Contains(t, anna.ok("notify", "test", "--note", "ticket 5"), "the notice was accepted")
	require.Equal(t, int64(1), received.Load())
	status.Store(http.StatusNotFound)
	require.Contains(t, anna.fails(aProblem, "notify", "test"), "the notice was not accepted")
	audit := rita.ok("audit", "list", "--entity", "notices")
	require.Regexp(t, `anna +test +notices .*ticket 5`, audit)
	require.NotContains(t, rita.ok("audit", "list", "--entity", "notices", "--json"), "hunter2")
	require.NoError(t, r.Stop())
}

func TestAnUnhealthyDestinationIsProbed(t *testing.T) {
	w, anna := setup(t), as(t, admin)
	w.Storefront(t, "ill")
	require.Contains(t, anna.fails(aProblem, "probe", "ill", "sgtm"), "nothing was probed")
	require.Contains(t, anna.fails(notFound, "probe", "ill", "tiktok"), "no such destination")
	w.RespondWith(t, "/ill", sandbox.Answer{Status: http.StatusUnauthorized})
	w.Post(t, "ill", "ill-1")
	require.Equal(t, relay.StatusFailed, w.Until(t, "ill-1", ended).Status)
	w.RespondWith(t, "/ill", sandbox.Answer{})
	// As after an hour of failures, with the relay's own probe far away.
	_, err := w.SQL.ExecContext(t.Context(), `UPDATE destination_health SET failures = 20, failing_since = UTC_TIMESTAMP(6) - INTERVAL 1 HOUR,
		unhealthy_since = failing_since, probe_at = UTC_TIMESTAMP(6) + INTERVAL 1 HOUR
		WHERE storefront_id = (SELECT id FROM storefronts WHERE storefront_id = 'ill')`)
	require.NoError(t, err)
	require.Contains(t, as(t, reader).fails(unauthorized, "probe", "ill", "sgtm"), "read-only")
	require.Regexp(t, `^Event \d+ is sent again\.\n$`, anna.ok("probe", "ill", "sgtm", "--note", "ticket 6"))
	w.Until(t, "ill-1", func(e ops.EventDetail) bool { return e.Status == relay.StatusDelivered })
	require.Contains(t, anna.ok("destinations", "show", "ill", "sgtm"), "ticket 6")
}

func TestAReplayIsPausedSlowedResumedAndCancelled(t *testing.T) {
	w, anna := setup(t), as(t, admin)
	w.Storefront(t, "again")
	anna.ok("switches", "off", "storefront", "again") // its events end skipped at once
	const events = 60                                 // a minute of work: none of what follows meets the replay's end
	var items []harness.Item
	for n := range events {
		items = append(items, harness.Item{"t-value": "x", "storefront_id": "again", "event_name": shared.Purchase, "order_id": fmt.Sprint("again-", n),
			"event_time": time.Now().UTC().Format(time.RFC3339), "order_revenue": 80.79, "session_id": "s", "email": shared.Email})
	}
	answer, err := w.Relay.Post(t.Context(), harness.Batch(items...))
	require.NoError(t, err)
	require.Equal(t, events, answer.Accepted, answer.Body)
	for n := range events {
		w.Until(t, fmt.Sprint("again-", n), ended)
	}
	anna.ok("switches", "on", "storefront", "again")

	out := anna.ok("replay", "start", "--storefront", "again", "--status", "skipped", "--rate", "1", "--yes", "--detach")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	id, begun := strings.CutPrefix(lines[len(lines)-1], "replay ")
	require.True(t, begun, out)
	steered := func(state string, rate float64, args ...string) {
		t.Helper()
		v := object(t, anna.ok(append([]string{"replay"}, append(args, "--json")...)...))
		require.Equal(t, []any{state, rate}, []any{v["state"], v["rate"]}, args)
	}
	steered("paused", 1, "pause", id, "--note", "ticket 8")
	require.Contains(t, as(t, reader).fails(unauthorized, "replay", "resume", id), "read-only")
	steered("paused", 2, "rate", id, "2")
	steered("running", 2, "resume", id)
	require.Contains(t, anna.fails(usage, "replay", "rate", id, "0"), "whole number")
	watch := follow(anna, "replay", "watch", id)
	watch.until(t, "started")
	var exit *exec.ExitError
	require.ErrorAs(t, watch.stop(), &exit)
	require.Equal(t, interrupted, exit.ExitCode())
	steered("cancelled", 2, "cancel", id)
	require.Contains(t, anna.fails(conflict, "replay", "pause", id), "the replay has ended: cancelled")
	require.Contains(t, anna.ok("audit", "list", "--entity", "replays", "--entity-id", id), "ticket 8")
	anna.fails(notFound, "replay", "cancel", "99999")
}
