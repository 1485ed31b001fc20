package e2e_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// An event that waits for its next attempt does not count as in flight: otherwise a storefront with every second event in
// retry would be limited to MAX_IN_FLIGHT of them per minute.
func TestEventsThatWaitForTheirNextAttemptDelayNoOthers(t *testing.T) {
	t.Parallel()
	const n = 24
	w := newWorld(t, "RETRY_BACKOFF_BASE=3600", "MAX_IN_FLIGHT=4")
	w.storefront(t, "waiting")
	w.relay(t, "one", "serve")
	w.respondWith(t, "/waiting/", slices.Repeat([]int{503, 200}, n/2)...)
	w.insertMany(t, "waiting", n)
	eventually(t, func() error {
		delivered := w.count(t, "SELECT COUNT(*) FROM marketing_events WHERE status = 'delivered'")
		waiting := w.count(t, "SELECT COUNT(*) FROM event_attempts WHERE outcome = 'retry'")
		if delivered+waiting < n {
			return fmt.Errorf("%d delivered, %d waiting for their next attempt", delivered, waiting)
		}
		return nil
	})
	require.Len(t, w.requests(t, "/waiting/"), n)
}
