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

// theirs picks the rows of a day. Those of the sample, inserted meanwhile, are not OMS's direct ones.
const theirs = "e.source_system = 'oms_direct' AND e.id BETWEEN ? AND ?"

// moved picks the rows of a day that Backdate has moved.
const moved = theirs + " AND e.finished_at = e.created_at + INTERVAL 300 * 1000 MICROSECOND"

// Backdate waits until the events of the day have ended and are counted, and moves their ends, their first attempts and the counts to
// the hours in which OMS inserted them. Otherwise every event would show a wait of hours, and the service levels an hour in
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
	for _, step := range []struct {
		query string
		args  []any
	}{
		{`UPDATE marketing_events e SET e.finished_at = e.created_at + INTERVAL 300 * 1000 MICROSECOND, e.updated_at = e.created_at + INTERVAL 300 * 1000 MICROSECOND
			WHERE ` + theirs + ` AND e.finished_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM event_attempts a WHERE a.marketing_event_id = e.id AND a.number > 1)`,
			[]any{d.first, d.last}},
		{`UPDATE event_attempts a JOIN marketing_events e ON e.id = a.marketing_event_id SET a.started_at = e.created_at + INTERVAL 200 * 1000 MICROSECOND,
			a.created_at = e.created_at + INTERVAL 200 * 1000 MICROSECOND WHERE ` + moved, []any{d.first, d.last}},
		{"UPDATE service_levels SET delivered = delivered - late, late = 0, failed = 0 WHERE at >= ?", []any{d.began}},
		{`INSERT INTO service_levels (at, delivered, failed, fresh, late)
			SELECT DATE_FORMAT(e.created_at, '%Y-%m-%d %H:00:00') AS hour, SUM(a.outcome = 'accepted') AS accepted, SUM(a.outcome NOT IN ('accepted', 'skipped')) AS failed, SUM(a.outcome = 'accepted'), 0
			FROM event_attempts a JOIN marketing_events e ON e.id = a.marketing_event_id WHERE ` + moved + ` GROUP BY 1
			ON DUPLICATE KEY UPDATE delivered = service_levels.delivered + VALUES(delivered), failed = service_levels.failed + VALUES(failed), fresh = service_levels.fresh + VALUES(fresh)`,
			[]any{d.first, d.last}},
	} {
		if _, err := pool.ExecContext(ctx, step.query, step.args...); err != nil {
			return fmt.Errorf("backdate the demo events: %w", err)
		}
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
