package db

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"relay/internal/ops"
	"relay/internal/relay"
)

// countReplay bounds the time for counting the events of a replay.
const countReplay = 5 * time.Second

const replayColumns = `id, state, filter, resend, rate, created_by, matched, started, delivered, failed, skipped, held, walked, cursor_at, cursor_id,
	created_at, ended_at`

// replay is a row of event_replays.
type replay struct {
	ops.Replay
	cursor ops.Position
}

func scanReplay(row interface{ Scan(...any) error }) (replay, error) {
	var r replay
	var filter string
	var resend sql.NullString
	var at, ended sql.NullTime
	var id sql.NullInt64
	err := row.Scan(&r.ID, &r.State, &filter, &resend, &r.Rate, &r.By, &r.Matched, &r.Started, &r.Delivered, &r.Failed, &r.Skipped,
		&r.Held, &r.Walked, &at, &id, &r.CreatedAt, &ended)
	if err != nil {
		return r, err
	}
	r.EndedAt, r.cursor = ended.Time, ops.Position{At: at.Time, ID: id.Int64}
	if err := json.Unmarshal([]byte(filter), &r.Filter); err != nil {
		return r, fmt.Errorf("filter: %w", relay.ErrUnreadable)
	}
	if resend.String == "" {
		return r, nil
	}
	if err := json.Unmarshal([]byte(resend.String), &r.Resend); err != nil {
		return r, fmt.Errorf("resend: %w", relay.ErrUnreadable)
	}
	return r, nil
}

// CreateReplay stores a replay and returns its id. It covers only events that exist now. The lines are added to the audit,
// with its id, in the same transaction.
func (s *Store) CreateReplay(ctx context.Context, r ops.Replay, lines ...ops.AuditEntry) (ops.Replay, error) {
	const op = "create a replay"
	if err := checkDestinations(r.Resend); err != nil {
		return r, wrap(op, err)
	}
	var now time.Time
	if err := s.sql.QueryRowContext(ctx, "SELECT UTC_TIMESTAMP(6)").Scan(&now); err != nil {
		return r, wrap(op, err)
	}
	if r.Filter.To.IsZero() || r.Filter.To.After(now) {
		r.Filter.To = now
	}
	var id int64
	err := s.tx(ctx, func(tx *sql.Tx) (err error) {
		if id, err = insertReplay(ctx, tx, r); err != nil {
			return err
		}
		for i := range lines {
			lines[i].EntityID = id
		}
		return s.writeAudit(ctx, tx, lines...)
	})
	if err != nil {
		return r, wrap(op, err)
	}
	return s.Replay(ctx, id)
}

func insertReplay(ctx context.Context, q querier, r ops.Replay) (int64, error) {
	filter, err := json.Marshal(r.Filter)
	if err != nil {
		return 0, err
	}
	res, err := q.ExecContext(ctx, "INSERT INTO event_replays (state, filter, resend, rate, created_by, matched) VALUES (?, ?, ?, ?, ?, ?)",
		string(ops.ReplayRunning), filter, list(r.Resend), r.Rate, cut(r.By, 255), r.Matched)
	if err != nil {
		return 0, err
	}
	return res.LastInsertId()
}

// Replay reads a replay; relay.ErrNotFound if it does not exist.
func (s *Store) Replay(ctx context.Context, id int64) (ops.Replay, error) {
	r, err := scanReplay(s.sql.QueryRowContext(ctx, "SELECT "+replayColumns+" FROM event_replays WHERE id = ?", id))
	return r.Replay, wrap(fmt.Sprintf("read replay %d", id), err)
}

// OpenReplays lists the replays that have not ended: each has a workflow, or needs one.
func (s *Store) OpenReplays(ctx context.Context) ([]int64, error) {
	rows, err := s.sql.QueryContext(ctx, "SELECT id FROM event_replays WHERE ended_at IS NULL ORDER BY id LIMIT 1000")
	if err != nil {
		return nil, wrap("list open replays", err)
	}
	defer func() { _ = rows.Close() }()
	var ids []int64
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, wrap("list open replays", err)
		}
		ids = append(ids, id)
	}
	return ids, wrap("list open replays", rows.Err())
}

// EndReplay ends a replay whose events have all ended. Events that a cancelled replay still holds are released from it.
func (s *Store) EndReplay(ctx context.Context, id int64) error {
	return wrap(fmt.Sprintf("end replay %d", id), s.tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE event_replays SET state = CASE WHEN state = 'cancelled' THEN state ELSE 'done' END,
			held = 0, ended_at = UTC_TIMESTAMP(6) WHERE id = ? AND ended_at IS NULL`, id)
		if err == nil {
			_, err = tx.ExecContext(ctx, "DELETE FROM event_replay_items WHERE replay_id = ? AND held_destination IS NOT NULL", id)
		}
		return err
	}))
}

// StepReplay resets up to n further events of a replay to pending and moves its cursor in the same transaction: no event is
// started twice and none is missed, even if the process is killed. Events for an unhealthy destination are held. A replay
// that is not running does not step.
func (s *Store) StepReplay(ctx context.Context, id int64, n int) (ops.ReplayStep, error) {
	var step ops.ReplayStep
	op := fmt.Sprintf("step replay %d", id)
	before, err := s.Replay(ctx, id)
	if err != nil {
		return step, wrap(op, err)
	}
	w, err := s.plan(ctx, before.Pick(), false)
	if err != nil {
		return step, wrap(op, err)
	}
	if err := s.countMatches(ctx, before); err != nil {
		return step, wrap(op, err)
	}
	sick, err := s.closedPlaces(ctx)
	if err != nil {
		return step, wrap(op, err)
	}
	err = s.tx(ctx, func(tx *sql.Tx) error {
		r, err := scanReplay(tx.QueryRowContext(ctx, "SELECT "+replayColumns+" FROM event_replays WHERE id = ? FOR UPDATE", id))
		if err != nil {
			return err
		}
		h := &holding{tx: tx, replay: r, unhealthy: sick}
		if r.State == ops.ReplayRunning && len(r.Pick().Statuses) > 0 {
			err = h.step(ctx, w, n)
		}
		step = h.result()
		return err
	})
	return step, wrap(op, err)
}

// countMatches counts the events of a replay before its first step, if they were not counted at its creation: the relay's
// own replays are created in a transaction that must be short. The number is for display: if counting takes too long, it
// stays 0.
func (s *Store) countMatches(ctx context.Context, r ops.Replay) error {
	if r.Matched > 0 || r.Started > 0 || r.Held > 0 || r.Walked || r.State != ops.ReplayRunning {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, countReplay)
	defer cancel()
	n, err := s.CountEvents(ctx, r.Pick())
	if err == nil {
		_, err = s.exec(ctx, "UPDATE event_replays SET matched = ? WHERE id = ? AND matched = 0", n, r.ID)
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return nil
	}
	return err
}

// SettleReplay counts up to n of a replay's started events that have ended, and removes their items.
func (s *Store) SettleReplay(ctx context.Context, id int64, n int) (ops.ReplayStep, error) {
	var step ops.ReplayStep
	op := fmt.Sprintf("settle replay %d", id)
	err := s.tx(ctx, func(tx *sql.Tx) error {
		var locked int64 // two at once would count twice
		if err := tx.QueryRowContext(ctx, "SELECT id FROM event_replays WHERE id = ? FOR UPDATE", id).Scan(&locked); err != nil {
			return err
		}
		counts, ended, err := endedItems(ctx, tx, id, n)
		if err != nil {
			return err
		}
		step.Settled = len(ended)
		if len(ended) > 0 {
			_, err = tx.ExecContext(ctx, "DELETE FROM event_replay_items WHERE replay_id = ? AND marketing_event_id IN ("+tuples("?", len(ended))+")",
				append([]any{id}, numbers(ended)...)...)
			if err != nil {
				return err
			}
			_, err = tx.ExecContext(ctx, "UPDATE event_replays SET delivered = delivered + ?, failed = failed + ?, skipped = skipped + ? WHERE id = ?",
				counts[relay.StatusDelivered], counts[relay.StatusFailed], counts[relay.StatusSkipped], id)
			if err != nil {
				return err
			}
		}
		r, err := scanReplay(tx.QueryRowContext(ctx, "SELECT "+replayColumns+" FROM event_replays WHERE id = ?", id))
		step.Replay, step.Walked = r.Replay, r.Walked && r.Held == 0
		return err
	})
	return step, wrap(op, err)
}

// endedItems locks and lists a replay's events that have ended. A deleted event counts as skipped.
func endedItems(ctx context.Context, tx *sql.Tx, id int64, n int) (map[relay.Status]int, []int64, error) {
	rows, err := tx.QueryContext(ctx, `SELECT i.marketing_event_id, COALESCE(e.status, 'skipped') FROM event_replay_items i
		LEFT JOIN marketing_events e ON e.id = i.marketing_event_id
		WHERE i.replay_id = ? AND i.held_destination IS NULL AND (e.id IS NULL OR e.status IN ('delivered', 'failed', 'skipped')) LIMIT ?`, id, n)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = rows.Close() }()
	counts := map[relay.Status]int{}
	var ended []int64
	for rows.Next() {
		var event int64
		var status relay.Status
		if err := rows.Scan(&event, &status); err != nil {
			return nil, nil, err
		}
		ended = append(ended, event)
		counts[status]++
	}
	return counts, ended, rows.Err()
}

// CountEvents counts the events that a filter selects. It reads every match, so it may take a while; the context bounds it.
func (s *Store) CountEvents(ctx context.Context, f ops.Filter) (int64, error) {
	w, err := s.plan(ctx, f, false)
	if err != nil {
		return 0, wrap("count events", err)
	}
	var counts []string
	var args []any
	for _, a := range w.ranges {
		where := a.where.plus(w.residual)
		counts = append(counts, "(SELECT COUNT(*) FROM "+a.from+" WHERE "+where.String()+")")
		args = append(args, where.args...)
	}
	var n int64
	err = s.sql.QueryRowContext(ctx, "SELECT "+strings.Join(counts, " + "), args...).Scan(&n)
	return n, wrap("count events", err)
}
