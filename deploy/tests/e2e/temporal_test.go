package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/deploy/dev/harness"
)

// health is a role's report while a part is unavailable.
type health struct {
	ready              int // status of /health/ready
	database, temporal string
}

func TestWithoutTemporalEventsAreAcceptedAndReadinessReportsEachRole(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.storefront(t, "acme")
	relays := map[string]*harness.Relay{}
	for _, role := range []string{"serve", "api", "worker"} {
		relays[role] = w.relay(t, role, role)
	}
	all := func(h health) map[string]health { return map[string]health{"serve": h, "api": h, "worker": h} }
	fine := all(health{200, "ok", "ok"})
	requireHealth(t, relays, fine)

	w.Temporal.Kill()
	requireHealth(t, relays, map[string]health{
		"serve":  {503, "ok", "down"},
		"api":    {200, "ok", "down"},
		"worker": {503, "ok", "down"},
	})
	post(t, relays["api"], item("acme", "acme-1"), item("acme", "acme-2"))
	post(t, relays["serve"], item("acme", "acme-3"))
	w.insert(t, "acme", "acme-4")
	require.NoError(t, w.Temporal.Restart(t.Context()))
	requireHealth(t, relays, fine)
	w.requireOneRequestEach(t, "/acme/", []string{"acme-1", "acme-2", "acme-3", "acme-4"})

	require.NoError(t, w.Database.Stop())
	requireHealth(t, relays, all(health{503, "down", "ok"}))
	requireRefused(t, relays["api"])
	requireRefused(t, relays["serve"])
	w.Temporal.Kill()
	requireHealth(t, relays, all(health{503, "down", "down"}))
	require.NoError(t, w.Temporal.Restart(t.Context()))
	require.NoError(t, w.Database.Restart(t.Context()))
	requireHealth(t, relays, fine)
	post(t, relays["api"], item("acme", "acme-5"))
	w.delivered(t, "acme-5")
}

// requireHealth waits until each role reports its wanted state at /health/ready, and requires that the role is live.
func requireHealth(t *testing.T, relays map[string]*harness.Relay, want map[string]health) {
	t.Helper()
	for role, r := range relays {
		eventually(t, func() error {
			status, body, err := r.Do(t.Context(), http.MethodGet, "/health/ready", nil)
			if err != nil {
				return err
			}
			var got struct{ Database, Temporal string }
			if err := json.Unmarshal(body, &got); err != nil {
				return err
			}
			if (health{status, got.Database, got.Temporal}) != want[role] {
				return fmt.Errorf("%s responds %d %s, want %v", role, status, body, want[role])
			}
			return nil
		})
		status, _, err := r.Do(t.Context(), http.MethodGet, "/health", nil)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, status, "%s is live", role)
	}
}
