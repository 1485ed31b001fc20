package db

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"relay/internal/ops"
)

// countBound bounds the time for counting the events that an erasure has to scan.
const countBound = 3 * time.Second

const erasureColumns = `id, kind, state, subject, subject_hash, COALESCE(storefront_id, 0), created_by, walked, total, scanned, matched, erased,
	created_at, ended_at`

func (s *Store) scanErasure(row interface{ Scan(...any) error }, more ...any) (ops.Erasure, error) {
	var e ops.Erasure
	var subject sql.NullString
	var ended sql.NullTime
	err := row.Scan(append([]any{&e.ID, &e.Kind, &e.State, &subject, &e.Hash, &e.StorefrontID, &e.By, &e.Walked, &e.Total, &e.Scanned, &e.Matched,
		&e.Erased, &e.CreatedAt, &ended}, more...)...)
	e.EndedAt = ended.Time
	if err == nil && subject.String != "" {
		e.Subject, _ = s.keys.Decrypt(subject.String) // without its key the rest can still be shown
	}
	return e, err
}

// CreateErasure stores an erasure request and an entry in the audit, which has its id, in one transaction. It covers only
// events that exist now.
func (s *Store) CreateErasure(ctx context.Context, e ops.Erasure, line ops.AuditEntry) (ops.Erasure, error) {
	const op = "create an erasure"
	subject, err := s.keys.Encrypt(e.Subject)
	if err != nil {
		return e, wrap(op, err)
	}
	var last int64
	if e.Kind == ops.EraseExternalID {
		if last, e.Total, err = s.eventsToScan(ctx); err != nil {
			return e, wrap(op, err)
		}
	}
	err = s.tx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `INSERT INTO event_erasures (kind, state, subject, subject_hash, storefront_id, created_by, last_id, total)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, string(e.Kind), string(ops.ErasureRunning), subject, ops.Erased(e.Subject.Reveal()),
			nullNumber(int(e.StorefrontID)), cut(e.By, 255), last, e.Total)
		if err != nil {
			return err
		}
		if line.EntityID, err = res.LastInsertId(); err != nil {
			return err
		}
		line.Name = fmt.Sprintf("erasure %d", line.EntityID)
		return s.writeAudit(ctx, tx, line)
	})
	if err != nil {
		return e, wrap(op, err)
	}
	return s.Erasure(ctx, line.EntityID)
}

// eventsToScan returns the latest event's id and the number of events; if counting takes too long, an upper bound.
func (s *Store) eventsToScan(ctx context.Context) (last, n int64, err error) {
	var first int64
	err = s.sql.QueryRowContext(ctx, "SELECT COALESCE(MIN(id), 0), COALESCE(MAX(id), -1) FROM marketing_events").Scan(&first, &last)
	if err != nil {
		return 0, 0, err
	}
	bounded, cancel := context.WithTimeout(ctx, countBound)
	defer cancel()
	err = s.sql.QueryRowContext(bounded, "SELECT COUNT(*) FROM marketing_events WHERE id <= ?", last).Scan(&n)
	if err != nil && bounded.Err() != nil && ctx.Err() == nil {
		return last, last - first + 1, nil
	}
	return last, n, err
}

// Erasure reads an erasure; relay.ErrNotFound if it does not exist.
func (s *Store) Erasure(ctx context.Context, id int64) (ops.Erasure, error) {
	e, err := s.scanErasure(s.sql.QueryRowContext(ctx, "SELECT "+erasureColumns+" FROM event_erasures WHERE id = ?", id))
	return e, wrap(fmt.Sprintf("read erasure %d", id), err)
}

// OpenErasures lists erasures that have not ended: each has a workflow, or needs one.
func (s *Store) OpenErasures(ctx context.Context) ([]int64, error) {
	ids, err := idsFrom(s.sql.QueryContext(ctx, "SELECT id FROM event_erasures WHERE ended_at IS NULL ORDER BY id LIMIT 1000"))
	return ids, wrap("list open erasures", err)
}

func idsFrom(rows *sql.Rows, err error) ([]int64, error) {
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var ids []int64
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// attemptTime is longer than an attempt takes from its start to the record of its end.
const attemptTime = 20 * time.Second

// ErasureItems lists up to n events that an erasure has found and not completed. A purged event counts as erased.
func (s *Store) ErasureItems(ctx context.Context, id int64, n int) ([]ops.EventState, error) {
	op := fmt.Sprintf("list the events of erasure %d", id)
	rows, err := s.sql.QueryContext(ctx, `SELECT i.marketing_event_id, COALESCE(e.status, ''), COALESCE(e.run_id, ''), e.id IS NULL OR e.erased_at IS NOT NULL,
		COALESCE(e.finished_at, e.created_at, '1970-01-01') < UTC_TIMESTAMP(6) - INTERVAL ? SECOND FROM event_erasure_items i
		LEFT JOIN marketing_events e ON e.id = i.marketing_event_id WHERE i.erasure_id = ? ORDER BY i.marketing_event_id LIMIT ?`,
		int(attemptTime.Seconds()), id, n)
	if err != nil {
		return nil, wrap(op, err)
	}
	defer func() { _ = rows.Close() }()
	var list []ops.EventState
	for rows.Next() {
		var e ops.EventState
		if err := rows.Scan(&e.ID, &e.Status, &e.Run, &e.Erased, &e.Settled); err != nil {
			return nil, wrap(op, err)
		}
		list = append(list, e)
	}
	return list, wrap(op, rows.Err())
}

// CloseItems completes events of an erasure, after a last removal of their attempts' data: an attempt that was running when
// its delivery was cancelled may have written its request.
func (s *Store) CloseItems(ctx context.Context, id int64, events []int64) error {
	if len(events) == 0 {
		return nil
	}
	return wrap(fmt.Sprintf("finish events of erasure %d", id), s.tx(ctx, func(tx *sql.Tx) error {
		if err := eraseAttempts(ctx, tx, events); err != nil {
			return err
		}
		n, err := deleted(tx.ExecContext(ctx, "DELETE FROM event_erasure_items WHERE erasure_id = ? AND marketing_event_id IN ("+tuples("?", len(events))+")",
			append([]any{id}, numbers(events)...)...))
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "UPDATE event_erasures SET erased = erased + ? WHERE id = ?", n, id)
		return err
	}))
}

// EndErasure ends an erasure that has no events left, and deletes its subject.
func (s *Store) EndErasure(ctx context.Context, id int64) (ops.Erasure, error) {
	_, err := s.exec(ctx, `UPDATE event_erasures SET state = ?, subject = NULL, total = scanned, ended_at = UTC_TIMESTAMP(6)
		WHERE id = ? AND walked = 1 AND ended_at IS NULL AND NOT EXISTS (SELECT 1 FROM event_erasure_items i WHERE i.erasure_id = event_erasures.id)`,
		string(ops.ErasureDone), id)
	if err != nil {
		return ops.Erasure{}, wrap(fmt.Sprintf("end erasure %d", id), err)
	}
	return s.Erasure(ctx, id)
}
