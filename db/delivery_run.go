package db

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"unicode/utf8"

	"relay/internal/relay"
)

// startLease is the longest time for which a taken row counts as in flight against MAX_IN_FLIGHT. A delivery that is still
// open after that is waiting and needs no slot.
const startLease = "60000000" // microseconds

// Take makes a run the owner of its event. False means that another run owns it or that the row does not exist.
func (s *Store) Take(ctx context.Context, id int64, run string) (bool, error) {
	t := &taking{id: id, run: run}
	err := s.takes.do(ctx, t)
	if err != nil { // an attempt may still be running
		return false, wrap(fmt.Sprintf("take event %d", id), err)
	}
	return t.taken, nil
}

// Wait records what an event in delivery waits for. Unless the event still counts as in flight, its lease ends. Of the waits
// for several destinations, the one that ends first is kept.
func (s *Store) Wait(ctx context.Context, id int64, w relay.Waiting) error {
	return wrap(fmt.Sprintf("record the wait of event %d", id), s.waits.do(ctx, &waiting{id, w}))
}

// Finish writes the final status of an event. If another run owns the row, or the event has ended, nothing changes.
//
// An event that failed because a destination is unhealthy ends only while that destination is unhealthy; otherwise the error
// is relay.ErrRecovered. The replay that a recovery starts scans the events that failed before; an event that fails later
// could be behind its cursor. For the same reason an event whose attempts ran out before a recovery and that finishes after
// it is reset to pending.
func (s *Store) Finish(ctx context.Context, id int64, run string, c relay.EventOutcome) error {
	op := fmt.Sprintf("finish event %d", id)
	unhealthy, exhausted := c.Unhealthy(), c.Exhausted()
	if len(unhealthy)+len(exhausted) == 0 {
		ends, err := json.Marshal(c.Ends)
		if err != nil {
			return wrap(op, err)
		}
		return wrap(op, s.finishes.do(ctx, &finishing{id, run, c, ends}))
	}
	return wrap(op, s.tx(ctx, func(tx *sql.Tx) error {
		if len(unhealthy) > 0 {
			if err := stillUnhealthy(ctx, tx, id, unhealthy); err != nil {
				return err
			}
		}
		ends, err := json.Marshal(c.Ends)
		if err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, finishSQL, (&finishing{id, run, c, ends}).args()...)
		if err != nil || len(exhausted) == 0 {
			return err
		}
		if found, err := res.RowsAffected(); err != nil || found == 0 {
			return err
		}
		return reopenForResend(ctx, tx, id, exhausted)
	}))
}

// reopenForResend resets an event that has just failed because its attempts ran out, if a destination has recovered since
// the last of them: the recovery's replay may be past its position. It locks the health of the destinations until the
// transaction ends, so that any other event fails before the recovery searches for it. The margin allows for the clocks of
// workers.
func reopenForResend(ctx context.Context, tx *sql.Tx, id int64, destinations []string) error {
	args := []any{int(relay.RecoveryMargin.Seconds()), id}
	for _, d := range destinations {
		args = append(args, d)
	}
	var missed int
	err := tx.QueryRowContext(ctx, `SELECT COALESCE(SUM(r.missed), 0) FROM (SELECT h.recovered_at > (SELECT MAX(a.started_at) - INTERVAL ? SECOND
		FROM event_attempts a WHERE a.marketing_event_id = e.id AND a.destination = h.destination) AS missed
		FROM marketing_events e JOIN destination_health h ON h.storefront_id = e.storefront_id
		WHERE e.id = ? AND h.destination IN (`+tuples("?", len(destinations))+`) LOCK IN SHARE MODE) r`, args...).Scan(&missed)
	if err != nil || missed == 0 {
		return err
	}
	_, err = setBackRows(ctx, tx, []int64{id}, []relay.Status{relay.StatusFailed}, nil)
	return err
}

// stillUnhealthy locks the health of destinations until the transaction ends, and returns relay.ErrRecovered if one of them
// is healthy.
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

// Release ends the leases of rows whose start failed: they are free again, behind the rows that were free before.
func (s *Store) Release(ctx context.Context, ids []int64) error {
	for chunk := range slices.Chunk(ids, maxRows) {
		args := make([]any, len(chunk))
		for i, id := range chunk {
			args[i] = id
		}
		_, err := s.exec(ctx, `UPDATE marketing_events SET claimed_until = DEFAULT, updated_at = UTC_TIMESTAMP(6)
			WHERE id IN (`+tuples("?", len(chunk))+") AND status = 'pending'", args...)
		if err != nil {
			return wrap(fmt.Sprintf("release %d events", len(ids)), err)
		}
	}
	return nil
}

// maxText is the size of a TEXT column in bytes.
const maxText = 65535

// cut shortens a text to at most n bytes, at the boundary of a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
