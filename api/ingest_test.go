package api_test

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/api"
	"relay/internal/relay"
)

const sample = `{
  "count": 3,
  "data": [
    {
      "t-value": "bosleyaffiliate_0123", "storefront_id": "bosley", "event_name": "consult_started",
      "event_time": "2026-01-15T10:15:00Z", "order_id": "2025010100001111", "session_id": "sess_123"
    },
    {"t-value": "pfizeraffiliate_0123", "storefront_id": "pfizer", "event_name": "RX_Issued",
      "event_time": "2026-01-15T10:20:30Z", "order_id": "2025010100002222"},
    {"t-value": "bosleyaffiliate_0123", "storefront_id": "bosley", "event_name": "purchase_completed",
      "event_time": "2026-01-15T10:25:00Z", "order_id": "2025020100003333", "order_revenue": 80.790, "big": 12345678901234567890 }
  ],
  "error": "", "next_index": 1000, "next_url": "...", "previous_index": "", "previous_url": ""
}`

func TestBatchIsStoredAndStarted(t *testing.T) {
	t.Parallel()
	r := newTest(t, func(c *api.Config, _ *relayed) { c.Lease = time.Minute })
	a := r.post(t, sample)
	require.Equal(t, http.StatusAccepted, a.status)
	require.JSONEq(t, `{"accepted":3,"duplicates":0,"rejected":0,"errors":[]}`, a.text)

	t.Run("ids, type and storefront are read from each item", func(t *testing.T) {
		require.Len(t, r.inbox.rows, 3)
		e := r.inbox.rows[1]
		require.Equal(t, "2025010100002222", e.EventID)
		require.Equal(t, "2025010100002222", e.OrderID)
		require.Equal(t, "rx_issued", e.Type)
		require.Equal(t, "pfizer", e.StorefrontCode)
		require.EqualValues(t, 7, e.StorefrontID)
		require.True(t, e.Leased)
		require.Equal(t, []time.Duration{time.Minute}, r.inbox.leases)
	})
	t.Run("payloads are the bytes that were sent", func(t *testing.T) {
		for _, e := range r.inbox.rows {
			require.Contains(t, sample, string(e.Payload))
			require.Equal(t, sha256.Sum256(e.Payload), e.Digest)
			require.True(t, strings.HasPrefix(string(e.Payload), "{") && strings.HasSuffix(string(e.Payload), "}"))
		}
		require.Contains(t, string(r.inbox.rows[2].Payload), `80.790, "big": 12345678901234567890 }`)
	})
	t.Run("deliveries are started", func(t *testing.T) {
		require.Equal(t, relay.PendingDelivery{ID: 2, EventID: "2025010100002222", Type: "rx_issued", StorefrontCode: "pfizer",
			Source: "oms"}, r.starter.started[1])
		require.Len(t, r.starter.started, 3)
		r.starter.idle(t)
	})
	t.Run("a second post is all duplicates and starts nothing", func(t *testing.T) {
		a := r.post(t, sample)
		require.Equal(t, http.StatusAccepted, a.status)
		require.JSONEq(t, `{"accepted":0,"duplicates":3,"rejected":0,"errors":[]}`, a.text)
		require.Len(t, r.starter.started, 3)
		r.starter.idle(t)
	})
}

func TestResultsOfTheItemsOfABatch(t *testing.T) {
	t.Parallel()
	t.Run("twins in one batch are one event and one duplicate", func(t *testing.T) {
		t.Parallel()
		r := newTest(t)
		a := r.items(t, event(), event())
		require.Equal(t, []int{202, 1, 1, 0}, []int{a.status, a.Accepted, a.Duplicates, a.Rejected})
		require.Len(t, r.starter.started, 1)
		r.starter.idle(t)
	})
	t.Run("one order with two event names is two events", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, 2, newTest(t).items(t, event(), event("event_name", `"rx_issued"`)).Accepted)
	})
	t.Run("an id with another payload is a conflict that names the stored status", func(t *testing.T) {
		t.Parallel()
		r := newTest(t)
		a := r.items(t, event(), order(2), event("order_revenue", "1"))
		require.Equal(t, []int{202, 2, 0, 1}, []int{a.status, a.Accepted, a.Duplicates, a.Rejected})
		require.Equal(t, []string{"2 2025020100003333 event_id conflict"}, brief(a.Errors))
		require.Equal(t, "another event with this event_id and event_name is stored, with status delivered; a refund, renewal, "+
			"cancellation or correction of an order needs an event_id of its own", a.Errors[0].Message)
		require.Len(t, r.starter.started, 2)
		r.starter.idle(t)
	})
	t.Run("a conflict with another storefront says so and names nothing of it", func(t *testing.T) {
		t.Parallel()
		a := newTest(t).items(t, event(), event("storefront_id", `"pfizer"`))
		require.Equal(t, []string{"1 2025020100003333 event_id conflict"}, brief(a.Errors))
		require.Equal(t, "an event of another storefront has this event_id and event_name, which no two storefronts may share: "+
			"this event needs an event_id of its own", a.Errors[0].Message)
		require.NotContains(t, a.text, "bosley")
	})
	t.Run("nothing but conflicts is 422", func(t *testing.T) {
		t.Parallel()
		r := newTest(t)
		r.items(t, event())
		a := r.items(t, event("order_revenue", "1"))
		require.Equal(t, http.StatusUnprocessableEntity, a.status)
		require.Equal(t, "no_acceptable_item", a.Code)
	})
	t.Run("an unreachable database is 503 with Retry-After", func(t *testing.T) {
		t.Parallel()
		r := newTest(t, func(_ *api.Config, r *relayed) { r.inbox.err = unavailable() })
		a := r.items(t, event())
		require.Equal(t, http.StatusServiceUnavailable, a.status)
		require.Equal(t, "database_unavailable", a.Code)
		require.Equal(t, "5", a.header.Get("Retry-After"))
		require.Empty(t, r.starter.started)
		r.starter.idle(t)
	})
	for refusal, why := range map[relay.WriteRefusal]string{relay.WriteReadOnly: "read_only", relay.WriteNoRoom: "full", relay.WriteForbidden: "forbidden"} {
		t.Run("a database that refuses writes is 503 that says so: "+why, func(t *testing.T) {
			t.Parallel()
			r := newTest(t, func(_ *api.Config, r *relayed) {
				r.inbox.err, r.probes.written = unavailable(), fmt.Errorf("probe: %w", &relay.Unwritable{Why: refusal})
			})
			a := r.items(t, event())
			require.Equal(t, http.StatusServiceUnavailable, a.status)
			require.Equal(t, "database_unavailable", a.Code)
			require.Equal(t, "5", a.header.Get("Retry-After"))
			require.Contains(t, a.Detail, "the database cannot be written ("+why+")")
		})
	}
	t.Run("any other error is 500 without its words", func(t *testing.T) {
		t.Parallel()
		r := newTest(t, func(_ *api.Config, r *relayed) { r.inbox.err = errBroken })
		a := r.items(t, event())
		require.Equal(t, http.StatusInternalServerError, a.status)
		require.NotContains(t, a.text, "broken")
		require.Contains(t, r.log.String(), "broken")
		r.starter.idle(t)
	})
}

func TestAnswerIsBounded(t *testing.T) {
	t.Parallel()
	t.Run("only where no item is acceptable the batch is 422, with the same members", func(t *testing.T) {
		t.Parallel()
		r := newTest(t)
		a := r.items(t, `{}`, `1`)
		require.Equal(t, http.StatusUnprocessableEntity, a.status)
		require.Equal(t, "no_acceptable_item", a.Code)
		require.Equal(t, []int{0, 0, 2}, []int{a.Accepted, a.Duplicates, a.Rejected})
		require.Len(t, a.Errors, 5)
		require.Contains(t, a.text, `"accepted":0`)
		require.Zero(t, r.inbox.inserts)
	})
	t.Run("the list of errors stops at 1,000 and counts the rest", func(t *testing.T) {
		t.Parallel()
		a := newTest(t).items(t, order(1), strings.Repeat("1,", 1004)+"1")
		require.Equal(t, []int{202, 1, 1005}, []int{a.status, a.Accepted, a.Rejected})
		require.Len(t, a.Errors, 1000)
		require.Equal(t, 5, a.ErrorsOmitted)
	})
	t.Run("errors of all kinds are in the order of the items", func(t *testing.T) {
		t.Parallel()
		a := newTest(t).items(t, event("order_revenue", "1"), event(), event("storefront_id", `"x"`), "1", order(1))
		require.Equal(t, []string{"1 2025020100003333 event_id conflict",
			"2 2025020100003333 storefront_id unknown_storefront", "3   invalid_item"}, brief(a.Errors))
	})
	t.Run("a time without offset is UTC, with a warning", func(t *testing.T) {
		t.Parallel()
		a := newTest(t).items(t, order(1), event("event_time", `"2026-01-15T10:25:00"`))
		require.Equal(t, 2, a.Accepted)
		require.Equal(t, []string{"1 2025020100003333 event_time time_without_offset"}, brief(a.Warnings))
	})
	t.Run("the list of warnings is bounded, too", func(t *testing.T) {
		t.Parallel()
		var items []string
		for n := range 1003 {
			items = append(items, event("order_id", fmt.Sprintf(`"%d"`, n), "event_time", `"2026-01-15T10:25:00"`))
		}
		a := newTest(t).items(t, items...)
		require.Len(t, a.Warnings, 1000)
		require.Equal(t, 3, a.WarningsOmitted)
	})
}

func TestStarterTakesAFew(t *testing.T) {
	t.Parallel()
	r := newTest(t, func(_ *api.Config, r *relayed) { r.starter.room = 2 })
	a := r.items(t, order(1), order(2), order(3), event("storefront_id", `"pfizer"`))
	require.Equal(t, 4, a.Accepted)
	var leased []bool
	for _, e := range r.inbox.rows {
		leased = append(leased, e.Leased)
	}
	require.Equal(t, []bool{true, true, false, true}, leased)
	require.Len(t, r.starter.started, 3)
	r.starter.idle(t)
}

// Rows are inserted in the order of their keys. A start that passes rows with lower ids breaks the order of arrival at a
// limited destination.
func TestStarterTakesTheFirstRows(t *testing.T) {
	t.Parallel()
	r := newTest(t, func(_ *api.Config, r *relayed) { r.starter.room = 2 })
	r.items(t, order(9), order(1), order(8), order(2))
	var leased []bool
	for _, e := range r.inbox.rows {
		leased = append(leased, e.Leased)
	}
	require.Equal(t, []bool{false, true, false, true}, leased)
	r.starter.idle(t)
}

func TestABusyItemIsReportedAndTheOthersAreStored(t *testing.T) {
	t.Parallel()
	r := newTest(t)
	r.inbox.busy = map[string]bool{"2025010100002222": true}
	a := r.post(t, sample)
	require.Equal(t, http.StatusAccepted, a.status)
	require.JSONEq(t, `{"accepted":2,"duplicates":0,"rejected":1,"errors":[{"index":1,"event_id":"2025010100002222","field":"event_id","code":"busy",
		"message":"a transaction that is still open inserts this event; the item was not stored: send it again"}]}`, a.text)

	r.inbox.busy = map[string]bool{"2025010100001111": true, "2025010100002222": true, "2025020100003333": true}
	a = r.post(t, sample)
	require.Equal(t, http.StatusServiceUnavailable, a.status, "422 would say that nothing of it can ever be accepted")
	require.NotEmpty(t, a.header.Get("Retry-After"))
	delete(r.inbox.busy, "2025010100002222")
	require.Equal(t, http.StatusAccepted, r.post(t, sample).status)
}
