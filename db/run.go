package db

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"unicode/utf8"

	"relay"
)

// startLease is how long a row counts as in flight, for a storefront's cap, after a run took it: a delivery that is still
// waiting after that waits for a retry and burdens nobody.
const startLease = "60000000" // microseconds

// takeSQL gives a pending row to a run, and gives a run that was reset its own row back, whatever became of it: then a new
// generation begins, with all its tries. The old status is read before it is set: MySQL assigns from left to right, the
// standard all at once, and this order means the same to both.
const takeSQL = `UPDATE marketing_events SET
	generation = generation + (CASE WHEN status IN ('delivered', 'failed', 'skipped') THEN 1 ELSE 0 END),
	reason = NULL, detail = NULL, ends = NULL, finished_at = NULL,
	run_id = ?, claimed_until = UTC_TIMESTAMP(6) + INTERVAL ` + startLease + ` MICROSECOND, updated_at = UTC_TIMESTAMP(6),
	status = 'processing'
	WHERE id = ? AND (status = 'pending' OR run_id = ?)`

// Take makes an event the run's own to deliver. False means that it is another's, or gone.
func (s *Store) Take(ctx context.Context, id int64, run string) (bool, error) {
	found, err := s.execLane(ctx, takeSQL, run, id, run)
	return found == 1, fail(fmt.Sprintf("take event %d", id), err)
}

// Finish writes what an event came to. Where it is no longer the run's own, or finished already, nothing changes. An event
// that failed for a destination's health ends only while that destination is unhealthy, else it is relay.ErrRecovered: the
// replay that began with the recovery finds what failed before, and may have passed the place of what fails after.
func (s *Store) Finish(ctx context.Context, id int64, run string, c relay.Conclusion) error {
	act := fmt.Sprintf("finish event %d", id)
	unhealthy := c.Unhealthy()
	if len(unhealthy) == 0 {
		return fail(act, finish(ctx, s.execLane, id, run, c))
	}
	return fail(act, s.tx(ctx, func(tx *sql.Tx) error {
		if err := stillUnhealthy(ctx, tx, id, unhealthy); err != nil {
			return err
		}
		return finish(ctx, func(ctx context.Context, query string, args ...any) (int64, error) {
			_, err := tx.ExecContext(ctx, query, args...)
			return 0, err
		}, id, run, c)
	}))
}

// stillUnhealthy keeps the health of destinations from changing until the transaction ends.
func stillUnhealthy(ctx context.Context, tx *sql.Tx, id int64, destinations []string) error {
	args := []any{id}
	for _, d := range destinations {
		args = append(args, d)
	}
	rows, err := tx.QueryContext(ctx, `SELECT h.unhealthy_since IS NOT NULL FROM destination_health h
		WHERE h.storefront_id = (SELECT e.storefront_id FROM marketing_events e WHERE e.id = ?)
		AND h.destination IN (`+tuples("?", len(destinations))+`) LOCK IN SHARE MODE`, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var unhealthy bool
		if err := rows.Scan(&unhealthy); err != nil {
			return err
		}
		if !unhealthy {
			return relay.ErrRecovered
		}
	}
	return rows.Err()
}

func finish(ctx context.Context, exec func(context.Context, string, ...any) (int64, error), id int64, run string, c relay.Conclusion) error {
	ends, err := json.Marshal(c.Ends)
	if err != nil {
		return err
	}
	_, err = exec(ctx, `UPDATE marketing_events SET status = ?, reason = ?, detail = ?, ends = ?,
		finished_at = UTC_TIMESTAMP(6), updated_at = UTC_TIMESTAMP(6)
		WHERE id = ? AND run_id = ? AND status = 'processing'`,
		string(c.Status), nullText(string(c.Reason)), nullText(cut(c.Detail, maxText)), ends, id, run)
	return err
}

// Release gives leases back whose starts failed at once: the rows are free again, behind those that were free before.
func (s *Store) Release(ctx context.Context, ids []int64) error {
	for chunk := range slices.Chunk(ids, maxRows) {
		args := make([]any, len(chunk))
		for i, id := range chunk {
			args[i] = id
		}
		_, err := s.exec(ctx, `UPDATE marketing_events SET claimed_until = DEFAULT, updated_at = UTC_TIMESTAMP(6)
			WHERE id IN (`+tuples("?", len(chunk))+") AND status = 'pending'", args...)
		if err != nil {
			return fail(fmt.Sprintf("release %d events", len(ids)), err)
		}
	}
	return nil
}

// maxText is the size of a TEXT column in bytes.
const maxText = 65535

// cut shortens a text to n bytes, at a character, for a column that it is only shown in.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
