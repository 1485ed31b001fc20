package db

import (
	"context"
	"database/sql"
	"fmt"

	"relay/internal/ops"
)

// Replays lists replays, newest first.
func (s *Store) Replays(ctx context.Context, q ops.ReplayQuery) ([]ops.Replay, error) {
	query, args := replaysSQL(q)
	list, err := scanReplays(s.sql.QueryContext(ctx, query, args...))
	return list, wrap("list replays", err)
}

func replaysSQL(q ops.ReplayQuery) (string, []any) {
	var where condition
	if len(q.States) > 0 {
		var args []any
		for _, state := range q.States {
			args = append(args, string(state))
		}
		where.and("state IN ("+tuples("?", len(args))+")", args...)
	}
	return newestSQL(replayColumns, "event_replays", where, q.Before, q.Limit)
}

// newestSQL reads one page of a table, newest first.
func newestSQL(columns, table string, where condition, before int64, limit int) (string, []any) {
	if before > 0 {
		where.and("id < ?", before)
	}
	return "SELECT " + columns + " FROM " + table + " FORCE INDEX (PRIMARY) WHERE " + where.String() + " ORDER BY id DESC LIMIT ?", append(where.args, limit)
}

// Erasures lists erasures, newest first, without what they look for.
func (s *Store) Erasures(ctx context.Context, q ops.ErasureQuery) ([]ops.Erasure, error) {
	const act = "list erasures"
	query, args := erasuresSQL(q)
	rows, err := s.sql.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, wrap(act, err)
	}
	defer func() { _ = rows.Close() }()
	var list []ops.Erasure
	for rows.Next() {
		e, err := s.scanErasure(rows)
		if err != nil {
			return nil, wrap(act, err)
		}
		list = append(list, e)
	}
	return list, wrap(act, rows.Err())
}

func erasuresSQL(q ops.ErasureQuery) (string, []any) {
	var where condition
	where.equal("state", string(q.State))
	return newestSQL("id, kind, state, NULL, subject_hash, COALESCE(storefront_id, 0), created_by, walked, total, scanned, matched, erased, created_at, ended_at",
		"event_erasures", where, q.Before, q.Limit)
}

// StorefrontCodes are the codes of all storefronts, by id.
func (s *Store) StorefrontCodes(ctx context.Context) (map[int64]string, error) {
	codes, err := s.storefrontCodes(ctx)
	return codes, wrap("list the codes of storefronts", err)
}

// SetReplayRate sets how many events a second a replay starts, and with it adds lines to the audit. Where the replay has that rate
// already, or has ended, nothing changes. It returns the replay as it is then.
func (s *Store) SetReplayRate(ctx context.Context, id int64, rate int, lines ...ops.AuditEntry) (ops.Replay, error) {
	err := s.tx(ctx, func(tx *sql.Tx) error {
		var state ops.ReplayState
		var was int
		if err := tx.QueryRowContext(ctx, "SELECT state, rate FROM event_replays WHERE id = ? FOR UPDATE", id).Scan(&state, &was); err != nil {
			return err
		}
		if state.Final() || was == rate {
			return nil
		}
		if _, err := tx.ExecContext(ctx, "UPDATE event_replays SET rate = ? WHERE id = ?", rate, id); err != nil {
			return err
		}
		return s.writeAudit(ctx, tx, lines...)
	})
	if err != nil {
		return ops.Replay{}, wrap(fmt.Sprintf("set the rate of replay %d", id), err)
	}
	return s.Replay(ctx, id)
}

// ReplayItems lists the events that a replay has started and not seen to end, and those that it holds: the newest first, below an
// id; 0 is the newest.
func (s *Store) ReplayItems(ctx context.Context, id, before int64, n int) ([]ops.EventSummary, error) {
	query, args := replayItemsSQL(id, before, n)
	ids, err := idsFrom(s.sql.QueryContext(ctx, query, args...))
	if err != nil {
		return nil, wrap(fmt.Sprintf("list the events of replay %d", id), err)
	}
	return s.Summaries(ctx, ids)
}

func replayItemsSQL(id, before int64, n int) (string, []any) {
	c := condition{[]string{"replay_id = ?"}, []any{id}}
	if before > 0 {
		c.and("marketing_event_id < ?", before)
	}
	return "SELECT marketing_event_id FROM event_replay_items FORCE INDEX (PRIMARY) WHERE " + c.String() + " ORDER BY marketing_event_id DESC LIMIT ?", append(c.args, n)
}
