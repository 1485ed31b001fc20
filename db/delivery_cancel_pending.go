package db

import (
	"context"
	"database/sql"
	"fmt"

	"relay/internal/ops"
	"relay/internal/relay"
)

// EventState reads the status of an event and its latest run; relay.ErrNotFound if it does not exist.
func (s *Store) EventState(ctx context.Context, id int64) (ops.EventState, error) {
	e, err := eventState(ctx, s.sql, id, "")
	return e, wrap(fmt.Sprintf("read the state of event %d", id), err)
}

func eventState(ctx context.Context, q querier, id int64, lock string) (ops.EventState, error) {
	e := ops.EventState{ID: id}
	var run sql.NullString
	err := q.QueryRowContext(ctx, "SELECT status, run_id, erased_at IS NOT NULL FROM marketing_events WHERE id = ?"+lock, id).Scan(&e.Status, &run, &e.Erased)
	e.Run = run.String
	return e, err
}

// CancelPending ends an event that no run has taken, and adds lines to the audit in the same transaction. Any other event
// does not change. It returns the event's previous state.
func (s *Store) CancelPending(ctx context.Context, id int64, c relay.EventOutcome, lines ...ops.AuditEntry) (ops.EventState, error) {
	var e ops.EventState
	err := s.tx(ctx, func(tx *sql.Tx) error {
		var err error
		if e, err = eventState(ctx, tx, id, " FOR UPDATE"); err != nil || e.Status != relay.StatusPending {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE marketing_events SET status = ?, reason = ?, detail = ?, finished_at = UTC_TIMESTAMP(6), updated_at = UTC_TIMESTAMP(6)
			WHERE id = ?`, string(c.Status), string(c.Reason), cut(c.Detail, maxText), id)
		if err != nil {
			return err
		}
		return s.writeAudit(ctx, tx, lines...)
	})
	return e, wrap(fmt.Sprintf("cancel event %d", id), err)
}
