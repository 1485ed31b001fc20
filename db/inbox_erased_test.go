package db_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/internal/ops"
	"relay/internal/relay"
)

// holds lists the columns, of all tables, that contain a text.
func (f *fixture) holds(text string) []string {
	f.t.Helper()
	rows, err := f.raw.QueryContext(f.t.Context(), "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = DATABASE()")
	require.NoError(f.t, err)
	defer func() { require.NoError(f.t, rows.Close()) }()
	var places [][2]string
	for rows.Next() {
		var p [2]string
		require.NoError(f.t, rows.Scan(&p[0], &p[1]))
		places = append(places, p)
	}
	require.NoError(f.t, rows.Err())
	var found []string
	for _, p := range places {
		if f.count("SELECT COUNT(*) FROM `"+p[0]+"` WHERE INSTR(CAST(`"+p[1]+"` AS CHAR), ?) > 0", text) > 0 {
			found = append(found, p[0]+"."+p[1])
		}
	}
	return found
}

const eraseMe = "2025020100007777"

func TestAnErasedEventIsInNoTable(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	event := newEvent(1, bosley, "bosley")
	event.EventID, event.OrderID = eraseMe+"-e", eraseMe
	event.Payload = fmt.Appendf(nil, `{"order_id":%q}`, eraseMe)
	id := f.insert([]relay.NewEvent{event})[0].ID
	require.NoError(t, f.RecordSending(t.Context(), relay.Attempt{AttemptID: fmt.Sprintf("%032d", id), EventID: id, Destination: relay.SGTM, Number: 1,
		Method: "POST", URL: "https://t.example.com/" + eraseMe, HeaderNames: []string{"X-" + eraseMe}, Body: eraseMe, BodySHA256: eraseMe,
		AdapterVersion: "sgtm/1", Dropped: []string{eraseMe}, Warnings: []string{eraseMe},
		Result: relay.Result{Outcome: relay.Accepted, Status: 200, TraceID: eraseMe, Fields: map[string]string{"id": eraseMe}}}))
	f.ended(id, relay.StatusDelivered, "", relay.DeliveryResult{Destination: relay.SGTM, Outcome: relay.Accepted, Status: 200})
	f.replay(ops.Replay{Filter: ops.Filter{OrderID: eraseMe}})
	f.replay(ops.Replay{Filter: ops.Filter{OrderID: eraseMe + "-e"}})
	require.Len(t, f.holds(eraseMe), 12)

	require.NoError(t, f.EraseEvent(t.Context(), id)) // as an erasure of a person does, which has no order id
	require.Empty(t, f.holds(eraseMe))
	attempts, err := f.Attempts(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, relay.Result{Outcome: relay.Accepted, Status: 200}, attempts[0].Result)
	require.Equal(t, []string{"POST", "sgtm/1"}, []string{attempts[0].Method, attempts[0].AdapterVersion})
}

func TestErasedEventsAreFoundByTheirOrderID(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	id := f.direct(eraseMe, bosley)
	f.ended(id, relay.StatusDelivered, "")
	require.NoError(t, f.EraseEvent(t.Context(), id))
	again := f.direct(eraseMe, bosley)
	require.Empty(t, f.claim(aPage))
	found, err := f.EventsOfOrders(t.Context(), []string{eraseMe})
	require.NoError(t, err)
	require.Len(t, found, 2)
	require.Equal(t, []int64{id, again}, []int64{found[0].ID, found[1].ID})
	page, err := f.SearchEvents(t.Context(), ops.Filter{OrderID: eraseMe}, ops.Position{}, 10)
	require.NoError(t, err)
	require.Len(t, page.Items, 2)
}

func TestAnInvalidDirectRowOfAnErasedEventIsErasedToo(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	first := f.direct(eraseMe, bosley)
	f.ended(first, relay.StatusDelivered, "")
	require.NoError(t, f.EraseEvent(t.Context(), first))
	insert := `INSERT INTO marketing_events (event_id, storefront_code, event_type, event_payload, source_system, status) VALUES (?, ?, ?, ?, 'oms_direct', 'pending')`
	nobody := f.exec(insert, eraseMe+" ", "nobody", "purchase_completed", `{"a":"`+eraseMe+`"}`)
	require.Empty(t, f.claim(aPage))
	broken := f.exec(insert, eraseMe, "bosley", "purchase_completed", `{"a":"`+eraseMe)
	otherCase := f.exec(insert, eraseMe, "bosley", "Purchase_COMPLETED", `{"a":"`+eraseMe+`"}`)
	good := f.direct("another", bosley)
	require.Equal(t, []int64{good}, ids(f.claim(aPage)))
	for _, id := range []int64{nobody, broken, otherCase} {
		status, reason := f.status(id)
		require.Equal(t, []any{relay.StatusFailed, relay.ReasonErased}, []any{status, reason})
	}
	require.Empty(t, f.holds(eraseMe))

	f.exec("UPDATE marketing_events SET status = 'pending', claimed_until = UTC_TIMESTAMP(6) WHERE id = ?", first)
	require.Empty(t, f.claim(aPage), "not even after an UPDATE by hand")
	status, reason := f.status(first)
	require.Equal(t, []any{relay.StatusFailed, relay.ReasonErased}, []any{status, reason})
}
