package e2e_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/deploy/dev/harness"
)

// It runs before the other tests, not in parallel with them: so many deliveries use all processors.
func TestABacklogIsDeliveredOnceAndDelaysNoOtherStorefront(t *testing.T) {
	w := newWorldOf(t, harness.Built(t)) // the race detector would triple its time
	w.storefront(t, "large")
	w.storefront(t, "small")
	r := w.relay(t, "relay", "serve")

	const backlog = 2000
	batch, large := items("large", "large-by-api", backlog/2)
	large = append(large, w.insertMany(t, "large", backlog/2)...)
	post(t, r, batch...)
	undone := `SELECT COUNT(*) FROM marketing_events WHERE storefront_code = 'large' AND status <> 'delivered'`
	eventually(t, func() error {
		if w.count(t, undone) == backlog {
			return errNotYet
		}
		return nil
	})
	var small []string
	for _, order := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"} {
		small = append(small, "small-"+order)
		w.insert(t, "small", "small-"+order)
	}
	events := w.allDelivered(t, small)
	waiting := w.count(t, undone)
	t.Logf("10 rows of one storefront were delivered with %d of %d of the other's waiting", waiting, backlog)
	require.Greater(t, waiting, backlog/2, "rows of the small storefront waited for those of the large one")
	for _, e := range events {
		require.Less(t, e.FinishedAt.Sub(e.CreatedAt), time.Minute)
	}
	w.requireOneRequestEach(t, "/small/", small)
	w.requireOneRequestEach(t, "/large/", large)
}
