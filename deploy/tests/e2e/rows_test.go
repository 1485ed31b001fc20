package e2e_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/deploy/sandbox"
	"relay/internal/ops"
	"relay/internal/relay"
)

// attemptsAt returns an event's attempts at one destination, in order, without those that were not sent because the busy
// machine's database took too long to record them.
func attemptsAt(e ops.EventDetail, destination string) []relay.Attempt {
	return slices.DeleteFunc(slices.Clone(e.Attempts), func(a relay.Attempt) bool {
		return a.Destination != destination || a.Result.Outcome == relay.NotSent
	})
}

// outcomes returns those of an event's attempts at one destination.
func outcomes(e ops.EventDetail, destination string) []relay.Outcome {
	var found []relay.Outcome
	for _, a := range attemptsAt(e, destination) {
		found = append(found, a.Result.Outcome)
	}
	return found
}

// requests returns the requests that the sandbox received below a path.
func (w *world) requests(t *testing.T, path string) []sandbox.Request {
	t.Helper()
	got, err := w.Sandbox.Requests(t.Context(), path, 0)
	require.NoError(t, err)
	return got
}

// requireARowForEveryRequest compares the attempts of an event with the requests that arrived, byte by byte. A row that
// stays "sending" may have none: it is written before the request is sent, and its process was killed.
func (w *world) requireARowForEveryRequest(t *testing.T, e ops.EventDetail) {
	t.Helper()
	rows, err := w.sql.QueryContext(t.Context(), `SELECT request_sha256, outcome = 'sending' FROM event_attempts
		WHERE marketing_event_id = ? AND number > 0 AND outcome <> 'not_sent' ORDER BY id`, e.ID)
	require.NoError(t, err)
	defer func() { _ = rows.Close() }()
	recorded, unknown := map[string]int{}, map[string]int{}
	for rows.Next() {
		var sum string
		var sending bool
		require.NoError(t, rows.Scan(&sum, &sending))
		recorded[sum]++
		if sending {
			unknown[sum]++
		}
	}
	require.NoError(t, rows.Err())
	received := map[string]int{}
	for _, r := range w.requests(t, "/"+e.StorefrontCode+"/") {
		if r.Key == dedupID(e) {
			sum := sha256.Sum256([]byte(r.Body))
			received[hex.EncodeToString(sum[:])]++
		}
	}
	for sum, n := range recorded {
		require.GreaterOrEqual(t, received[sum], n-unknown[sum], "event %s: every row with a response has a request", e.EventID)
	}
	for sum, n := range received {
		require.LessOrEqual(t, n, recorded[sum], "event %s: every request has a row", e.EventID)
	}
}

// requireOneRequestEach checks events without any failure.
func (w *world) requireOneRequestEach(t *testing.T, path string, orders []string) {
	t.Helper()
	events := w.allDelivered(t, orders)
	arrived := map[string]int{}
	for _, r := range w.requests(t, path) {
		arrived[r.Key]++
	}
	for _, e := range events {
		require.Equal(t, []relay.Outcome{relay.Accepted}, outcomes(e, relay.SGTM), "event %s", e.EventID)
		require.Equal(t, 1, arrived[dedupID(e)], "event %s", e.EventID)
	}
	require.Len(t, arrived, len(orders))
}

// requireOnlyUnknownRepeated checks events that were affected by a kill and no other failure: an event that was sent twice has a row whose
// result is unknown. It returns the number of those rows.
func (w *world) requireOnlyUnknownRepeated(t *testing.T, path string, orders []string) int {
	t.Helper()
	unknown := 0
	for _, e := range w.allDelivered(t, orders) {
		w.requireARowForEveryRequest(t, e)
		all := outcomes(e, relay.SGTM)
		for _, o := range all[:len(all)-1] {
			require.Equal(t, relay.Sending, o, "event %s", e.EventID)
			unknown++
		}
		require.Equal(t, relay.Accepted, all[len(all)-1], "event %s", e.EventID)
	}
	arrived := len(w.requests(t, path))
	require.GreaterOrEqual(t, arrived, len(orders))
	require.LessOrEqual(t, arrived, len(orders)+unknown)
	return unknown
}

// allDelivered waits until all events of these orders are delivered, as long as a quarter of the missing ones is delivered in
// time: a busy machine takes longer for two thousand than for two.
func (w *world) allDelivered(t *testing.T, orders []string) []ops.EventDetail {
	t.Helper()
	const delivered = "SELECT COUNT(*) FROM marketing_events WHERE status = 'delivered'"
	for {
		before := w.count(t, delivered)
		var events []ops.EventSummary
		missing := len(orders)
		for page := range slices.Chunk(orders, 1000) {
			found, err := w.Store.EventsOfOrders(t.Context(), page)
			require.NoError(t, err)
			events = append(events, found...)
		}
		n := map[relay.Status]int{}
		for _, e := range events {
			n[e.Status]++
		}
		if missing -= n[relay.StatusDelivered]; missing == 0 {
			return w.details(t, events)
		}
		eventually(t, func() error {
			if w.count(t, delivered) <= before+missing/4 {
				return fmt.Errorf("of %d events: %v", len(orders), n)
			}
			return nil
		})
	}
}

func (w *world) details(t *testing.T, events []ops.EventSummary) []ops.EventDetail {
	t.Helper()
	details := make([]ops.EventDetail, len(events))
	for i, e := range events {
		var err error
		details[i], err = w.Store.EventDetail(t.Context(), e.ID)
		require.NoError(t, err)
	}
	return details
}

func dedupID(e ops.EventDetail) string {
	return relay.Event{EventID: e.EventID, Type: e.Type, Storefront: relay.Storefront{Code: e.StorefrontCode}}.DedupID()
}
