package db_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/internal/ops"
	"relay/internal/relay"
)

// ended writes an event's result as a run would.
func (f *fixture) ended(id int64, status relay.Status, reason relay.Reason, ends ...relay.DeliveryResult) {
	f.t.Helper()
	run := fmt.Sprintf("run-%d-%d", id, f.count("SELECT generation FROM marketing_events WHERE id = ?", id))
	f.taken(id, run)
	require.NoError(f.t, f.Finish(f.t.Context(), id, run, relay.EventOutcome{Status: status, Reason: reason, Detail: reason.Text(), Ends: ends}))
}

// found searches page by page and returns the ids in order.
func (f *fixture) found(filter ops.Filter, page int) []int64 {
	f.t.Helper()
	var after ops.Position
	list := []int64{}
	for range 1000 {
		p, err := f.SearchEvents(f.t.Context(), filter, after, page)
		require.NoError(f.t, err)
		require.LessOrEqual(f.t, len(p.Items), page)
		for _, e := range p.Items {
			list = append(list, e.ID)
		}
		if p.Next.IsZero() {
			return list
		}
		after = p.Next
	}
	require.Fail(f.t, "the list does not end")
	return nil
}

var exhaustedAtSGTM = relay.DeliveryResult{Destination: relay.SGTM, Outcome: relay.Exhausted, Reason: relay.ReasonExhausted, Status: 503}

func TestSearchFindsTheEventsOfItsFilter(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley, pfizer := f.storefront("bosley"), f.storefront("pfizer")
	f.insert(newEvents(0, 3, bosley, "bosley"))
	f.insert(newEvents(3, 5, pfizer, "pfizer"))
	direct := f.direct("direct-1", pfizer)
	id := func(n int) int64 {
		return int64(f.count("SELECT id FROM marketing_events WHERE event_id = ?", newEvent(n, 0, "").EventID))
	}
	f.ended(id(0), relay.StatusFailed, relay.ReasonExhausted, exhaustedAtSGTM)
	f.ended(id(1), relay.StatusDelivered, "", relay.DeliveryResult{Destination: "ga4", Outcome: relay.Accepted}, relay.DeliveryResult{Destination: "meta", Outcome: relay.Blocked})
	f.ended(id(3), relay.StatusSkipped, relay.ReasonNotMapped, relay.DeliveryResult{Destination: "meta", Outcome: relay.Skipped, Reason: relay.ReasonNotMapped})
	begin := time.Now().UTC().Add(-time.Hour)

	for name, c := range map[string]struct {
		filter ops.Filter
		want   []int64
	}{
		"an empty filter matches all, newest first": {ops.Filter{}, []int64{direct, id(4), id(3), id(2), id(1), id(0)}},
		"an order":                       {ops.Filter{OrderID: newEvent(1, 0, "").OrderID}, []int64{id(1)}},
		"a direct row's order":           {ops.Filter{OrderID: "direct-1"}, []int64{direct}},
		"an order of another storefront": {ops.Filter{OrderID: "direct-1", StorefrontID: bosley}, []int64{}},
		"a storefront":                   {ops.Filter{StorefrontID: bosley}, []int64{id(2), id(1), id(0)}},
		"a status":                       {ops.Filter{Statuses: []relay.Status{relay.StatusFailed}}, []int64{id(0)}},
		"two statuses":                   {ops.Filter{Statuses: []relay.Status{relay.StatusFailed, relay.StatusSkipped}}, []int64{id(3), id(0)}},
		"a status of a storefront":       {ops.Filter{StorefrontID: bosley, Statuses: []relay.Status{relay.StatusPending}}, []int64{id(2)}},
		"a reason":                       {ops.Filter{Reasons: []relay.Reason{relay.ReasonNotMapped}}, []int64{id(3)}},
		"a source":                       {ops.Filter{Source: relay.SourceDirect}, []int64{direct}},
		"a type in another case":         {ops.Filter{Type: "Purchase_Completed", StorefrontID: pfizer}, []int64{direct, id(4), id(3)}},
		"a type without events":          {ops.Filter{Type: "rx_issued"}, []int64{}},
		"a destination":                  {ops.Filter{Destination: "meta"}, []int64{id(3), id(1)}},
		"a destination that accepted":    {ops.Filter{AcceptedBy: []string{"ga4", "meta"}}, []int64{id(1)}},
		"a destination that did not":     {ops.Filter{FailedAt: "meta"}, []int64{id(3), id(1)}},
		"failed where it was accepted":   {ops.Filter{FailedAt: "ga4"}, []int64{}},
		"failed where it never ended":    {ops.Filter{FailedAt: "meta", StorefrontID: bosley}, []int64{id(1)}},
		"a destination with a wildcard":  {ops.Filter{Destination: "me%"}, []int64{}},
		"from an hour ago":               {ops.Filter{From: begin, Source: relay.SourceDirect}, []int64{direct}},
		"until an hour ago":              {ops.Filter{To: begin}, []int64{}},
		"an order from an hour ago on":   {ops.Filter{OrderID: "direct-1", From: begin}, []int64{direct}},
		"failed in the last hours":       {ops.Filter{Statuses: []relay.Status{relay.StatusFailed}, From: begin, StorefrontID: bosley, Reasons: []relay.Reason{relay.ReasonExhausted}}, []int64{id(0)}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, page := range []int{1, 2, 100} {
				require.Equal(t, c.want, f.found(c.filter, page), "in pages of %d", page)
			}
		})
	}
}

func TestEventsOfOneMomentAreListedOnceEach(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	f.insert(newEvents(0, 50, bosley, "bosley")) // one statement, one created_at
	for _, filter := range []ops.Filter{{}, {StorefrontID: bosley}, {Statuses: []relay.Status{relay.StatusPending, relay.StatusFailed}}} {
		list := f.found(filter, 7)
		require.Len(t, list, 50)
		for i, id := range list[1:] {
			require.Less(t, id, list[i])
		}
	}
}

func TestEventDetailHasItsAttempts(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	id := f.direct("o-1", f.storefront("bosley"))
	f.taken(id, "r")
	require.NoError(t, f.RecordSending(t.Context(), relay.Attempt{AttemptID: "0123456789abcdef0123456789abcdef", EventID: id, Destination: "meta",
		Number: 1, StartedAt: time.Now(), Method: "POST", URL: "https://example.com/x", HeaderNames: []string{"Authorization"}, Body: `{"a":1}`,
		BodySHA256: "ff", AdapterVersion: "meta/1", Dropped: []string{"zip"}}))
	require.NoError(t, f.CompleteAttempts(t.Context(), []relay.AttemptEnd{{AttemptID: "0123456789abcdef0123456789abcdef", Duration: 30 * time.Millisecond,
		Result: relay.Result{Outcome: relay.Rejected, Reason: relay.ReasonBadRequest, Status: 400, TraceID: "t", Fields: map[string]string{"code": "100"}}}}))
	d, err := f.EventDetail(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, "o-1", d.OrderID)
	require.Equal(t, relay.StatusProcessing, d.Status)
	require.JSONEq(t, `{"order_revenue": 80.79}`, string(d.Payload))
	require.Len(t, d.Attempts, 1)
	a := d.Attempts[0]
	require.Equal(t, relay.Result{Outcome: relay.Rejected, Reason: relay.ReasonBadRequest, Status: 400, TraceID: "t", Fields: map[string]string{"code": "100"}}, a.Result)
	require.Equal(t, 30*time.Millisecond, a.Duration)
	require.Equal(t, []string{"Authorization"}, a.HeaderNames)
	require.Equal(t, []string{"zip"}, a.Dropped)

	_, err = f.EventDetail(t.Context(), id+1)
	require.ErrorIs(t, err, relay.ErrNotFound)
}
