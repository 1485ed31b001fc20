package db

import (
	"context"
	"fmt"
	"time"
)

// workerGone is the time after its last heartbeat at which a worker counts as stopped.
const workerGone = 30 * time.Second

// WorkerAlive records a heartbeat of a worker process, and returns the number of running workers: itself included, and those
// that were killed less than half a minute ago.
func (s *Store) WorkerAlive(ctx context.Context, id string) (int, error) {
	op := fmt.Sprintf("record that worker %s runs", id)
	_, err := s.exec(ctx, `INSERT INTO relay_workers (id, seen_at) VALUES (?, UTC_TIMESTAMP(6))
		ON DUPLICATE KEY UPDATE seen_at = UTC_TIMESTAMP(6)`, id)
	if err != nil {
		return 0, wrap(op, err)
	}
	// A heartbeat in the future is from before the clock was set back.
	if _, err := s.exec(ctx, `DELETE FROM relay_workers WHERE seen_at < UTC_TIMESTAMP(6) - INTERVAL ? SECOND
		OR seen_at > UTC_TIMESTAMP(6) + INTERVAL ? SECOND`, workerGone.Seconds(), workerGone.Seconds()); err != nil {
		return 0, wrap(op, err)
	}
	var n int
	err = s.sql.QueryRowContext(ctx, "SELECT COUNT(*) FROM relay_workers").Scan(&n)
	return n, wrap(op, err)
}

// WorkerGone records that a worker process has stopped.
func (s *Store) WorkerGone(ctx context.Context, id string) error {
	_, err := s.exec(ctx, "DELETE FROM relay_workers WHERE id = ?", id)
	return wrap(fmt.Sprintf("record that worker %s has stopped", id), err)
}
