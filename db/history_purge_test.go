package db_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/internal/ops"
	"relay/internal/relay"
)

const (
	aDay    = 24 * time.Hour
	ninety  = 90 * aDay
	howLong = 100 // days that an old event lies in the past
)

// aged inserts an event that was received so many days ago, and ended then, with two attempts.
func (f *fixture) aged(name string, storefront int64, days int, status relay.Status, reason relay.Reason, ends ...relay.DeliveryResult) int64 {
	f.t.Helper()
	id := f.direct(name, storefront)
	f.ended(id, status, reason, ends...)
	f.exec("UPDATE marketing_events SET created_at = UTC_TIMESTAMP(6) - INTERVAL ? DAY, finished_at = UTC_TIMESTAMP(6) - INTERVAL ? DAY WHERE id = ?", days, days, id)
	for n := range 2 {
		f.exec("INSERT INTO event_attempts (attempt_id, marketing_event_id, destination, outcome, request_body) VALUES (?, ?, 'sgtm', 'retry', '{}')",
			fmt.Sprintf("%s-%d", name, n), id)
	}
	return id
}

// purge purges events to the end, in batches of n.
func (f *fixture) purge(age time.Duration, n int) ops.Purged {
	f.t.Helper()
	var all ops.Purged
	var mark ops.PurgeCursor
	for {
		batch, err := f.PurgeEvents(f.t.Context(), age, mark, n)
		require.NoError(f.t, err)
		all, mark = all.Plus(batch.Purged), batch.Next
		if batch.Done {
			return all
		}
	}
}

// statsOfAYear returns all statistics of a storefront over a year.
func (f *fixture) statsOfAYear(storefront int64) ops.Stats {
	f.t.Helper()
	r, err := f.Stats(f.t.Context(), storefront, time.Now().Add(-365*aDay), time.Now().Add(time.Hour))
	require.NoError(f.t, err)
	return r.Storefronts[0]
}

// rollUpAll counts every hour since the first event.
func (f *fixture) rollUpAll() {
	f.t.Helper()
	for n := 500; n >= 500; {
		var err error
		n, err = f.RollUp(f.t.Context(), time.Minute)
		require.NoError(f.t, err)
	}
}

func TestOnlyEndedAndOldEventsArePurged(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	accepted := relay.DeliveryResult{Destination: relay.SGTM, Outcome: relay.Accepted}
	for n := range 5 {
		f.aged(fmt.Sprintf("delivered-%d", n), bosley, howLong, relay.StatusDelivered, "", accepted)
	}
	f.aged("failed", bosley, 91, relay.StatusFailed, relay.ReasonExhausted, exhaustedAtSGTM)
	f.aged("skipped", bosley, 92, relay.StatusSkipped, relay.ReasonNotMapped, notMappedAtMeta)
	kept := map[string]int64{
		"young":            f.aged("young", bosley, 89, relay.StatusDelivered, "", accepted),
		"retried recently": f.aged("late", bosley, howLong, relay.StatusDelivered, "", accepted),
		"pending":          f.aged("pending", bosley, howLong, relay.StatusDelivered, "", accepted),
		"processing":       f.aged("processing", bosley, howLong, relay.StatusDelivered, "", accepted),
	}
	f.exec("UPDATE marketing_events SET finished_at = UTC_TIMESTAMP(6) - INTERVAL 1 DAY WHERE event_id = 'late'")
	f.exec("UPDATE marketing_events SET status = event_id, finished_at = NULL WHERE event_id IN ('pending', 'processing')")

	require.Zero(t, f.purge(ninety, 2), "events that are not counted yet are not deleted")
	f.rollUpAll()
	before := f.statsOfAYear(bosley)
	require.Equal(t, int64(11), before.Received)
	require.Equal(t, ops.Purged{Events: 7, Attempts: 14}, f.purge(ninety, 2))
	require.Equal(t, len(kept), f.count("SELECT COUNT(*) FROM marketing_events"))
	require.Equal(t, 2*len(kept), f.count("SELECT COUNT(*) FROM event_attempts"))
	for name, id := range kept {
		require.Equal(t, 1, f.count("SELECT COUNT(*) FROM marketing_events WHERE id = ?", id), name)
	}
	require.Equal(t, before, f.statsOfAYear(bosley))
	require.Zero(t, f.purge(ninety, 2))

	const again = "UPDATE event_stats_hours SET unsettled = 1, counted_at = '2000-01-01' WHERE hour IN (SELECT hour FROM event_stats_purged)"
	t.Run("statistics stay when their hours are counted again", func(t *testing.T) {
		f.exec(again)
		f.rollUp()
		require.Zero(t, f.count("SELECT COUNT(*) FROM event_stats_hours WHERE counted_at = '2000-01-01'"))
		require.Equal(t, before, f.statsOfAYear(bosley))
		f.exec("UPDATE marketing_events SET status = 'delivered', ends = '[]', finished_at = '2020-01-01' WHERE status IN ('pending', 'processing')")
		f.exec(again)
		require.Equal(t, ops.Purged{Events: 2, Attempts: 4}, f.purge(ninety, 200))
		f.rollUp()
		after := f.statsOfAYear(bosley)
		require.Equal(t, int64(11), after.Received)
		require.Zero(t, after.Open)
		require.Equal(t, before.Delivered+2, after.Delivered)
		require.Equal(t, before.Destinations, after.Destinations)
	})

	t.Run("a resend after the purge is a new event", func(t *testing.T) {
		again := f.direct("failed", bosley)
		require.Equal(t, []int64{again}, ids(f.claim(aPage)))
	})
}

func TestALockedOldEventIsLeftForTheNextRound(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	held := f.aged("held", bosley, howLong, relay.StatusFailed, relay.ReasonExhausted)
	f.aged("free", bosley, howLong, relay.StatusFailed, relay.ReasonExhausted)
	f.rollUpAll()
	tx, err := f.raw.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	_, err = tx.ExecContext(t.Context(), "UPDATE marketing_events SET status = 'pending' WHERE id = ?", held)
	require.NoError(t, err)
	batch, err := f.PurgeEvents(shortly(t), ninety, ops.PurgeCursor{Status: relay.StatusFailed}, 10)
	require.NoError(t, err)
	require.Equal(t, int64(1), batch.Events)
	require.NoError(t, tx.Commit())
	require.Zero(t, f.purge(ninety, 10), "it was retried")
	require.Equal(t, 1, f.count("SELECT COUNT(*) FROM marketing_events WHERE id = ? AND status = 'pending'", held))
}

// TestAForeignKeyOfTheEarlierServiceIsReportedAndStopsPurging uses attempts that the relay does not know: they refer to
// their event in a column of their own.
func TestAForeignKeyOfTheEarlierServiceIsReportedAndStopsPurging(t *testing.T) {
	t.Parallel()
	f := empty(t)
	f.exec(earlier[2][:strings.Index(earlier[2], ",\n\t\tCONSTRAINT")] + ")")
	f.exec("CREATE TABLE event_attempts (id INT PRIMARY KEY AUTO_INCREMENT, event_id INT, CONSTRAINT fk_attempts FOREIGN KEY (event_id) REFERENCES marketing_events (id))")
	report, err := f.Up(t.Context())
	require.NoError(t, err)
	require.Contains(t, strings.Join(report.Differences, "\n"), "which keeps retention from deleting events")

	bosley := f.storefront("bosley")
	id := f.aged("old", bosley, howLong, relay.StatusFailed, relay.ReasonExhausted)
	f.exec("INSERT INTO event_attempts (event_id, attempt_id) VALUES (?, 'x')", id)
	f.rollUpAll()
	_, err = f.PurgeEvents(t.Context(), ninety, ops.PurgeCursor{Status: relay.StatusFailed}, 10)
	require.ErrorContains(t, err, "mysql error 1451")
	require.Equal(t, 2, f.count("SELECT COUNT(*) FROM event_attempts WHERE marketing_event_id = ?", id), "all or nothing")
	f.exec("ALTER TABLE event_attempts DROP FOREIGN KEY fk_attempts")
	require.Equal(t, ops.Purged{Events: 1, Attempts: 2}, f.purge(ninety, 10))
	require.Equal(t, int64(1), f.statsOfAYear(bosley).Received)
}

// TestPurgingBlocksNoOtherWriter purges batches, stores events and counts hours concurrently.
func TestPurgingBlocksNoOtherWriter(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	f.many(bosley, 4096)
	f.exec("UPDATE marketing_events SET created_at = created_at - INTERVAL 100 DAY, finished_at = finished_at - INTERVAL 100 DAY")
	f.rollUpAll()
	before := f.statsOfAYear(bosley)
	require.Equal(t, int64(4096), before.Delivered)

	stop, done := make(chan struct{}), make(chan error, 1)
	go func() {
		var err error
		for n := 0; err == nil; n += 10 {
			select {
			case <-stop:
				done <- nil
				return
			default:
			}
			if _, err = f.InsertEvents(t.Context(), newEvents(n, n+10, bosley, "bosley"), time.Minute); err == nil && n%50 == 0 {
				f.exec("UPDATE event_stats_hours SET unsettled = 1, counted_at = '2000-01-01' ORDER BY hour LIMIT 20")
				_, err = f.RollUp(t.Context(), time.Minute)
			}
		}
		done <- err
	}()
	require.Equal(t, ops.Purged{Events: 4096}, f.purge(ninety, 50))
	close(stop)
	require.NoError(t, <-done)
	for f.count("SELECT COUNT(*) FROM event_stats_hours WHERE unsettled = 1 AND hour < UTC_TIMESTAMP() - INTERVAL 95 DAY") > 0 {
		f.rollUp()
	}
	require.Equal(t, before.Delivered, f.statsOfAYear(bosley).Delivered)
	require.Positive(t, f.count("SELECT COUNT(*) FROM marketing_events"))
}

// TestAPurgeBatchCostsTheSameInATableOfAnySize runs alone: it counts the reads of the whole server.
func TestAPurgeBatchCostsTheSameInATableOfAnySize(t *testing.T) {
	f := migrated(t)
	bosley := f.storefront("bosley")
	f.many(bosley, 20_000)
	for n := range 20 {
		f.aged(fmt.Sprintf("old-%d", n), bosley, howLong, relay.StatusDelivered, "")
		f.direct(fmt.Sprintf("open-%d", n), bosley)
	}
	f.exec("UPDATE marketing_events SET created_at = UTC_TIMESTAMP(6) - INTERVAL 99 DAY WHERE status = 'pending'")
	f.rollUpAll()
	f.exec("ANALYZE TABLE marketing_events, event_attempts")
	var batch ops.PurgeBatch
	var err error
	reads := f.readsOf(func() { batch, err = f.PurgeEvents(t.Context(), ninety, ops.PurgeCursor{}, 100) })
	require.NoError(t, err)
	require.Equal(t, ops.Purged{Events: 20, Attempts: 40}, batch.Purged)
	require.LessOrEqual(t, reads, 500)
	reads = f.readsOf(func() { f.purge(ninety, 100) })
	require.LessOrEqual(t, reads, 100, "a round that finds nothing")
}

func TestTheAuditIsKeptForItsOwnTime(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	const day = 2192
	for _, age := range []int{day + 20, day + 10, day + 1, day - 1, 0} {
		require.NoError(t, f.RecordAudit(t.Context(), ops.AuditEntry{By: fmt.Sprint(age), Action: "reveal", Entity: "events"}))
		f.exec("UPDATE admin_audit SET at = UTC_TIMESTAMP(6) - INTERVAL ? DAY WHERE actor = ?", age, fmt.Sprint(age))
	}
	var took []int64
	for range 3 {
		n, err := f.PurgeAudit(t.Context(), day*aDay, 2)
		require.NoError(t, err)
		took = append(took, n)
	}
	require.Equal(t, []int64{2, 1, 0}, took)
	require.Equal(t, 2, f.count("SELECT COUNT(*) FROM admin_audit"))
}

func TestEndedReplaysAndErasuresArePurged(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	for range 3 {
		f.replay(ops.Replay{Filter: ops.Filter{OrderID: "o-1"}})
		f.erasure(ops.EraseOrder, "o-1", 0)
	}
	for table, purge := range map[string]func(context.Context, time.Duration, int) (int64, error){"event_replays": f.PurgeReplays, "event_erasures": f.PurgeErasures} {
		f.exec("UPDATE " + table + " SET created_at = '2020-01-01'")
		f.exec("UPDATE " + table + " SET ended_at = UTC_TIMESTAMP(6) - INTERVAL 91 DAY WHERE id = 1")
		f.exec("UPDATE " + table + " SET ended_at = UTC_TIMESTAMP(6) - INTERVAL 89 DAY WHERE id = 2")
		n, err := purge(t.Context(), 90*aDay, 10)
		require.NoError(t, err)
		require.Equal(t, int64(1), n)
		require.Equal(t, "2,3", f.text("SELECT GROUP_CONCAT(id ORDER BY id) FROM "+table), "open events stay at any age")
	}
}
