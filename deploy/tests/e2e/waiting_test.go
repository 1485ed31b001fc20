package e2e_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// An event that was tried and waits for its next try is no burden: were it one until its lease ends, a storefront with every
// second event in retry would be held at MAX_IN_FLIGHT of them a minute.
func TestEventsThatWaitForTheirNextTryHoldNoOthersUp(t *testing.T) {
	t.Parallel()
	const n = 24
	w := newWorld(t, "RETRY_BACKOFF_BASE=3600", "MAX_IN_FLIGHT=4")
	w.storefront(t, "waiting")
	w.relay(t, "one", "serve")
	w.answers(t, "/waiting/", slices.Repeat([]int{503, 200}, n/2)...)
	w.insertMany(t, "waiting", n)
	eventually(t, func() error {
		delivered := w.count(t, "SELECT COUNT(*) FROM marketing_events WHERE status = 'delivered'")
		waiting := w.count(t, "SELECT COUNT(*) FROM event_attempts WHERE outcome = 'retry'")
		if delivered+waiting < n {
			return fmt.Errorf("%d delivered, %d waiting for their next try", delivered, waiting)
		}
		return nil
	})
	require.Len(t, w.requests(t, "/waiting/"), n)
}
