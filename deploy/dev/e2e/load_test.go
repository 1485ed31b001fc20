package e2e_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/deploy/dev/harness"
)

// It runs before the others, not beside them: 3,010 deliveries leave them no processor.
func TestABacklogIsDeliveredOnceAndFairly(t *testing.T) {
	w := newWorldOf(t, harness.Built(t)) // the race detector would triple its time
	w.storefront(t, "large")
	w.storefront(t, "small")
	r := w.relay(t, "relay", "serve")

	const backlog = 2000
	var large []string
	values := make([]string, backlog)
	args := make([]any, 0, 4*backlog)
	for i := range backlog {
		large = append(large, fmt.Sprintf("large-%d", i))
		values[i] = "(?, 'large', 'purchase_completed', ?, 'oms_direct', 'pending')"
		args = append(args, large[i], payload)
	}
	w.exec(t, `INSERT INTO marketing_events (event_id, storefront_code, event_type, event_payload, source_system, status)
		VALUES `+strings.Join(values, ","), args...)
	undone := `SELECT COUNT(*) FROM marketing_events WHERE storefront_code = 'large' AND status <> 'delivered'`
	eventually(t, func() error {
		if w.count(t, undone) == backlog {
			return errNotYet
		}
		return nil
	})
	var small []string
	for i := range 10 {
		small = append(small, fmt.Sprintf("small-%d", i))
		w.insert(t, "small", small[i])
	}
	events := w.allDelivered(t, small)
	waiting := w.count(t, undone)
	t.Logf("10 rows of one storefront were done with %d of %d of the other's waiting", waiting, backlog)
	require.Greater(t, waiting, backlog/2, "rows of the small storefront waited for those of the large one")
	for _, e := range events {
		require.Less(t, e.FinishedAt.Sub(e.CreatedAt), 20*time.Second)
	}

	posted, orders := items("small", "posted", 1000)
	post(t, r, posted...)
	w.requireOneRequestEach(t, "/small/", append(orders, small...))
	w.requireOneRequestEach(t, "/large/", large)
}
