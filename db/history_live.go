package db

import (
	"context"
	"database/sql"
	"time"

	"relay/internal/ops"
	"relay/internal/relay"
)

// liveAttemptsSQL reads the newest attempts by their ids.
const liveAttemptsSQL = `SELECT a.id, a.marketing_event_id, COALESCE(s.storefront_id, ''), COALESCE(a.destination, ''), COALESCE(a.number, 0), a.outcome,
	COALESCE(a.reason, ''), COALESCE(a.response_status, 0), COALESCE(a.duration_us, 0), a.started_at
	FROM event_attempts a FORCE INDEX (PRIMARY) LEFT JOIN marketing_events e ON e.id = a.marketing_event_id LEFT JOIN storefronts s ON s.id = e.storefront_id
	WHERE `

func liveAttempts(after int64, open []int64, n int) (string, []any) {
	where, args := "a.id > ?", []any{after}
	if len(open) > 0 {
		where += " OR a.id IN (" + tuples("?", len(open)) + ")"
		args = append(args, numbers(open)...)
	}
	return liveAttemptsSQL + where + " ORDER BY a.id DESC LIMIT ?", append(args, n+len(open))
}

// LiveAttempts lists the newest attempts above an id, n at most, and those with the ids of open, the newest first.
func (s *Store) LiveAttempts(ctx context.Context, after int64, open []int64, n int) ([]ops.LiveAttempt, error) {
	const act = "list the newest attempts"
	query, args := liveAttempts(after, open, n)
	rows, err := s.sql.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, wrap(act, err)
	}
	defer func() { _ = rows.Close() }()
	var list []ops.LiveAttempt
	for rows.Next() {
		var a ops.LiveAttempt
		var took int64
		err := rows.Scan(&a.ID, &a.EventID, &a.Storefront, &a.Destination, &a.Number, &a.Outcome, &a.Reason, &a.Status, &took, &a.StartedAt)
		if err != nil {
			return nil, wrap(act, err)
		}
		a.Duration = time.Duration(took) * time.Microsecond
		list = append(list, a)
	}
	return list, wrap(act, rows.Err())
}

// liveCountsSQL counts by the claim key as far as a bound, and reads single rows beside.
const liveCountsSQL = `SELECT UTC_TIMESTAMP(6), (SELECT counted_at FROM event_stats_hours ORDER BY hour DESC LIMIT 1),
	(SELECT COUNT(*) FROM (SELECT 1 FROM marketing_events FORCE INDEX (ix_marketing_events_claim) WHERE status = 'pending' LIMIT ?) p),
	(SELECT COUNT(*) FROM (SELECT 1 FROM marketing_events FORCE INDEX (ix_marketing_events_claim) WHERE status = 'processing' LIMIT ?) r),
	(SELECT COUNT(*) FROM destination_health WHERE unhealthy_since IS NOT NULL)`

// LiveCounts counts what is open, by two statements.
func (s *Store) LiveCounts(ctx context.Context) (ops.LiveCounts, error) {
	var f ops.LiveCounts
	var counted sql.NullTime
	err := s.sql.QueryRowContext(ctx, liveCountsSQL, ops.CountBound, ops.CountBound).Scan(&f.At, &counted, &f.Pending, &f.Processing, &f.Unhealthy)
	f.CountedAt = counted.Time
	if err == nil && f.Pending > 0 {
		err = eachStorefront(ctx, s, oldestOfAll, nil, func(_ int64, at time.Time) {
			if f.Oldest.IsZero() || at.Before(f.Oldest) {
				f.Oldest = at
			}
		})
	}
	return f, wrap("read the live counts", err)
}

// liveDay is how far back the totals go: the window of Stats without one.
const liveDay = 24 * time.Hour

// LiveTotals sums what was counted of the last 24 hours, from the same full hour on as Stats.
func (s *Store) LiveTotals(ctx context.Context) (ops.LiveTotals, error) {
	var t ops.LiveTotals
	err := s.sql.QueryRowContext(ctx, `SELECT COALESCE(SUM(CASE WHEN outcome = 'received' THEN n END), 0), COALESCE(SUM(CASE WHEN outcome = 'failed' THEN n END), 0),
		COALESCE(SUM(CASE WHEN outcome = 'open' THEN n END), 0) FROM event_stats FORCE INDEX (PRIMARY) WHERE hour >= ? AND destination = ''`,
		time.Now().UTC().Add(-liveDay).Truncate(time.Hour)).Scan(&t.Received, &t.Failed, &t.Open)
	return t, wrap("read the live totals", err)
}

// liveReplaysSQL reads the replays that have not ended, or only just.
const liveReplaysSQL = "SELECT " + replayColumns + ` FROM event_replays FORCE INDEX (ix_event_replays_ended)
	WHERE ended_at IS NULL OR ended_at >= UTC_TIMESTAMP(6) - INTERVAL 15 SECOND ORDER BY id DESC LIMIT 100`

// LiveReplays lists the replays that have not ended, or only just.
func (s *Store) LiveReplays(ctx context.Context) ([]ops.Replay, error) {
	list, err := scanReplays(s.sql.QueryContext(ctx, liveReplaysSQL))
	return list, wrap("list the live replays", err)
}

func scanReplays(rows *sql.Rows, err error) ([]ops.Replay, error) {
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var list []ops.Replay
	for rows.Next() {
		r, err := scanReplay(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, r.Replay)
	}
	return list, rows.Err()
}

// LiveHealth lists the destinations that are failing or unhealthy.
func (s *Store) LiveHealth(ctx context.Context) ([]ops.LiveHealth, error) {
	const act = "list the live health"
	rows, err := s.sql.QueryContext(ctx, `SELECT s.storefront_id, h.destination, h.failures, h.failing_since, h.unhealthy_since IS NOT NULL, COALESCE(h.reason, ''),
		COALESCE(h.last_status, 0) FROM destination_health h JOIN storefronts s ON s.id = h.storefront_id
		WHERE h.failures > 0 OR h.unhealthy_since IS NOT NULL LIMIT 10000`)
	if err != nil {
		return nil, wrap(act, err)
	}
	defer func() { _ = rows.Close() }()
	var list []ops.LiveHealth
	for rows.Next() {
		var h ops.LiveHealth
		var since sql.NullTime
		var reason relay.Reason
		if err := rows.Scan(&h.Storefront, &h.Destination, &h.Failures, &since, &h.Unhealthy, &reason, &h.Status); err != nil {
			return nil, wrap(act, err)
		}
		h.Since, h.Reason = since.Time, reason
		list = append(list, h)
	}
	return list, wrap(act, rows.Err())
}
