package e2e_test

import (
	"net/http/httptest"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/db"
	"relay/deploy/dev/harness"
	"relay/internal/ops"
	"relay/internal/relay"
)

// A worker without the key of a credential takes each event and attempts it again for ever: nothing is pending, and nothing fails.
// Metrics and notices report it all the same.
func TestEventsThatWaitForAKeyAreReported(t *testing.T) {
	t.Parallel()
	slack := &channel{failed: 1} // none is refused
	receiver := httptest.NewServer(slack)
	t.Cleanup(receiver.Close)
	other, err := db.GenerateKey()
	require.NoError(t, err)
	w := newWatchedWorld(t, "NOTIFY_URL="+receiver.URL, "PUBLIC_URL=https://relay.example.com", "NOTIFY_OLDEST_PENDING=1s", "NOTIFY_WAIT=1s")
	w.storefront(t, "locked")
	r := w.NewRelay(t, harness.RelayOptions{Name: "keyless", Role: "serve", Metrics: true, Env: []string{"ENCRYPTION_KEY=" + other}})
	w.relays = append(w.relays, r)
	post(t, r, item("locked", "locked-1"))
	e := w.wait(t, "locked-1", func(e ops.EventDetail) bool { return e.WaitingFor == relay.WaitsForCredential })
	require.Equal(t, relay.StatusProcessing, e.Status)
	reported := regexp.MustCompile(`(?m)^relay_oldest_waiting_seconds\{storefront="locked",waiting_for="credential"\} [1-9]`)
	eventually(t, func() error {
		if !reported.MatchString(metricsOf(t, r)) {
			return errNotYet
		}
		return nil
	})
	require.Contains(t, slack.got(t, 1), "• locked: credential_unreadable, since ")
	require.Empty(t, w.requests(t, "/locked/"))
}
