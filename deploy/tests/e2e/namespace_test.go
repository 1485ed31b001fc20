package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/deploy/dev/harness"
)

// graceOfSDK is more than the time after which the SDK stops a worker whose polls keep failing.
const graceOfSDK = 5 * time.Minute

// The namespace of a running relay is missing for longer than the SDK tolerates, and returns. Meanwhile readiness reports that
// no worker runs; afterwards the relay delivers without a restart.
func TestAWorkerDeliversAgainAfterItsNamespaceWasMissing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.storefront(t, "acme")
	r := w.relay(t, "one", "serve")
	post(t, r, item("acme", "acme-1"))
	w.delivered(t, "acme-1")

	require.NoError(t, w.Temporal.Stop())
	built, err := programs()
	require.NoError(t, err)
	address, err := url.Parse("//" + w.Temporal.Address())
	require.NoError(t, err)
	port, err := strconv.Atoi(address.Port())
	require.NoError(t, err)
	other := harness.NewTemporal(built, harness.TemporalOptions{Dir: t.TempDir(), Port: port, UIPort: -1, Namespace: "other"})
	require.NoError(t, other.Start(t.Context()))
	t.Cleanup(func() { _ = other.Stop() })
	w.insert(t, "acme", "acme-2")
	within(t, graceOfSDK, func() error { return workerIs(t, r, "down") })
	post(t, r, item("acme", "acme-3"))

	require.NoError(t, other.Stop())
	require.NoError(t, w.Temporal.Start(t.Context()))
	eventually(t, func() error { return workerIs(t, r, "ok") })
	w.requireOneRequestEach(t, "/acme/", []string{"acme-1", "acme-2", "acme-3"})
}

// workerIs returns an error unless readiness reports this state of the relay's worker, with the matching status.
func workerIs(t *testing.T, r *harness.Relay, want string) error {
	t.Helper()
	status, body, err := r.Do(t.Context(), http.MethodGet, "/health/ready", nil)
	if err != nil {
		return err
	}
	var got struct{ Worker string }
	if err := json.Unmarshal(body, &got); err != nil {
		return err
	}
	if got.Worker != want || (status == http.StatusOK) != (want == "ok") {
		return fmt.Errorf("readiness is %d %s, want a worker that is %s", status, body, want)
	}
	return nil
}
