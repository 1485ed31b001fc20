package db_test

import (
	"crypto/sha256"
	"database/sql"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/db"
	"relay/internal/relay"
)

// holdsIt requires that every result names the row of its own event.
func (f *fixture) holdsIt(events []relay.NewEvent, stored []relay.InsertResult) {
	f.t.Helper()
	rows := map[int64][2]string{}
	r, err := f.raw.QueryContext(f.t.Context(), "SELECT id, event_id, event_type FROM marketing_events")
	require.NoError(f.t, err)
	defer func() { require.NoError(f.t, r.Close()) }()
	for r.Next() {
		var id int64
		var event, kind string
		require.NoError(f.t, r.Scan(&id, &event, &kind))
		rows[id] = [2]string{event, kind}
	}
	require.NoError(f.t, r.Err())
	for i, e := range events {
		require.Equal(f.t, [2]string{e.EventID, e.Type}, rows[stored[i].ID], "event %d", i)
	}
}

func verdicts(stored []relay.InsertResult) []relay.Verdict {
	var v []relay.Verdict
	for _, s := range stored {
		v = append(v, s.Verdict)
	}
	return v
}

func TestInsertReturnsTheRowOfEachEvent(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	// 2,500 events in any order, every tenth stored already, every seventh twice.
	f.insert(newEvents(0, 250, bosley, "bosley"))
	events := newEvents(225, 2500, bosley, "bosley")
	for n := 225; n < 2500; n += 7 {
		events = append(events, newEvent(n, bosley, "bosley"))
	}
	rand.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
	stored := f.insert(events)
	f.holdsIt(events, stored)
	inserted := 0
	for _, s := range stored {
		require.NotEqual(t, relay.Conflict, s.Verdict)
		require.Equal(t, relay.StatusPending, s.Status)
		if s.Verdict == relay.Inserted {
			inserted++
		}
	}
	require.Equal(t, 2250, inserted)
	require.Equal(t, 2500, f.count("SELECT COUNT(*) FROM marketing_events"))

	again := f.insert(events)
	for i, s := range again {
		require.Equal(t, relay.InsertResult{ID: stored[i].ID, Verdict: relay.Duplicate, Status: relay.StatusPending}, s)
	}
}

func TestInsertReadsItsIDsInEveryAutoIncrementMode(t *testing.T) {
	t.Parallel()
	t.Run("in steps of seven, as in a cluster", func(t *testing.T) {
		t.Parallel()
		f := migrated(t)
		bosley := f.storefront("bosley")
		store, err := db.Open(db.Config{URL: f.dsn + "?auto_increment_increment=7&auto_increment_offset=3"})
		require.NoError(t, err)
		defer func() { require.NoError(t, store.Close()) }()
		f.insert(newEvents(0, 5, bosley, "bosley"))
		events := newEvents(0, 2300, bosley, "bosley")
		stored, err := store.InsertEvents(t.Context(), events, time.Second)
		require.NoError(t, err)
		f.holdsIt(events, stored)
		require.EqualValues(t, 7, stored[100].ID-stored[99].ID)
	})
	t.Run("by a trigger, in descending order", func(t *testing.T) {
		t.Parallel()
		f := migrated(t)
		bosley := f.storefront("bosley")
		f.exec(`CREATE TRIGGER backwards BEFORE INSERT ON marketing_events FOR EACH ROW
			SET NEW.id = 5000000 - CAST(SUBSTRING(NEW.event_id, 9) AS UNSIGNED)`)
		events := newEvents(0, 1500, bosley, "bosley")
		stored := f.insert(events)
		f.holdsIt(events, stored)
		for _, s := range stored {
			require.Equal(t, relay.Inserted, s.Verdict)
		}
	})
}

func TestInsertKeepsEveryByteOfAPayload(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	for _, payload := range []string{
		`{"a": 80.79, "b": 1e3, "c": 12345678901234567890,   "d": "\u0000 \\ ' \" ? :x {{.}} ` + "\x00\x1a\t\r\n 😀" + `"}`,
		`{"x": "` + strings.Repeat("é'", 20000) + `"}`,
	} {
		e := newEvent(len(payload), bosley, "bosley")
		e.Payload, e.Digest = []byte(payload), sha256.Sum256([]byte(payload))
		stored := f.insert([]relay.NewEvent{e})
		require.Equal(t, payload, f.text("SELECT event_payload FROM marketing_events WHERE id = ?", stored[0].ID))
		require.Equal(t, relay.Duplicate, f.insert([]relay.NewEvent{e})[0].Verdict)
	}
	bad := newEvent(1, bosley, "bosley")
	bad.Payload = []byte("{\"a\": \"order-\xff-4711\"}")
	_, err := f.InsertEvents(t.Context(), []relay.NewEvent{bad}, time.Second)
	require.Error(t, err)
	require.NotErrorIs(t, err, relay.ErrUnavailable)
	require.NotContains(t, err.Error(), "4711")
}

func TestInsertWritesTheContractsColumns(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	leased, idle := newEvent(1, bosley, "bosley"), newEvent(2, bosley, "bosley")
	leased.Leased, idle.OrderID = true, "order"
	stored := f.insert([]relay.NewEvent{idle, leased})

	row := `SELECT CONCAT_WS('|', event_id, storefront_id, storefront_code, event_type, source_system, status, order_id, generation,
		claimed_until > UTC_TIMESTAMP(6) + INTERVAL 25 SECOND, claimed_until < UTC_TIMESTAMP(6) + INTERVAL 31 SECOND, reason IS NULL, finished_at IS NULL)
		FROM marketing_events WHERE id = ?`
	require.Equal(t, "2025020100000002|1|bosley|purchase_completed|oms|pending|order|0|0|1|1|1", f.text(row, stored[0].ID))
	require.Equal(t, "2025020100000001|1|bosley|purchase_completed|oms|pending|2025020100000001|0|1|1|1|1", f.text(row, stored[1].ID))
	require.Equal(t, []int64{stored[0].ID}, ids(f.claim(aPage)), "a leased row is not claimed")
}

func TestAStoredEventWithOtherContentIsAConflict(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley, pfizer := f.storefront("bosley"), f.storefront("pfizer")
	first := newEvent(1, bosley, "bosley")
	elsewhere, changed, otherType := first, first, first
	elsewhere.StorefrontID, elsewhere.StorefrontCode = pfizer, "pfizer"
	changed.Digest = sha256.Sum256([]byte("changed"))
	otherType.Type = "rx_issued"

	all := []relay.NewEvent{first, elsewhere, changed, first, otherType}
	stored := f.insert(all)
	want := []relay.Verdict{relay.Inserted, relay.Conflict, relay.Conflict, relay.Duplicate, relay.Inserted}
	require.Equal(t, want, verdicts(stored))
	f.holdsIt(all, stored)

	f.exec("UPDATE marketing_events SET status = 'delivered' WHERE id = ?", stored[0].ID)
	// A conflict does not make its twin in the batch one.
	later := f.insert([]relay.NewEvent{changed, first, elsewhere})
	require.Equal(t, []relay.Verdict{relay.Conflict, relay.Duplicate, relay.Conflict}, verdicts(later))
	for _, s := range later {
		require.Equal(t, relay.StatusDelivered, s.Status)
		require.Equal(t, stored[0].ID, s.ID)
	}
	require.Equal(t, []bool{false, false, true}, []bool{later[0].Foreign, later[1].Foreign, later[2].Foreign}, "of another storefront")

	f.exec(`INSERT INTO marketing_events (event_id, storefront_code, event_type, event_payload, source_system, status)
		VALUES ('by code', 'bosley', 'purchase_completed', '{}', 'oms_direct', 'pending')`)
	byCode := first
	byCode.EventID, byCode.StorefrontID, byCode.StorefrontCode = "by code", pfizer, "pfizer"
	require.Equal(t, []bool{true}, []bool{f.insert([]relay.NewEvent{byCode})[0].Foreign}, "a row that names its storefront by code")
}

func TestDirectRowAndAPIEventAreTheSameEvent(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	e := newEvent(1, bosley, "bosley")
	insert := `INSERT INTO marketing_events (event_id, storefront_id, storefront_code, event_type, event_payload, source_system, status)
		VALUES (?, ?, ?, ?, ?, 'oms_direct', 'pending')`
	byID := f.exec(insert, e.EventID, bosley, nil, e.Type, e.Payload)
	byCode := f.exec(insert, "by code ", nil, "bosley", e.Type, e.Payload)
	other := e
	other.EventID = "by code"
	changed := e
	changed.Payload = []byte("{}")
	changed.Digest = sha256.Sum256(changed.Payload)

	stored := f.insert([]relay.NewEvent{e, other, changed})
	require.Equal(t, []relay.InsertResult{
		{ID: byID, Verdict: relay.Duplicate, Status: relay.StatusPending},
		{ID: byCode, Verdict: relay.Duplicate, Status: relay.StatusPending},
		{ID: byID, Verdict: relay.Conflict, Status: relay.StatusPending},
	}, stored)
}

func TestBatchesWithTheSameEventsRaceToOneRowEach(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	const writers, events = 4, 1500
	results := make([][]relay.InsertResult, writers)
	batches := make([][]relay.NewEvent, writers)
	var wg sync.WaitGroup
	for w := range writers {
		batches[w] = newEvents(w*100, w*100+events, bosley, "bosley") // overlapping, each in its own order
		rand.Shuffle(events, func(i, j int) { batches[w][i], batches[w][j] = batches[w][j], batches[w][i] })
		wg.Go(func() {
			stored, err := f.InsertEvents(t.Context(), batches[w], time.Second)
			if err == nil {
				results[w] = stored
			}
		})
	}
	wg.Wait()
	inserted := 0
	for w := range writers {
		require.Len(t, results[w], events, "writer %d failed", w)
		f.holdsIt(batches[w], results[w])
		for _, s := range results[w] {
			require.NotEqual(t, relay.Conflict, s.Verdict)
			if s.Verdict == relay.Inserted {
				inserted++
			}
		}
	}
	require.Equal(t, events+100*(writers-1), inserted)
	require.Equal(t, inserted, f.count("SELECT COUNT(*) FROM marketing_events"))
}

func TestBatchWaitsForAConcurrentWriterAndThenSeesItsRows(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	e := newEvent(1, bosley, "bosley")
	tx, err := f.raw.BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	require.NoError(t, err)
	res, err := tx.ExecContext(t.Context(), `INSERT INTO marketing_events (event_id, storefront_id, event_type, event_payload, source_system, status)
		VALUES (?, ?, ?, ?, 'oms_direct', 'pending')`, e.EventID, bosley, e.Type, e.Payload)
	require.NoError(t, err)
	direct, err := res.LastInsertId()
	require.NoError(t, err)

	result := make(chan []relay.InsertResult, 1)
	go func() {
		stored, _ := f.InsertEvents(t.Context(), []relay.NewEvent{newEvent(0, bosley, "bosley"), e}, time.Second)
		result <- stored
	}()
	f.waitForInsert()
	require.NoError(t, tx.Commit())
	stored := <-result
	require.Equal(t, []relay.Verdict{relay.Inserted, relay.Duplicate}, verdicts(stored))
	require.Equal(t, direct, stored[1].ID)
}

// waitForInsert waits until an INSERT of the relay's is running, so that its lookup is over. InnoDB's list of waiting
// transactions is no help: it is cached as long as it is queried.
func (f *fixture) waitForInsert() {
	f.t.Helper()
	require.Eventually(f.t, func() bool {
		return f.count(`SELECT COUNT(*) FROM information_schema.processlist
			WHERE db = DATABASE() AND info LIKE 'INSERT INTO marketing_events%'`) > 0
	}, time.Minute, 5*time.Millisecond)
}
