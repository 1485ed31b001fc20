package harness_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/deploy/dev/harness"
	"relay/deploy/sandbox"
	"relay/internal/ops"
	"relay/internal/relay"
)

const bound = 100 * time.Second // on a loaded machine

func TestEveryPartRestartsAfterAKill(t *testing.T) {
	t.Parallel()
	s := harness.New(t, harness.Config{})
	id, err := s.AddStorefront(t.Context(), "acme")
	require.NoError(t, err)
	require.NoError(t, s.AddPlatform(t.Context(), id, "acme", "sandbox"))
	r := s.NewRelay(t, harness.RelayOptions{})
	url, temporal, world, port := r.URL, s.Temporal.Address(), s.Sandbox.BaseURL, s.Database.Port()
	deliver(t, s, r, "o-1")

	r.Kill()
	require.Error(t, r.Ready(t.Context()))
	require.NoError(t, r.Start(t.Context()))
	require.Equal(t, url, r.URL)
	deliver(t, s, r, "o-2")

	s.Temporal.Kill()
	require.NoError(t, s.Temporal.Restart(t.Context()))
	require.Equal(t, temporal, s.Temporal.Address())
	deliver(t, s, r, "o-3")

	s.Sandbox.Kill()
	require.NoError(t, s.Sandbox.Restart(t.Context()))
	require.Equal(t, world, s.Sandbox.BaseURL)
	deliver(t, s, r, "o-4")

	s.Database.Kill()
	require.NoError(t, s.Database.Restart(t.Context()))
	require.Equal(t, port, s.Database.Port())
	deliver(t, s, r, "o-5")
	require.NoError(t, r.Stop())
}

// deliver posts an event and waits until the sandbox has received it and its row is delivered.
func deliver(t *testing.T, s *harness.System, r *harness.Relay, order string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	defer cancel()
	var response harness.BatchResponse
	require.Eventually(t, func() bool { // a part that was just restarted may still count as down
		var err error
		response, err = r.Post(ctx, harness.Batch(harness.Item{
			"t-value": "x", "storefront_id": "acme", "event_name": "purchase_completed", "order_id": order,
			"event_time": time.Now().UTC().Format(time.RFC3339), "order_revenue": 80.79,
		}))
		return err == nil && response.HTTPStatus != http.StatusServiceUnavailable
	}, bound, 50*time.Millisecond)
	require.Equal(t, http.StatusAccepted, response.HTTPStatus, response.Body)
	e, err := s.WaitEvent(ctx, order, "purchase_completed", harness.Final)
	require.NoError(t, err)
	require.Equal(t, relay.StatusDelivered, e.Status, e.Detail)
	counts, err := s.Sandbox.Counts(ctx)
	require.NoError(t, err)
	key := relay.Event{EventID: order, Type: "purchase_completed", Storefront: relay.Storefront{Code: "acme"}}.DedupID()
	require.Positive(t, counts.ByKey[key])
	require.Positive(t, counts.ByPath["/acme/mp/collect"])
}

func TestAScriptedFailureShowsInTheAttempts(t *testing.T) {
	t.Parallel()
	s := harness.New(t, harness.Config{})
	_, err := s.AddStorefront(t.Context(), "acme")
	require.NoError(t, err)
	require.NoError(t, s.Sandbox.Answer(t.Context(), sandbox.Rule{Path: "/acme", Answers: []sandbox.Answer{{Status: 503}}}))
	r := s.NewRelay(t, harness.RelayOptions{Env: []string{"MAX_RETRY_ATTEMPTS=2"}})
	deliver(t, s, r, "o-1")
	e, err := s.Event(t.Context(), "o-1", "purchase_completed")
	require.NoError(t, err)
	require.Len(t, e.Attempts, 2)
	_, err = s.Event(t.Context(), "o-2", "purchase_completed")
	require.ErrorIs(t, err, harness.ErrNoEvent)

	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err = s.WaitEvent(ctx, "o-1", "purchase_completed", func(e ops.EventDetail) bool { return e.Status == relay.StatusFailed })
	require.ErrorContains(t, err, "is delivered")
}

func TestAPartThatFailsToStartReportsWhy(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	temporal := harness.NewTemporal(harness.Built(t), harness.TemporalOptions{Dir: dir, FaultRate: 7})
	began := time.Now()
	err := temporal.Start(t.Context())
	require.ErrorContains(t, err, "start temporal: it ended")
	require.ErrorContains(t, err, "fault rate 7")
	require.Less(t, time.Since(began), bound, "it does not wait for a process that has ended")
	require.NoError(t, temporal.Stop(), "stopping a process that does not run is not an error")
}

func TestARelayWithoutItsVariablesNamesThem(t *testing.T) {
	t.Parallel()
	_, err := harness.RunRelay(t.Context(), harness.Built(t), harness.PlainEnv(), "migrate", "up")
	require.ErrorContains(t, err, "DATABASE_URL")
}
