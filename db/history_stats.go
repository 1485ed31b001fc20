package db

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"relay/internal/ops"
	"relay/internal/relay"
)

// hourOf is the hour in which an event was received.
const hourOf = "DATE_FORMAT(e.created_at, '%Y-%m-%d %H:00:00')"

// Bounds of one round of counting.
const (
	settleAfter = 5 * time.Minute // an hour is counted once more after this time, for inserts that were committed late
	recountFor  = 48 * time.Hour  // hours of this age are recounted periodically, for resets without a mark
	recountIn   = 6 * time.Hour
	hoursARound = 500
)

// markDirty marks hours for recounting.
func markDirty(ctx context.Context, tx *sql.Tx, hours []any) error {
	if len(hours) == 0 {
		return nil
	}
	_, err := tx.ExecContext(ctx, "UPDATE event_stats_hours SET unsettled = 1 WHERE hour IN ("+tuples("?", len(hours))+")", hours...)
	return err
}

// RollUp counts the hours that need it: the present one, those since the last round, and those with events that ended or
// were retried since they were counted. Recounting an hour replaces its counts. RollUp stops after the given time, and the
// next round continues.
func (s *Store) RollUp(ctx context.Context, budget time.Duration) (int, error) {
	var now time.Time
	if err := s.sql.QueryRowContext(ctx, "SELECT UTC_TIMESTAMP(6)").Scan(&now); err != nil {
		return 0, wrap("roll up the statistics", err)
	}
	end := time.Now().Add(budget)
	hours, err := s.hoursToCount(ctx, now)
	if err != nil {
		return 0, wrap("roll up the statistics", err)
	}
	for n, hour := range hours {
		if err := s.countHour(ctx, hour, now); err != nil {
			return n, wrap("roll up the statistics", err)
		}
		if time.Now().After(end) {
			return n + 1, nil
		}
	}
	return len(hours), nil
}

// dueSQL selects hours whose last count is old enough, in proportion to the time that it took; below a quarter of a second
// they are always due.
const dueSQL = "(took_us < 250000 OR counted_at + INTERVAL 20 * took_us MICROSECOND <= ?)"

// hoursToCount lists hours by urgency.
func (s *Store) hoursToCount(ctx context.Context, now time.Time) ([]time.Time, error) {
	present := now.Truncate(time.Hour)
	var hours []time.Time
	var tired int
	err := s.sql.QueryRowContext(ctx, "SELECT COUNT(*) FROM event_stats_hours WHERE hour = ? AND NOT "+dueSQL, present, now).Scan(&tired)
	if err != nil {
		return nil, err
	}
	if tired == 0 {
		hours = append(hours, present)
	}
	first, err := s.firstUncounted(ctx, present)
	if err != nil {
		return nil, err
	}
	for h := first; h.Before(present) && len(hours) < hoursARound; h = h.Add(time.Hour) {
		hours = append(hours, h)
	}
	rows, err := s.sql.QueryContext(ctx, "(SELECT hour FROM event_stats_hours WHERE unsettled = 1 AND hour < ? AND "+dueSQL+` ORDER BY counted_at LIMIT 50)
		UNION (SELECT hour FROM event_stats_hours WHERE hour >= ? AND hour < ? AND counted_at < ? ORDER BY hour LIMIT 5)`,
		present, now, present.Add(-recountFor), present, now.Add(-recountIn))
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var h time.Time
		if err := rows.Scan(&h); err != nil {
			return nil, err
		}
		hours = append(hours, h)
	}
	return hours, rows.Err()
}

// firstUncounted returns the first hour to count: after the last counted hour before the present one, otherwise the hour of
// the oldest event.
func (s *Store) firstUncounted(ctx context.Context, present time.Time) (time.Time, error) {
	var last sql.NullTime
	err := s.sql.QueryRowContext(ctx, "SELECT MAX(hour) FROM event_stats_hours WHERE hour < ?", present).Scan(&last)
	if err != nil || last.Valid {
		return last.Time.Add(time.Hour), err
	}
	err = s.sql.QueryRowContext(ctx, "SELECT created_at FROM "+eventsBy+"created) ORDER BY created_at LIMIT 1").Scan(&last)
	if errors.Is(err, sql.ErrNoRows) {
		return present, nil
	}
	return last.Time.Truncate(time.Hour), err
}

// statKey is the key of a count in event_stats.
type statKey struct {
	storefront                   int64
	destination, outcome, reason string
}

// countHour recounts one hour. The hour's own row is locked first, so that a concurrent retry marks it after this, not
// before.
func (s *Store) countHour(ctx context.Context, hour, now time.Time) error {
	began := time.Now()
	return s.tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO event_stats_hours (hour, counted_at, unsettled) VALUES (?, UTC_TIMESTAMP(6), 0)
			ON DUPLICATE KEY UPDATE counted_at = UTC_TIMESTAMP(6), unsettled = 0`, hour)
		if err != nil {
			return err
		}
		counts, err := countStats(ctx, tx, hour)
		if err != nil {
			return err
		}
		if err := addPurged(ctx, tx, hour, counts); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM event_stats WHERE hour = ?", hour); err != nil {
			return err
		}
		if err := insertStats(ctx, tx, "event_stats", hour, counts); err != nil {
			return err
		}
		open := false
		for f := range counts {
			open = open || f.outcome == ops.StatOpen
		}
		// A past hour stays marked until the settling time is over.
		open = open || now.Sub(hour) <= time.Hour+settleAfter
		_, err = tx.ExecContext(ctx, "UPDATE event_stats_hours SET unsettled = ?, took_us = ? WHERE hour = ?", open, time.Since(began).Microseconds(), hour)
		return err
	})
}

// countStats groups by the text of ends, which has few values, and parses each value.
func countStats(ctx context.Context, tx *sql.Tx, hour time.Time) (map[statKey]int64, error) {
	rows, err := tx.QueryContext(ctx, `SELECT COALESCE(e.storefront_id, 0), e.status, COALESCE(e.reason, ''), LEFT(COALESCE(e.ends, ''), 2000) AS how,
		COUNT(*) FROM `+eventsBy+`created) WHERE e.created_at >= ? AND e.created_at < ? GROUP BY 1, 2, 3, 4`, hour, hour.Add(time.Hour))
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	counts := map[statKey]int64{}
	for rows.Next() {
		var storefront, n int64
		var status relay.Status
		var reason, how string
		if err := rows.Scan(&storefront, &status, &reason, &how, &n); err != nil {
			return nil, err
		}
		tally(counts, storefront, status, reason, how, n)
	}
	return counts, rows.Err()
}

// tally counts n events that ended alike; how is the text of their ends.
func tally(counts map[statKey]int64, storefront int64, status relay.Status, reason, how string, n int64) {
	counts[statKey{storefront: storefront, outcome: ops.StatReceived}] += n
	if !status.Final() {
		counts[statKey{storefront: storefront, outcome: ops.StatOpen}] += n
		return
	}
	counts[statKey{storefront: storefront, outcome: string(status), reason: reason}] += n
	var ends []relay.DeliveryResult
	_ = json.Unmarshal([]byte(how), &ends) // empty, or written by the relay; with more than twenty destinations it is truncated, and not counted
	for _, e := range ends {
		outcome, reason := outcomeOf(e)
		counts[statKey{storefront, e.Destination, outcome, reason}] += n
	}
}

// outcomeOf returns a delivery's result in the terms of an event's status.
func outcomeOf(e relay.DeliveryResult) (outcome, reason string) {
	switch e.Outcome {
	case relay.Accepted:
		return string(relay.StatusDelivered), ""
	case relay.Skipped, relay.Blocked:
		return string(relay.StatusSkipped), string(e.Reason)
	}
	return string(relay.StatusFailed), string(e.Reason)
}

// insertStats adds the counts of an hour to those of a table.
func insertStats(ctx context.Context, tx *sql.Tx, table string, hour any, counts map[statKey]int64) error {
	if len(counts) == 0 {
		return nil
	}
	var args []any
	for f, n := range counts {
		args = append(args, hour, f.storefront, cut(f.destination, 50), f.outcome, f.reason, n)
	}
	const columns = 6
	for start := 0; start < len(args); start += maxRows * columns {
		part := args[start:min(start+maxRows*columns, len(args))]
		_, err := tx.ExecContext(ctx, "INSERT INTO "+table+" (hour, storefront_id, destination, outcome, reason, n) VALUES "+
			tuples("(?,?,?,?,?,?)", len(part)/columns)+" ON DUPLICATE KEY UPDATE n = n + VALUES(n)", part...)
		if err != nil {
			return err
		}
	}
	return nil
}
