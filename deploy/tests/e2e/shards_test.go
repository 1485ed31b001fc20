package e2e_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enums "go.temporal.io/api/enums/v1"

	"relay/deploy/dev/harness"
	"relay/workflows"
)

// logged reports whether a relay has logged something.
func logged(t *testing.T, r *harness.Relay, text string) bool {
	t.Helper()
	log, err := os.ReadFile(r.LogFile())
	require.NoError(t, err)
	return strings.Contains(string(log), text)
}

// Two workers share the storefronts, both start and deliver, and one takes over the other's part when that is killed. With fewer
// parts, no superfluous poller remains.
func TestTwoWorkersShareThePollingAndTheDeliveries(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "POLL_SHARDS=2")
	var storefronts []string
	for n := range 8 {
		storefronts = append(storefronts, fmt.Sprintf("part-%d", n))
		w.storefront(t, storefronts[n])
	}
	one, two := w.relay(t, "one", "worker"), w.relay(t, "two", "worker")
	orders := map[string]bool{}
	insert := func(round int) {
		for _, s := range storefronts {
			order := fmt.Sprintf("%s-%d", s, round)
			w.insert(t, s, order)
			orders[order] = true
		}
	}
	all := func(r *harness.Relay) bool { return logged(t, r, "inbox.polled") && logged(t, r, "delivery.attempted") }
	round := 0
	eventually(t, func() error { // the workers discover one another within ten seconds
		insert(round)
		round++
		time.Sleep(500 * time.Millisecond)
		if !all(one) || !all(two) {
			return errors.New("one of the workers is idle")
		}
		return nil
	})

	one.Kill()
	killed := time.Now()
	insert(round)
	for order := range orders {
		w.delivered(t, order)
	}
	t.Logf("%d events, the last of them %.1f s after the kill", len(orders), time.Since(killed).Seconds())

	require.NoError(t, two.Stop())
	three := w.NewRelay(t, harness.RelayOptions{Name: "three", Role: "worker", Env: []string{"POLL_SHARDS=1"}})
	w.relays = append(w.relays, three)
	require.Equal(t, enums.WORKFLOW_EXECUTION_STATUS_COMPLETED, w.closed(t, workflows.PollInboxID+":1"), "the part no longer exists")
	insert(round + 1)
	for order := range orders {
		w.delivered(t, order)
	}
}
