package db_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/db"
	"relay/internal/ops"
	"relay/internal/relay"
)

func (f *fixture) erasure(kind ops.ErasureKind, subject string, storefront int64) ops.Erasure {
	f.t.Helper()
	e, err := f.CreateErasure(f.t.Context(), ops.Erasure{Kind: kind, Subject: relay.NewSecret(subject), StorefrontID: storefront, By: "anna"},
		ops.AuditEntry{By: "anna", Action: "erase", Entity: "erasures"})
	require.NoError(f.t, err)
	return e
}

// look scans all events, a few at a time.
func (f *fixture) look(id int64, page int) ops.Erasure {
	f.t.Helper()
	for range 100 {
		e, err := f.SearchErasure(f.t.Context(), id, page)
		require.NoError(f.t, err)
		if e.Walked {
			return e
		}
	}
	f.t.Fatal("it does not end")
	return ops.Erasure{}
}

func (f *fixture) items(id int64) []ops.EventState {
	f.t.Helper()
	list, err := f.ErasureItems(f.t.Context(), id, 100)
	require.NoError(f.t, err)
	return list
}

// delivered ends an event as delivered, with an attempt.
func (f *fixture) delivered(id int64) {
	f.t.Helper()
	require.NoError(f.t, f.RecordSending(f.t.Context(), relay.Attempt{AttemptID: fmt.Sprintf("%032d", id), EventID: id, Destination: relay.SGTM, Number: 1,
		URL: "https://t.example.com/mp/collect", Body: `{"transaction_id":"20250201"}`, BodySHA256: strings.Repeat("a", 64),
		Result: relay.Result{Outcome: relay.Accepted, Status: 200, TraceID: "trace", Fields: map[string]string{"fbtrace_id": "x"}}}))
	f.ended(id, relay.StatusDelivered, "", relay.DeliveryResult{Destination: relay.SGTM, Outcome: relay.Accepted, Status: 200})
}

func TestAnErasedOrderKeepsItsRowWithoutPersonalData(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	event := newEvent(1, bosley, "bosley")
	id := f.insert([]relay.NewEvent{event})[0].ID
	f.delivered(id)
	other := f.insert([]relay.NewEvent{newEvent(2, bosley, "bosley")})[0].ID
	direct := f.direct(event.EventID+"-d", bosley)
	f.replay(ops.Replay{Filter: ops.Filter{OrderID: event.OrderID}})

	e := f.erasure(ops.EraseOrder, event.OrderID, 0)
	require.Equal(t, event.OrderID, e.Subject.Reveal())
	require.Zero(t, f.count("SELECT COUNT(*) FROM event_erasures WHERE subject LIKE ? OR subject_hash LIKE ?", "%"+event.OrderID+"%", "%"+event.OrderID+"%"))
	e = f.look(e.ID, 10)
	require.Equal(t, int64(1), e.Matched)
	require.Equal(t, []ops.EventState{{ID: id, Status: relay.StatusDelivered, Run: "run-1-0"}}, f.items(e.ID))
	require.NoError(t, f.EraseEvent(t.Context(), id))
	require.NoError(t, f.EraseEvent(t.Context(), id), "a second call changes nothing")

	d, err := f.EventDetail(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, ops.Erased(event.EventID), d.EventID)
	require.Equal(t, ops.Erased(event.OrderID), d.OrderID)
	require.JSONEq(t, `{}`, string(d.Payload))
	require.False(t, d.ErasedAt.IsZero())
	require.Equal(t, []any{relay.StatusDelivered, "purchase_completed", "bosley", 1}, []any{d.Status, d.Type, d.StorefrontCode, len(d.Attempts)})
	a := d.Attempts[0]
	require.Equal(t, []any{"", "", "", 0, 200, relay.Accepted}, []any{a.Body, a.BodySHA256, a.Result.TraceID, len(a.Result.Fields), a.Result.Status, a.Result.Outcome})
	require.Zero(t, f.count("SELECT COUNT(*) FROM event_replays WHERE filter LIKE ?", "%"+event.OrderID+"%"))
	require.Zero(t, f.count("SELECT COUNT(*) FROM admin_audit WHERE CONCAT_WS(' ', name, changes) LIKE ?", "%"+event.OrderID+"%"))

	e, err = f.EndErasure(t.Context(), e.ID)
	require.NoError(t, err)
	require.Equal(t, ops.ErasureRunning, e.State, "its items are open")
	require.NoError(t, f.CloseItems(t.Context(), e.ID, []int64{id}))
	e, err = f.EndErasure(t.Context(), e.ID)
	require.NoError(t, err)
	require.Equal(t, ops.ErasureDone, e.State)
	require.Equal(t, int64(1), e.Erased)
	require.False(t, e.Subject.IsSet(), "its subject was deleted")
	require.Equal(t, 1, f.count("SELECT COUNT(*) FROM event_erasures WHERE subject IS NULL"))
	for _, kept := range []int64{other, direct} {
		require.Zero(t, f.count("SELECT COUNT(*) FROM marketing_events WHERE id = ? AND erased_at IS NOT NULL", kept))
	}

	again := f.look(f.erasure(ops.EraseOrder, event.OrderID, 0).ID, 10)
	require.Equal(t, int64(1), again.Matched, "a second request finds it erased")
}

func TestAnOpenEventIsNotErased(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	for n, take := range []bool{false, true} {
		id := f.insert([]relay.NewEvent{newEvent(n, bosley, "bosley")})[0].ID
		if take {
			f.taken(id, "run")
		}
		require.NoError(t, f.EraseEvent(t.Context(), id))
		require.Equal(t, 1, f.count("SELECT COUNT(*) FROM marketing_events WHERE id = ? AND erased_at IS NULL AND event_payload <> '{}'", id))
	}
}

func TestAnErasedEventThatArrivesAgainIsADuplicate(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley, pfizer := f.storefront("bosley"), f.storefront("pfizer")
	events := newEvents(0, 3, bosley, "bosley")
	stored := f.insert(events)
	f.delivered(stored[1].ID)
	require.NoError(t, f.EraseEvent(t.Context(), stored[1].ID))

	again := f.insert(append(newEvents(3, 5, bosley, "bosley"), events[1]))
	require.Equal(t, []relay.Verdict{relay.Inserted, relay.Inserted, relay.Duplicate}, []relay.Verdict{again[0].Verdict, again[1].Verdict, again[2].Verdict})
	require.Equal(t, relay.InsertResult{ID: stored[1].ID, Verdict: relay.Duplicate, Status: relay.StatusDelivered}, again[2])
	again = f.insert(events) // with others that are there
	for n := range events {
		require.Equal(t, relay.Duplicate, again[n].Verdict)
		require.Equal(t, stored[n].ID, again[n].ID)
	}
	changed := events[1]
	changed.Payload = []byte(`{"another": "payload"}`)
	require.Equal(t, relay.Duplicate, f.insert([]relay.NewEvent{changed})[0].Verdict, "its payload is no longer stored")
	changed.StorefrontID, changed.StorefrontCode = pfizer, "pfizer"
	require.Equal(t, relay.Conflict, f.insert([]relay.NewEvent{changed})[0].Verdict)
	changed = events[1]
	changed.Type = "rx_issued"
	require.Equal(t, relay.Inserted, f.insert([]relay.NewEvent{changed})[0].Verdict, "another event of the order")
}

func TestADirectRowOfAnErasedEventFailsAndIsErasedToo(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	first := f.direct("o-1", bosley)
	f.taken(first, "run")
	require.NoError(t, f.Finish(t.Context(), first, "run", relay.EventOutcome{Status: relay.StatusDelivered}))
	require.NoError(t, f.EraseEvent(t.Context(), first))
	for range 2 { // its unique key is free, so OMS may insert it again and again
		again, fresh := f.direct("o-1", bosley), f.direct(fmt.Sprint("o-", time.Now().UnixNano()), bosley)
		require.Equal(t, []int64{fresh}, ids(f.claim(aPage)))
		status, reason := f.status(again)
		require.Equal(t, []any{relay.StatusFailed, relay.ReasonErased}, []any{status, reason})
		require.Equal(t, "{}", f.text("SELECT event_payload FROM marketing_events WHERE id = ?", again))
		require.Equal(t, fmt.Sprintf("%s:%d", ops.Erased("o-1"), again), f.text("SELECT event_id FROM marketing_events WHERE id = ?", again))
		r, err := f.RetryEvent(t.Context(), again)
		require.NoError(t, err)
		require.Equal(t, []any{false, true}, []any{r.Retried, r.Erased})
	}
	require.Zero(t, f.count("SELECT COUNT(*) FROM marketing_events WHERE event_id = 'o-1'"))
}

// Batches with an event and its erasure run repeatedly: in either order there is never a second row of it.
func TestAnErasureAndASecondArrivalAtOnceMakeNoSecondRow(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	for n := range 30 {
		event := newEvent(n, bosley, "bosley")
		id := f.insert([]relay.NewEvent{event})[0].ID
		f.delivered(id)
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				stored, err := f.InsertEvents(t.Context(), []relay.NewEvent{event}, time.Second)
				if err == nil && stored[0].Verdict != relay.Duplicate {
					err = fmt.Errorf("verdict %d", stored[0].Verdict)
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Go(func() {
			if err := f.EraseEvent(t.Context(), id); err != nil {
				t.Error(err)
			}
		})
		wg.Wait()
		require.Equal(t, n+1, f.count("SELECT COUNT(*) FROM marketing_events"))
	}
}

func TestAnErasureContinuesAfterAKeyRotation(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	e := f.erasure(ops.EraseOrder, "o-1", 0)
	rotate(t, f.with(secondKey+","+testKey))
	later, err := f.with(secondKey).Erasure(t.Context(), e.ID)
	require.NoError(t, err)
	require.Equal(t, "o-1", later.Subject.Reveal())
	_, err = f.SearchErasure(t.Context(), e.ID, 10)
	require.ErrorIs(t, err, relay.ErrUnreadable, "and waits without its key")
}

func TestReplaysAndRetriesSkipErasedEvents(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	stored := f.insert(newEvents(0, 3, bosley, "bosley"))
	for _, s := range stored {
		f.ended(s.ID, relay.StatusFailed, relay.ReasonExhausted, exhaustedAtSGTM)
	}
	require.NoError(t, f.EraseEvent(t.Context(), stored[1].ID))
	r := f.replay(ops.Replay{Filter: ops.Filter{Statuses: []relay.Status{relay.StatusFailed}}})
	n, err := f.CountEvents(t.Context(), r.Pick())
	require.NoError(t, err)
	require.Equal(t, int64(2), n)
	step, err := f.StepReplay(t.Context(), r.ID, 10)
	require.NoError(t, err)
	require.Equal(t, 2, step.Started)
	result, err := f.RetryEvent(t.Context(), stored[1].ID)
	require.NoError(t, err)
	require.Equal(t, ops.RetryResult{Status: relay.StatusFailed, Erased: true}, result)
	ok, err := f.Take(t.Context(), stored[1].ID, "run")
	require.NoError(t, err)
	require.False(t, ok, "no reset takes it")
}

func TestSearchForErasedTwinsIsOneStepIfNoneWasErased(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	f.insert(newEvents(0, 2000, bosley, "bosley"))
	f.exec("ANALYZE TABLE marketing_events")
	for _, line := range f.explain(db.Query{SQL: db.AnyErasedSQL}) {
		if line["table"] == "marketing_events" {
			require.Equal(t, "uq_marketing_events_event", line["key"], line)
			require.Equal(t, "range", line["type"], line)
		}
	}
}
