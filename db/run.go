package db

import (
	"context"
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
	found, err := s.exec(ctx, takeSQL, run, id, run)
	return found == 1, fail(fmt.Sprintf("take event %d", id), err)
}

// Finish writes what an event came to. Where it is no longer the run's own, or finished already, nothing changes.
func (s *Store) Finish(ctx context.Context, id int64, run string, c relay.Conclusion) error {
	ends, err := json.Marshal(c.Ends)
	if err != nil {
		return fmt.Errorf("finish event %d: %w", id, err)
	}
	_, err = s.exec(ctx, `UPDATE marketing_events SET status = ?, reason = ?, detail = ?, ends = ?,
		finished_at = UTC_TIMESTAMP(6), updated_at = UTC_TIMESTAMP(6)
		WHERE id = ? AND run_id = ? AND status = 'processing'`,
		string(c.Status), nullText(string(c.Reason)), nullText(cut(c.Detail, maxText)), ends, id, run)
	return fail(fmt.Sprintf("finish event %d", id), err)
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
