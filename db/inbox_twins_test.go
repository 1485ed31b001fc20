package db_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"relay/db"
	"relay/internal/relay"
)

// row inserts a row as OMS does, with a type and payload of its own.
func (f *fixture) row(eventID, kind, payload string) int64 {
	f.t.Helper()
	return f.exec(`INSERT INTO marketing_events (event_id, storefront_code, event_type, event_payload, source_system, status)
		VALUES (?, 'bosley', ?, ?, 'oms_direct', 'pending')`, eventID, kind, payload)
}

func (f *fixture) detail(id int64) string {
	return f.text("SELECT CONCAT_WS(': ', status, reason, detail) FROM marketing_events WHERE id = ?", id)
}

func (f *fixture) retry(id int64) {
	f.exec("UPDATE marketing_events SET status = 'pending', reason = NULL, claimed_until = UTC_TIMESTAMP(6) WHERE id = ?", id)
}

func TestClaimedRowHasTheNameThatTheAPIWouldHaveStored(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	f.storefront("bosley")
	var want []int64
	for n, kind := range []string{"purchase_completed ", " Purchase_Completed", "\tPURCHASE_COMPLETED\r\n", "\u00a0purchase_completed\u3000", "purchase_completed"} {
		want = append(want, f.row(fmt.Sprint(n), kind, "{}"))
	}
	spaced := f.row(" 9\n", "Rx_Issued ", "{}")
	starts := f.claim(aPage)
	require.ElementsMatch(t, append(want, spaced), ids(starts))
	for _, s := range starts {
		f.taken(s.ID, "run")
		d, err := f.Delivery(t.Context(), s.ID, "run", relay.SGTM)
		require.NoError(t, err)
		stored := f.text("SELECT CONCAT('[', event_id, ']', event_type, '.') FROM marketing_events WHERE id = ?", s.ID)
		require.Equal(t, fmt.Sprintf("[%s]%s.", d.Event.EventID, d.Event.Type), stored)
		if s.ID == spaced {
			require.Equal(t, relay.PendingDelivery{ID: spaced, EventID: "9", Type: "rx_issued", StorefrontCode: "bosley", Source: relay.SourceDirect}, s)
			require.Equal(t, "[9]rx_issued.", stored)
			continue
		}
		require.Equal(t, "purchase_completed", s.Type)
		require.Equal(t, relay.Event{EventID: s.EventID, Type: "purchase_completed", Storefront: d.Event.Storefront}.DedupID(), d.Event.DedupID())
	}
}

func TestRowsThatDifferInTheCaseOfTheTypeAreOneEvent(t *testing.T) {
	t.Parallel()
	dup := func(id int64) string { return fmt.Sprintf("failed: duplicate_event: row %d holds this event", id) }
	t.Run("in one page the first is delivered", func(t *testing.T) {
		t.Parallel()
		f := migrated(t)
		f.storefront("bosley")
		a, b, c := f.row("1", "Purchase_Completed", "{}"), f.row("1", "PURCHASE_COMPLETED", "{}"), f.row(" 1", " purchase_completed", "{}")
		other := f.row("1", "rx_issued", "{}")
		require.ElementsMatch(t, []int64{a, other}, ids(f.claim(aPage)))
		require.Equal(t, dup(a), f.detail(b))
		require.Equal(t, dup(a), f.detail(c))
		require.Empty(t, f.claim(aPage))
		f.retry(b)
		require.Empty(t, f.claim(aPage))
		require.Equal(t, dup(a), f.detail(b), "also when it is retried")
	})
	t.Run("the row with the plain name is delivered", func(t *testing.T) {
		t.Parallel()
		f := migrated(t)
		f.storefront("bosley")
		odd, plain := f.row("1", "Purchase_Completed", "{}"), f.row("1", "purchase_completed", "{}")
		require.Equal(t, []int64{plain}, ids(f.claim(aPage)))
		require.Equal(t, dup(plain), f.detail(odd))
	})
	t.Run("after the first was delivered", func(t *testing.T) {
		t.Parallel()
		f := migrated(t)
		bosley := f.storefront("bosley")
		a := f.row("1", "Purchase_Completed", `{"v":1}`)
		require.Equal(t, []int64{a}, ids(f.claim(aPage)))
		f.taken(a, "run")
		require.NoError(t, f.Finish(t.Context(), a, "run", relay.EventOutcome{Status: relay.StatusDelivered}))
		b := f.row("1", "Purchase_Completed", `{"v":1}`)
		require.Empty(t, f.claim(aPage))
		require.Equal(t, dup(a), f.detail(b))
		e := newEvent(1, bosley, "bosley")
		e.EventID = "1"
		stored := f.insert([]relay.NewEvent{e})
		require.Equal(t, relay.InsertResult{ID: a, Verdict: relay.Conflict, Status: relay.StatusDelivered}, stored[0], "the API meets it too")
	})
	t.Run("with an event of the API", func(t *testing.T) {
		t.Parallel()
		f := migrated(t)
		bosley := f.storefront("bosley")
		odd := f.row("20250201"+fmt.Sprintf("%08d", 1), "PURCHASE_completed ", "{}")
		e := newEvent(1, bosley, "bosley")
		e.Leased = true
		stored := f.insert([]relay.NewEvent{e})
		require.Equal(t, relay.Inserted, stored[0].Verdict)
		require.Empty(t, f.claim(aPage))
		require.Equal(t, dup(stored[0].ID), f.detail(odd))
	})
	t.Run("with one that an earlier version delivers under its unusual name", func(t *testing.T) {
		t.Parallel()
		f := migrated(t)
		f.storefront("bosley")
		old := f.row("1", "Purchase_Completed", "{}")
		f.exec("UPDATE marketing_events SET status = 'processing', run_id = 'run' WHERE id = ?", old)
		plain, odd := f.row("1", "purchase_completed", "{}"), f.row("1", "PURCHASE_COMPLETED", "{}")
		require.Empty(t, f.claim(aPage))
		require.Equal(t, dup(old), f.detail(plain))
		require.Contains(t, []string{dup(old), dup(plain)}, f.detail(odd))
	})
	t.Run("an undeliverable one does not count", func(t *testing.T) {
		t.Parallel()
		f := migrated(t)
		f.storefront("bosley")
		f.row("1", "Purchase_Completed", "{")
		b := f.row("1", "PURCHASE_COMPLETED", "{}")
		require.Equal(t, []int64{b}, ids(f.claim(aPage)))
	})
	t.Run("an undeliverable one with the plain name does not count", func(t *testing.T) {
		t.Parallel()
		f := migrated(t)
		f.storefront("bosley")
		f.row("1", "purchase_completed", "{")
		b := f.row(" 1", "PURCHASE_COMPLETED", "{}")
		require.Equal(t, []int64{b}, ids(f.claim(aPage)))
		f.taken(b, "run")
		d, err := f.Delivery(t.Context(), b, "run", relay.SGTM)
		require.NoError(t, err)
		require.Equal(t, []string{"1", "purchase_completed"}, []string{d.Event.EventID, d.Event.Type})
	})
	t.Run("one that failed as a duplicate keeps the plain name, and the one that was delivered before is retried", func(t *testing.T) {
		t.Parallel()
		f := migrated(t)
		f.storefront("bosley")
		old := f.row("1", "Purchase_Completed", "{}")
		f.exec("UPDATE marketing_events SET status = 'delivered' WHERE id = ?", old)
		plain := f.row("1", "purchase_completed", "{}")
		require.Empty(t, f.claim(aPage))
		require.Equal(t, dup(old), f.detail(plain))
		f.retry(old)
		require.Equal(t, []int64{old}, ids(f.claim(aPage)))
	})
	t.Run("one that came in at this moment holds no lease", func(t *testing.T) {
		t.Parallel()
		f := migrated(t)
		f.storefront("bosley")
		plain, odd := f.row("1", "purchase_completed", "{}"), f.row("1", "Purchase_Completed", "{}")
		f.exec("UPDATE marketing_events SET claimed_until = UTC_TIMESTAMP(6) + INTERVAL 500000 MICROSECOND WHERE id = ?", odd)
		require.Equal(t, []int64{plain}, ids(f.claim(aPage)))
	})
	t.Run("ids that differ in case are two events", func(t *testing.T) {
		t.Parallel()
		f := migrated(t)
		f.storefront("bosley")
		a, b := f.row("a1", "Purchase_Completed", "{}"), f.row("A1", "Purchase_Completed", "{}")
		require.Equal(t, []int64{a, b}, ids(f.claim(aPage)))
	})
}

// TestClaimersStartOneOfTwins runs claimers and writers concurrently: in any order, each event is started once. A writer is
// refused where a claimer has already stored its event under the normalised name.
func TestClaimersStartOneOfTwins(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	f.storefront("bosley")
	kinds := []string{"Purchase", "purchase", "PURCHASE ", " purchase"}
	var writers, claimers sync.WaitGroup
	for _, kind := range kinds {
		writers.Go(func() {
			for n := range 40 {
				_, err := f.raw.ExecContext(t.Context(), `INSERT INTO marketing_events (event_id, storefront_code, event_type, event_payload,
					source_system, status) VALUES (?, 'bosley', ?, '{}', 'oms_direct', 'pending')`, n, kind)
				if refused := new(mysql.MySQLError); err != nil && (!errors.As(err, &refused) || refused.Number != 1062) {
					t.Error(err)
				}
			}
		})
	}
	started := make([][]relay.PendingDelivery, 3)
	var written atomic.Bool
	for i := range started {
		claimers.Go(func() {
			// A round may find only rows that another claimer has locked, so the remaining rows decide.
			for last, open := false, 1; !last || open > 0; {
				last = written.Load()
				starts, err := f.Claim(t.Context(), db.ClaimOptions{Page: 7, Lease: time.Hour})
				started[i] = append(started[i], starts...)
				if err == nil || errors.Is(err, relay.ErrConflict) { // new twins came in at each repetition; the next round claims them
					err = f.raw.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM marketing_events
						WHERE status = 'pending' AND claimed_until <= UTC_TIMESTAMP(6)`).Scan(&open)
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	writers.Wait()
	written.Store(true)
	claimers.Wait()
	var events []string
	for _, s := range slices.Concat(started...) {
		events = append(events, s.EventID+s.Type)
	}
	slices.Sort(events)
	require.Len(t, slices.Compact(slices.Clone(events)), 40)
	require.Len(t, events, 40, "none is started twice")
	require.Equal(t, 40, f.count("SELECT COUNT(*) FROM marketing_events WHERE status = 'pending' AND event_type = 'purchase'"))
	require.Zero(t, f.count("SELECT COUNT(*) FROM marketing_events WHERE status = 'failed' AND reason <> 'duplicate_event'"))
}

func TestSearchForTwinsReadsTheUniqueKey(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	f.insert(newEvents(0, 2000, bosley, "bosley"))
	f.exec("ANALYZE TABLE marketing_events")
	for _, line := range f.explain(db.TwinQuery()) {
		require.Equal(t, "uq_marketing_events_event", line["key"], line)
	}
}

func TestDirectRowWithUnreadableTimeOrPayloadFails(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	f.storefront("bosley")
	reasons := map[int64]relay.Reason{}
	for n, payload := range []string{`{"event_time":"2026-11-10T10:25:00+0000"}`, `{"event_time":"yesterday"}`, `{"event_time":true}`, `{"event_time":20261110102500}`,
		`{"event_time":"0000-00-00 00:00:00"}`, `{"event_time":[]}`} {
		reasons[f.row(fmt.Sprint("time", n), "x", payload)] = relay.ReasonInvalidField
	}
	for n, payload := range []string{"\ufeff{}", `{"a":NaN}`, `{"a":` + deep(10_001) + `}`, `{"a":"\ud83d"}`, `{"a":"\udc00\ud83d"}`, `{"\ud83dx":1}`, `{"a":-Infinity}`, "{}x", "\x00{}"} {
		reasons[f.row(fmt.Sprint("payload", n), "x", payload)] = relay.ReasonInvalidPayload
	}
	var good []int64
	for n, payload := range []string{`{"event_time":"2026-11-10 10:25:00"}`, `{"event_time":1794306300}`, `{"event_time":"1794306300000"}`, `{"event_time":null}`, `{"event_time":" "}`,
		`{"a":"\ud83d\ude00 \\ud83d"}`, `{"a":` + deep(9_000) + `}`} {
		good = append(good, f.row(fmt.Sprint("good", n), "x", payload))
	}
	require.ElementsMatch(t, good, ids(f.claim(aPage)))
	for id, want := range reasons {
		status, reason := f.status(id)
		require.Equal(t, relay.StatusFailed, status, f.detail(id))
		require.Equal(t, want, reason, f.text("SELECT event_id FROM marketing_events WHERE id = ?", id))
		if want == relay.ReasonInvalidField {
			require.Contains(t, f.detail(id), "event_time")
		}
	}
}

func deep(n int) string {
	b := make([]byte, 0, 2*n)
	for range n {
		b = append(b, '[')
	}
	for range n {
		b = append(b, ']')
	}
	return string(b)
}
