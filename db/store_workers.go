package db

import (
	"context"
	"fmt"
	"time"
)

// workerGone is how long after its latest sign of life a worker counts as gone.
const workerGone = 30 * time.Second

// WorkerAlive records that a worker process runs, and returns how many do: itself included, and those that ended without a
// word for half a minute more.
func (s *Store) WorkerAlive(ctx context.Context, id string) (int, error) {
	act := fmt.Sprintf("record that worker %s runs", id)
	_, err := s.exec(ctx, `INSERT INTO relay_workers (id, seen_at) VALUES (?, UTC_TIMESTAMP(6))
		ON DUPLICATE KEY UPDATE seen_at = UTC_TIMESTAMP(6)`, id)
	if err != nil {
		return 0, fail(act, err)
	}
	// A sign of life from the future is of before the clock was set back.
	if _, err := s.exec(ctx, `DELETE FROM relay_workers WHERE seen_at < UTC_TIMESTAMP(6) - INTERVAL ? SECOND
		OR seen_at > UTC_TIMESTAMP(6) + INTERVAL ? SECOND`, workerGone.Seconds(), workerGone.Seconds()); err != nil {
		return 0, fail(act, err)
	}
	var n int
	err = s.sql.QueryRowContext(ctx, "SELECT COUNT(*) FROM relay_workers").Scan(&n)
	return n, fail(act, err)
}

// WorkerGone records that a worker process has stopped.
func (s *Store) WorkerGone(ctx context.Context, id string) error {
	_, err := s.exec(ctx, "DELETE FROM relay_workers WHERE id = ?", id)
	return fail(fmt.Sprintf("record that worker %s has stopped", id), err)
}
