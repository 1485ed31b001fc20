package db

import (
	"context"
	"database/sql"
	"fmt"

	"relay/internal/ops"
)

// SetReplayState writes the state of a replay; cancelled and done are final.
func (s *Store) SetReplayState(ctx context.Context, id int64, state ops.ReplayState) error {
	_, err := s.exec(ctx, "UPDATE event_replays SET state = ? WHERE id = ? AND state IN ('running', 'paused')", string(state), id)
	return wrap(fmt.Sprintf("set replay %d to %s", id, state), err)
}

// SteerReplay sets the requested state of a replay and adds lines to the audit. The row holds the requested state, so that
// the latest request wins, whatever the replay's workflow is doing. If the replay already has that state, or has ended,
// nothing changes. It returns the replay as it is then.
func (s *Store) SteerReplay(ctx context.Context, id int64, state ops.ReplayState, lines ...ops.AuditEntry) (ops.Replay, error) {
	op := fmt.Sprintf("set replay %d to %s", id, state)
	err := s.tx(ctx, func(tx *sql.Tx) error {
		var was ops.ReplayState
		if err := tx.QueryRowContext(ctx, "SELECT state FROM event_replays WHERE id = ? FOR UPDATE", id).Scan(&was); err != nil {
			return err
		}
		if was.Final() || was == state {
			return nil
		}
		if _, err := tx.ExecContext(ctx, "UPDATE event_replays SET state = ? WHERE id = ?", string(state), id); err != nil {
			return err
		}
		return s.writeAudit(ctx, tx, lines...)
	})
	if err != nil {
		return ops.Replay{}, wrap(op, err)
	}
	return s.Replay(ctx, id)
}
