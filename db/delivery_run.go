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

// startLease is how long a row counts as in flight at most, for a storefront's cap, after a run took it: a delivery that is
// still open after that waits for something, and burdens nobody.
const startLease = "60000000" // microseconds

// Take makes an event the run's own to deliver. False means that it is another's, or gone.
func (s *Store) Take(ctx context.Context, id int64, run string) (bool, error) {
	t := &taking{id: id, run: run}
	err := s.takes.do(ctx, t)
	if err != nil { // then somebody may still be at it
		return false, fail(fmt.Sprintf("take event %d", id), err)
	}
	return t.taken, nil
}

// Wait records what an event that a run took waits for. Unless it counts as in flight all the same, its lease ends. Of waits
// for several destinations the one that ends first is kept.
func (s *Store) Wait(ctx context.Context, id int64, w relay.Waiting) error {
	return fail(fmt.Sprintf("record the wait of event %d", id), s.waits.do(ctx, &waiting{id, w}))
}

// Finish writes what an event came to. Where it is no longer the run's own, or finished already, nothing changes. An event
// that failed for a destination's health ends only while that destination is unhealthy, else it is relay.ErrRecovered: the
// replay that began with the recovery finds what failed before, and may have passed the place of what fails after. For the same
// reason one whose attempts ran out before a recovery and that is finished after it is pending again.
func (s *Store) Finish(ctx context.Context, id int64, run string, c relay.EventOutcome) error {
	act := fmt.Sprintf("finish event %d", id)
	unhealthy, exhausted := c.Unhealthy(), c.Exhausted()
	if len(unhealthy)+len(exhausted) == 0 {
		ends, err := json.Marshal(c.Ends)
		if err != nil {
			return fail(act, err)
		}
		return fail(act, s.finishes.do(ctx, &finishing{id, run, c, ends}))
	}
	return fail(act, s.tx(ctx, func(tx *sql.Tx) error {
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
		return sendAgain(ctx, tx, id, exhausted)
	}))
}

// sendAgain sets an event back that just failed because its attempts ran out, where a destination has recovered since the last
// of them: the replay of the recovery may have passed its place. It keeps the health of the destinations from changing until
// the transaction ends, so that every other one fails before the recovery looks for it. The margin is for the clocks of workers.
func sendAgain(ctx context.Context, tx *sql.Tx, id int64, destinations []string) error {
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
