package demo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"relay/deploy/dev/harness"
)

// Day is the range of rows that Fill inserted; the zero Day is none.
type Day struct {
	first, last int64
	began       time.Time
}

// theirs picks the rows of a day, and not what else is sent meanwhile.
const theirs = "e.source_system = 'oms_direct' AND e.id BETWEEN ? AND ?"

// Of an event that Backdate moves: when its attempts began, and when it ended.
const (
	attempted = "e.created_at + INTERVAL 200000 MICROSECOND"
	finished  = "e.created_at + INTERVAL 300000 MICROSECOND"
	moved     = theirs + " AND e.finished_at = " + finished
)

// Backdate waits until the events of the day have ended and are counted, and moves their ends, their attempts and the counts to the
// hours in which OMS inserted them. Otherwise every event would show a wait of hours, and the service levels an hour in
// which hardly any event arrived in time. Events that were attempted again stay as they are.
func (d Day) Backdate(ctx context.Context, system *harness.System) error {
	if d.last == 0 {
		return nil
	}
	pool, err := Open(system)
	if err != nil {
		return err
	}
	defer func() { _ = pool.Close() }()
	if err := d.counted(ctx, pool); err != nil {
		return err
	}
	return errors.Join(
		run(ctx, pool, "UPDATE marketing_events e SET e.finished_at = "+finished+", e.updated_at = "+finished+" WHERE "+theirs+` AND e.finished_at IS NOT NULL
			AND NOT EXISTS (SELECT 1 FROM event_attempts a WHERE a.marketing_event_id = e.id AND a.number > 1)`, d.first, d.last),
		run(ctx, pool, "UPDATE event_attempts a JOIN marketing_events e ON e.id = a.marketing_event_id SET a.started_at = "+attempted+", a.created_at = "+attempted+
			" WHERE "+moved, d.first, d.last),
		run(ctx, pool, "UPDATE service_levels SET delivered = delivered - late, late = 0, failed = 0 WHERE at >= ?", d.began),
		run(ctx, pool, `INSERT INTO service_levels (at, delivered, failed, fresh, late)
			SELECT DATE_FORMAT(e.created_at, '%Y-%m-%d %H:00:00'), SUM(a.outcome = 'accepted'), SUM(a.outcome NOT IN ('accepted', 'skipped')), SUM(a.outcome = 'accepted'), 0
			FROM event_attempts a JOIN marketing_events e ON e.id = a.marketing_event_id WHERE `+moved+` GROUP BY 1 ON DUPLICATE KEY UPDATE
			delivered = service_levels.delivered + VALUES(delivered), failed = service_levels.failed + VALUES(failed), fresh = service_levels.fresh + VALUES(fresh)`,
			d.first, d.last))
}

func run(ctx context.Context, pool *sql.DB, query string, args ...any) error {
	if _, err := pool.ExecContext(ctx, query, args...); err != nil {
		return fmt.Errorf("backdate the demo events: %w", err)
	}
	return nil
}

// counted waits until all events of the day have ended, and the relay has counted its late deliveries, which it does every ten
// seconds.
func (d Day) counted(ctx context.Context, pool *sql.DB) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for {
		var open, late, counted int
		err := errors.Join(
			pool.QueryRowContext(ctx, "SELECT COUNT(*) FROM marketing_events e WHERE "+theirs+" AND e.finished_at IS NULL", d.first, d.last).Scan(&open),
			pool.QueryRowContext(ctx, "SELECT COUNT(*) FROM event_attempts a JOIN marketing_events e ON e.id = a.marketing_event_id WHERE "+theirs+
				" AND a.outcome = 'accepted'", d.first, d.last).Scan(&late),
			pool.QueryRowContext(ctx, "SELECT COALESCE(SUM(late), 0) FROM service_levels WHERE at >= ?", d.began).Scan(&counted))
		if err != nil {
			return fmt.Errorf("wait for the demo events: %w", err)
		}
		if open == 0 && counted >= late {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d of the demo events have not ended, %d of %d deliveries are counted: %w", open, counted, late, ctx.Err())
		case <-time.After(200 * time.Millisecond):
		}
	}
}
