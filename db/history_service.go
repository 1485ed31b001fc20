package db

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"relay/internal/ops"
)

// AddServiceCounts adds counts of deliveries, by the begin of their interval.
func (s *Store) AddServiceCounts(ctx context.Context, counts map[time.Time]ops.ServiceCounts) error {
	if len(counts) == 0 {
		return nil
	}
	var args []any
	for _, at := range slices.SortedFunc(maps.Keys(counts), time.Time.Compare) {
		c := counts[at]
		args = append(args, at.UTC(), c.Delivered, c.Failed, c.Fresh, c.Late)
	}
	_, err := s.exec(ctx, "INSERT INTO service_levels (at, delivered, failed, fresh, late) VALUES "+tuples("(?,?,?,?,?)", len(counts))+
		` ON DUPLICATE KEY UPDATE delivered = delivered + VALUES(delivered), failed = failed + VALUES(failed), fresh = fresh + VALUES(fresh), late = late + VALUES(late)`, args...)
	return wrap("add counts of deliveries", err)
}

// ServiceCounts reads the counts of deliveries since each of these times, in one statement: a row for each five minutes.
func (s *Store) ServiceCounts(ctx context.Context, since ...time.Time) ([]ops.ServiceCounts, error) {
	const op = "read counts of deliveries"
	parts, args := make([]string, len(since)), make([]any, 0, 2*len(since))
	for n, at := range since {
		parts[n] = `SELECT ? AS n, COALESCE(SUM(delivered), 0), COALESCE(SUM(failed), 0), COALESCE(SUM(fresh), 0), COALESCE(SUM(late), 0)
			FROM service_levels WHERE at >= ?`
		args = append(args, n, at.UTC().Truncate(ops.ServiceStep))
	}
	rows, err := s.sql.QueryContext(ctx, strings.Join(parts, " UNION ALL "), args...)
	if err != nil {
		return nil, wrap(op, err)
	}
	defer func() { _ = rows.Close() }()
	counts := make([]ops.ServiceCounts, len(since))
	for rows.Next() {
		var n int
		var c ops.ServiceCounts
		if err := rows.Scan(&n, &c.Delivered, &c.Failed, &c.Fresh, &c.Late); err != nil {
			return nil, wrap(op, err)
		}
		counts[n] = c
	}
	return counts, wrap(op, rows.Err())
}

// purgeServiceCounts deletes counts that are older than they are kept: a few rows, unless the purge was off for long.
func (s *Store) purgeServiceCounts(ctx context.Context, n int) error {
	_, err := s.exec(ctx, "DELETE FROM service_levels WHERE at < ? ORDER BY at LIMIT ?", time.Now().UTC().Add(-ops.KeepService), n)
	return wrap("purge counts of deliveries", err)
}
