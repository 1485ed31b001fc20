package db

import (
	"context"
	"time"

	"relay/internal/ops"
)

// WorkerProcesses lists the processes that deliver events, with their latest signs of life.
func (s *Store) WorkerProcesses(ctx context.Context) ([]ops.WorkerProcess, error) {
	const act = "list worker processes"
	rows, err := s.sql.QueryContext(ctx, "SELECT id, seen_at FROM relay_workers ORDER BY id LIMIT 1000")
	if err != nil {
		return nil, wrap(act, err)
	}
	defer func() { _ = rows.Close() }()
	var list []ops.WorkerProcess
	for rows.Next() {
		var w ops.WorkerProcess
		if err := rows.Scan(&w.ID, &w.SeenAt); err != nil {
			return nil, wrap(act, err)
		}
		list = append(list, w)
	}
	return list, wrap(act, rows.Err())
}

// CountedAt is when the newest hour of the stats was counted; zero before the first.
func (s *Store) CountedAt(ctx context.Context) (time.Time, error) {
	at, err := s.countedAt(ctx)
	return at, wrap("read when the stats were counted", err)
}
