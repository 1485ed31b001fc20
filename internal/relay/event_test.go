package relay_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/internal/relay"
)

var created = time.Date(2026, 11, 23, 9, 0, 0, 0, time.FixedZone("", 3600))

func event(t *testing.T, source, text string) relay.Event {
	t.Helper()
	return relay.Event{EventID: "row_1", Type: "purchase_completed", Source: source, Storefront: relay.Storefront{Code: "bosley"},
		Payload: payload(t, text), CreatedAt: created, Now: created.Add(time.Hour)}
}

func TestDedupIDIsStableAndDisclosesNothing(t *testing.T) {
	t.Parallel()
	e := event(t, relay.SourceAPI, `{"event_id":"pixel_7","order_id":"o_1"}`)
	// printf 'bosley:row_1:purchase_completed' | sha256sum | cut -c1-32
	require.Equal(t, "43ec953d9f920895c6efa2b6591ac441", e.DedupID())

	same := e
	same.Payload, same.Now, same.CreatedAt, same.ID, same.Source = nil, created.Add(time.Hour), created, 9, relay.SourceDirect
	require.Equal(t, e.DedupID(), same.DedupID(), "attempts, fallbacks and replays of a row share it")

	for name, other := range map[string]func(*relay.Event){
		"storefront": func(e *relay.Event) { e.Storefront.Code = "pfizer" },
		"event id":   func(e *relay.Event) { e.EventID = "row_2" },
		"event type": func(e *relay.Event) { e.Type = "rx_issued" },
	} {
		another := e
		other(&another)
		require.NotEqual(t, e.DedupID(), another.DedupID(), name)
	}
}

func TestPayloadsOwnEventIDIsSentOnlyIfTheStorefrontAllowsIt(t *testing.T) {
	t.Parallel()
	e := event(t, relay.SourceAPI, `{"event_id":" pixel_7 "}`)
	e.Storefront.SendsPayloadEventID = true
	require.Equal(t, "pixel_7", e.DedupID())
	e.Payload = payload(t, `{"event_id":12345678901234567890}`)
	require.Equal(t, "12345678901234567890", e.DedupID())
	for _, none := range []string{`{}`, `{"event_id":null}`, `{"event_id":""}`, `{"event_id":{}}`} {
		e.Payload = payload(t, none)
		require.Len(t, e.DedupID(), 32, none)
	}
}

func TestOrderIDOfADirectRowComesFromItsColumns(t *testing.T) {
	t.Parallel()
	const text = `{"order_id":"o_1"}`
	require.Equal(t, "o_1", event(t, relay.SourceAPI, text).OrderID())
	require.Equal(t, "row_1", event(t, relay.SourceDirect, text).OrderID())
	require.Equal(t, "row_1", event(t, relay.SourceAPI, `{}`).OrderID())
	require.Equal(t, "7", event(t, relay.SourceAPI, `{"order_id":7}`).OrderID())

	refund := event(t, relay.SourceDirect, text)
	refund.EventID, refund.Order = "o_2-refund-1", " o_2 "
	require.Equal(t, "o_2", refund.OrderID(), "a refund is of its order, under an event_id of its own")
	refund.Order = " "
	require.Equal(t, "o_2-refund-1", refund.OrderID())
}

func TestEventTimeIsThePayloadsElseTheRowsAndInUTC(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 15, 10, 15, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		`{"event_time":"2026-01-15T10:15:00Z"}`:           at,
		`{"event_time":"2026-01-15T10:15:00"}`:            at,
		`{"event_time":"2026-01-15T12:15:00.000+02:00"}`:  at,
		`{"event_time":"2026-01-15T10:15:00.123456789Z"}`: at.Add(123456789),
		`{"event_time":"2026-01-15T10:15:00.5"}`:          at.Add(500 * time.Millisecond),
		`{"event_time":"yesterday"}`:                      created.UTC(),
		`{"event_time":1768472100}`:                       at,
		`{"event_time":" 1768472100.5 "}`:                 at.Add(500 * time.Millisecond),
		`{"event_time":1768472100000}`:                    at,
		`{"event_time":"2026-01-15 10:15:00.25"}`:         at.Add(250 * time.Millisecond),
		`{"event_time":"2026-01-15T10:15:00,5Z"}`:         at.Add(500 * time.Millisecond), // taken in by an earlier version
		`{"event_time":null}`:                             created.UTC(),
		`{}`:                                              created.UTC(),
	} {
		require.Equal(t, want, event(t, relay.SourceAPI, text).Time(), text)
	}
	e := event(t, relay.SourceAPI, `{"event_time":"2026-11-23T08:00:00Z"}`)
	require.Equal(t, time.Hour, e.Age())
}

func TestOnlyThreeStatusesAreFinal(t *testing.T) {
	t.Parallel()
	for status, final := range map[relay.Status]bool{relay.StatusPending: false, relay.StatusProcessing: false,
		relay.StatusDelivered: true, relay.StatusFailed: true, relay.StatusSkipped: true} {
		require.Equal(t, final, status.Final(), status)
	}
}
