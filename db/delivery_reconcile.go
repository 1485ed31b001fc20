package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"relay/internal/ops"
)

// processingSQL scans the claim key from one row to the next. The comparison is spelled out: the servers do not use a tuple
// as a range of the key.
const processingSQL = `SELECT id, COALESCE(run_id, ''), storefront_id, claimed_until
	FROM marketing_events FORCE INDEX (ix_marketing_events_claim)
	WHERE status = 'processing' AND ` + freeSQL + ` AND (storefront_id > ? OR storefront_id = ? AND
	(claimed_until > ? OR claimed_until = ? AND id > ?)) ORDER BY storefront_id, claimed_until, id LIMIT ?`

// Processing lists rows that a run has taken and not finished and whose lease has expired, in the order of the claim key,
// after a row; nil is the beginning.
func (s *Store) Processing(ctx context.Context, after *ops.HeldRow, limit int) ([]ops.HeldRow, error) {
	if after == nil {
		after = &ops.HeldRow{Storefront: -1 << 31}
	}
	since := after.Since.UTC()
	if since.IsZero() {
		since = time.Unix(0, 0).UTC()
	}
	rows, err := s.sql.QueryContext(ctx, processingSQL, after.Storefront, after.Storefront, since, since, after.ID, limit)
	if err != nil {
		return nil, wrap("list the events that are being delivered", err)
	}
	defer func() { _ = rows.Close() }()
	var list []ops.HeldRow
	for rows.Next() {
		var o ops.HeldRow
		if err := rows.Scan(&o.ID, &o.Run, &o.Storefront, &o.Since); err != nil {
			return nil, wrap("list the events that are being delivered", err)
		}
		list = append(list, o)
	}
	return list, wrap("list the events that are being delivered", rows.Err())
}

// Reopen resets a row to pending if this run still owns it; otherwise it returns false. A row that the earlier service was
// sending when it stopped has no run, which is "" here as in Processing.
func (s *Store) Reopen(ctx context.Context, id int64, run string) (bool, error) {
	found, err := s.exec(ctx, `UPDATE marketing_events SET status = 'pending', claimed_until = DEFAULT, updated_at = UTC_TIMESTAMP(6)
		WHERE id = ? AND COALESCE(run_id, '') = ? AND status = 'processing'`, id, run)
	return found == 1, wrap(fmt.Sprintf("reopen event %d", id), err)
}

// RecordReconciliation stores the result of the latest reconciliation.
func (s *Store) RecordReconciliation(ctx context.Context, r ops.Reconciliation) error {
	_, err := s.exec(ctx, `INSERT INTO reconciliation (id, at, checked, reopened, cancelled, repaired_in_all)
		VALUES (1, UTC_TIMESTAMP(6), ?, ?, ?, ?)
		ON DUPLICATE KEY UPDATE at = VALUES(at), checked = VALUES(checked), reopened = VALUES(reopened),
		cancelled = VALUES(cancelled), repaired_in_all = repaired_in_all + VALUES(repaired_in_all)`,
		r.Checked, r.Reopened, r.Cancelled, r.Repaired())
	return wrap("record the reconciliation", err)
}

// Reconciliation returns the latest result and the number of rows that all reconciliations have repaired. Before the first
// one both are zero.
func (s *Store) Reconciliation(ctx context.Context) (ops.Reconciliation, int64, error) {
	var r ops.Reconciliation
	var inAll int64
	err := s.sql.QueryRowContext(ctx, `SELECT at, checked, reopened, cancelled, repaired_in_all FROM reconciliation WHERE id = 1`).
		Scan(&r.At, &r.Checked, &r.Reopened, &r.Cancelled, &inAll)
	if errors.Is(err, sql.ErrNoRows) {
		return r, 0, nil
	}
	return r, inAll, wrap("read the reconciliation", err)
}
