package chaos_test

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/db"
	"relay/deploy/dev/harness"
	"relay/deploy/sandbox"
	"relay/internal/relay"
)

var outageEvents = flag.Int("outage-events", 200, "events sent during the outage of a destination; 50000 take half an hour")

// An outage of hours, shortened: with two attempts a second apart, it takes seconds to exhaust the attempts, which take 15
// minutes in production. No event arrives after the outage: the relay probes by itself. The replay runs at the machine's speed.
func TestEveryEventArrivesAfterAnOutageThatExhaustedItsAttempts(t *testing.T) {
	events := *outageEvents
	patience := 5*time.Minute + time.Duration(events)*time.Second/5
	s := harness.New(t, harness.Config{Env: []string{"MAX_RETRY_ATTEMPTS=2"}})
	_, err := s.AddStorefront(t.Context(), "acme")
	require.NoError(t, err)
	config, err := db.ParseURL(s.DatabaseURL())
	require.NoError(t, err)
	pool, err := sql.Open("mysql", config.FormatDSN())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, pool.Close()) })
	count := func(where string) (n int) {
		require.NoError(t, pool.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+where).Scan(&n))
		return n
	}
	require.NoError(t, s.Sandbox.Answer(t.Context(), sandbox.Rule{Path: "/acme", Then: sandbox.Answer{Status: 503}}))
	r := s.NewRelay(t, harness.RelayOptions{})

	first := events / 4
	post(t, r, 0, first)
	require.Eventually(t, func() bool { return count("destination_health WHERE unhealthy_since IS NOT NULL") == 1 }, patience, 100*time.Millisecond)
	for n, size := first, max(20, events/50); n < events; n += size {
		post(t, r, n, min(size, events-n))
	}
	// One event may be in delivery, as the probe.
	require.Eventually(t, func() bool { return count("marketing_events WHERE status = 'failed'") >= events-1 }, patience, 200*time.Millisecond)
	received, err := s.Sandbox.Total(t.Context())
	require.NoError(t, err)
	require.Less(t, received, int64(events), "most failed without a request")
	require.Positive(t, count("marketing_events WHERE reason = 'destination_unhealthy'"))

	require.NoError(t, s.Sandbox.ClearAnswers(t.Context()))
	require.Eventually(t, func() bool { return count("event_replays") == 1 }, patience, 100*time.Millisecond)
	_, err = pool.ExecContext(t.Context(), "UPDATE event_replays SET rate = 1000")
	require.NoError(t, err)
	require.Eventually(t, func() bool { return count("marketing_events WHERE status = 'delivered'") == events }, patience, 500*time.Millisecond)
	require.Zero(t, count("destination_health WHERE failures > 0"))

	arrivals, err := s.Sandbox.Arrivals(t.Context())
	require.NoError(t, err)
	require.Len(t, arrivals, events)
	for _, a := range arrivals {
		require.Equal(t, 1, a.Taken, a.Key)
	}
	e, err := s.Event(t.Context(), "o-0", "purchase_completed")
	require.NoError(t, err)
	require.Equal(t, relay.StatusDelivered, e.Status)
}

// post posts n events, numbered from first.
func post(t *testing.T, r *harness.Relay, first, n int) {
	t.Helper()
	items := make([]harness.Item, n)
	for i := range items {
		items[i] = harness.Item{"t-value": "x", "storefront_id": "acme", "event_name": "purchase_completed", "order_id": fmt.Sprintf("o-%d", first+i),
			"event_time": time.Now().UTC().Format(time.RFC3339), "order_revenue": 80.79}
	}
	response, err := r.Post(context.WithoutCancel(t.Context()), harness.Batch(items...))
	require.NoError(t, err)
	require.Equal(t, http.StatusAccepted, response.HTTPStatus, response.Body)
}
