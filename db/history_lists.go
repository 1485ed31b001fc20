package db

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"relay/internal/ops"
)

// Replays lists replays, newest first.
func (s *Store) Replays(ctx context.Context, q ops.ReplayQuery) ([]ops.Replay, error) {
	query, args := replaysSQL(q)
	list, err := scanReplays(s.sql.QueryContext(ctx, query, args...))
	return list, wrap("list replays", err)
}

func replaysSQL(q ops.ReplayQuery) (string, []any) {
	return newestSQL(replayColumns, "event_replays", q.States, q.Before, q.Limit)
}

// newestSQL reads one page of a table, newest first: of all states, or of each of some by the table's key (state, id).
func newestSQL[S ~string](columns, table string, states []S, before int64, limit int) (string, []any) {
	var below condition
	if before > 0 {
		below.and("id < ?", before)
	}
	const newest = " ORDER BY id DESC LIMIT ?"
	if len(states) == 0 {
		return "SELECT " + columns + " FROM " + table + " FORCE INDEX (PRIMARY) WHERE " + below.String() + newest, append(below.args, limit)
	}
	var selects []string
	var args []any
	for _, state := range states {
		where := condition{[]string{"state = ?"}, []any{string(state)}}.plus(below)
		selects = append(selects, "(SELECT id AS found FROM "+table+" FORCE INDEX (ix_"+table+"_state) WHERE "+where.String()+newest+")")
		args = append(append(args, where.args...), limit)
	}
	return "SELECT " + columns + " FROM (" + strings.Join(selects, " UNION ALL ") + ") p STRAIGHT_JOIN " + table + " FORCE INDEX (PRIMARY) ON id = found ORDER BY found DESC LIMIT ?", append(args, limit)
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
	var states []ops.ErasureState
	if q.State != "" {
		states = append(states, q.State)
	}
	return newestSQL("id, kind, state, NULL, subject_hash, COALESCE(storefront_id, 0), created_by, walked, total, scanned, matched, erased, created_at, ended_at",
		"event_erasures", states, q.Before, q.Limit)
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
	c := condition{[]string{"i.replay_id = ?"}, []any{id}}
	if before > 0 {
		c.and("i.marketing_event_id < ?", before)
	}
	// An event that was purged since does not count: a page that is short of it would look like the last one.
	return "SELECT i.marketing_event_id FROM event_replay_items i FORCE INDEX (PRIMARY) STRAIGHT_JOIN marketing_events e FORCE INDEX (PRIMARY) " +
		"ON e.id = i.marketing_event_id WHERE " + c.String() + " ORDER BY i.marketing_event_id DESC LIMIT ?", append(c.args, n)
}
