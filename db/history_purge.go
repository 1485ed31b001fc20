package db

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"time"

	"relay/internal/ops"
	"relay/internal/relay"
)

// purgeOrder is the order in which final statuses are purged, each by a key range that holds only its rows. Rows of other
// statuses, open ones or those of the earlier service, are never read.
var purgeOrder = []relay.Status{relay.StatusDelivered, relay.StatusFailed, relay.StatusSkipped}

// purgeSQL reads the oldest rows of a status after the last batch. It skips rows that another transaction has locked, such
// as a retry.
const purgeSQL = `SELECT e.id, e.created_at, ` + hourOf + `, COALESCE(e.storefront_id, 0), COALESCE(e.reason, ''),
	LEFT(COALESCE(e.ends, ''), 2000), COALESCE(e.finished_at, e.created_at) < ?
	FROM ` + eventsBy + `status) WHERE e.status = ? AND e.created_at >= ? AND e.created_at < ? AND (e.created_at > ? OR e.id > ?)
	ORDER BY e.created_at, e.id LIMIT ? FOR UPDATE SKIP LOCKED`

// PurgeEvents deletes those of the next n events, with their attempts, that were received and ended longer than age ago.
// Their statistics are kept in the same transaction. Hours that are not counted yet are skipped.
func (s *Store) PurgeEvents(ctx context.Context, age time.Duration, after ops.PurgeCursor, n int) (ops.PurgeBatch, error) {
	var batch ops.PurgeBatch
	before, err := s.purgeBefore(ctx, age)
	if err != nil {
		return batch, wrap("purge events", err)
	}
	if after.Status == "" {
		after.Status = purgeOrder[0]
	}
	err = s.tx(ctx, func(tx *sql.Tx) error {
		p, err := readPurge(ctx, tx, before, after, n)
		if err != nil {
			return err
		}
		batch = ops.PurgeBatch{Next: p.next}
		if p.read < n {
			batch.Next, batch.Done = nextPurge(after.Status)
		}
		if len(p.ids) == 0 {
			return nil
		}
		batch.Purged, err = p.remove(ctx, tx)
		return err
	})
	return batch, wrap("purge events", err)
}

// purgeBefore returns the time before which events are old enough and counted: hours are counted in order, except for the
// present one.
func (s *Store) purgeBefore(ctx context.Context, age time.Duration) (time.Time, error) {
	var now time.Time
	var counted sql.NullTime
	err := s.sql.QueryRowContext(ctx, `SELECT UTC_TIMESTAMP(6), (SELECT MAX(hour) FROM event_stats_hours
		WHERE hour <= UTC_TIMESTAMP(6) - INTERVAL 1 HOUR)`).Scan(&now, &counted)
	before := now.Add(-age)
	if end := counted.Time.Add(time.Hour); !counted.Valid || end.Before(before) {
		before = end
	}
	return before, err
}

// nextPurge returns the cursor of the next status.
func nextPurge(status relay.Status) (ops.PurgeCursor, bool) {
	i := slices.Index(purgeOrder, status) + 1
	if i == len(purgeOrder) {
		return ops.PurgeCursor{}, true
	}
	return ops.PurgeCursor{Status: purgeOrder[i]}, false
}

// purge is one batch to delete.
type purge struct {
	read   int // rows, deleted or skipped
	next   ops.PurgeCursor
	ids    []int64
	counts map[string]map[statKey]int64 // by hour
}

func readPurge(ctx context.Context, tx *sql.Tx, before time.Time, after ops.PurgeCursor, n int) (purge, error) {
	p := purge{next: after, counts: map[string]map[statKey]int64{}}
	from := after.At
	if after.IsZero() {
		from = time.Unix(0, 0)
	}
	rows, err := tx.QueryContext(ctx, purgeSQL, before, string(after.Status), from.UTC(), before, from.UTC(), after.ID, n)
	if err != nil {
		return p, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var storefront int64
		var hour, reason, how string
		var over bool
		if err := rows.Scan(&p.next.ID, &p.next.At, &hour, &storefront, &reason, &how, &over); err != nil {
			return p, err
		}
		p.read++
		if !over { // an old event that was retried recently
			continue
		}
		p.ids = append(p.ids, p.next.ID)
		if p.counts[hour] == nil {
			p.counts[hour] = map[statKey]int64{}
		}
		tally(p.counts[hour], storefront, after.Status, reason, how, 1)
	}
	return p, rows.Err()
}

// remove keeps the statistics and deletes the rows. The hours are locked first, in the order of counting and retries, so
// that a count sees each event either as stored or as purged.
func (p purge) remove(ctx context.Context, tx *sql.Tx) (ops.Purged, error) {
	hours := slices.Sorted(maps.Keys(p.counts))
	var args []any
	for _, hour := range hours {
		args = append(args, hour)
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO event_stats_hours (hour, counted_at, unsettled) VALUES "+
		tuples("(?, '1970-01-01 00:00:00', 1)", len(hours))+" ON DUPLICATE KEY UPDATE counted_at = counted_at", args...)
	if err != nil {
		return ops.Purged{}, err
	}
	for _, hour := range hours {
		if err := insertStats(ctx, tx, "event_stats_purged", hour, p.counts[hour]); err != nil {
			return ops.Purged{}, err
		}
	}
	in := " IN (" + tuples("?", len(p.ids)) + ")"
	attempts, err := deleted(tx.ExecContext(ctx, "DELETE FROM event_attempts WHERE marketing_event_id"+in, numbers(p.ids)...))
	if err != nil {
		return ops.Purged{}, err
	}
	events, err := deleted(tx.ExecContext(ctx, "DELETE FROM marketing_events WHERE id"+in, numbers(p.ids)...))
	return ops.Purged{Events: events, Attempts: attempts}, err
}

func deleted(res sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// addPurged adds the statistics of an hour's purged events.
func addPurged(ctx context.Context, tx *sql.Tx, hour time.Time, counts map[statKey]int64) error {
	rows, err := tx.QueryContext(ctx, "SELECT storefront_id, destination, outcome, reason, n FROM event_stats_purged WHERE hour = ?", hour)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var f statKey
		var n int64
		if err := rows.Scan(&f.storefront, &f.destination, &f.outcome, &f.reason, &n); err != nil {
			return err
		}
		counts[f] += n
	}
	return rows.Err()
}

// PurgeAudit deletes those of the n oldest entries of the audit that are older than age. Entries are numbered in the order
// of their time, so it stops at the first younger one.
func (s *Store) PurgeAudit(ctx context.Context, age time.Duration, n int) (int64, error) {
	var last sql.NullInt64
	err := s.sql.QueryRowContext(ctx, `SELECT MAX(id) FROM (SELECT id, at FROM admin_audit ORDER BY id LIMIT ?) oldest
		WHERE at < UTC_TIMESTAMP(6) - INTERVAL ? SECOND`, n, int64(age.Seconds())).Scan(&last)
	if err != nil || !last.Valid {
		return 0, wrap("purge the audit", err)
	}
	gone, err := s.exec(ctx, "DELETE FROM admin_audit WHERE id <= ? AND at < UTC_TIMESTAMP(6) - INTERVAL ? SECOND", last.Int64, int64(age.Seconds()))
	return gone, wrap("purge the audit", err)
}

// PurgeReplays deletes those of the n oldest replays that ended longer than age ago.
func (s *Store) PurgeReplays(ctx context.Context, age time.Duration, n int) (int64, error) {
	gone, err := s.purgeEnded(ctx, "event_replays", age, n)
	return gone, wrap("purge replays", err)
}

// PurgeErasures deletes those of the n oldest erasures that ended longer than age ago.
func (s *Store) PurgeErasures(ctx context.Context, age time.Duration, n int) (int64, error) {
	gone, err := s.purgeEnded(ctx, "event_erasures", age, n)
	return gone, wrap("purge erasures", err)
}

// purgeEnded scans the key (ended_at, id), which holds NULL for rows that have not ended.
func (s *Store) purgeEnded(ctx context.Context, table string, age time.Duration, n int) (int64, error) {
	return s.exec(ctx, "DELETE FROM "+table+" WHERE ended_at < UTC_TIMESTAMP(6) - INTERVAL ? SECOND ORDER BY ended_at, id LIMIT ?",
		int64(age.Seconds()), n)
}
