package db

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"relay/internal/relay"
)

// platformsSQL reads the platforms that a storefront's events may go to. The collation is spelled out because the tables may be the
// earlier service's.
const platformsSQL = "SELECT " + targetColumns + ` FROM platform_credentials k JOIN ad_analytics_platforms p ON p.id = k.platform_id
	LEFT JOIN destination_health h ON h.storefront_id = k.storefront_id AND h.destination = CONVERT(p.code USING utf8mb4) COLLATE utf8mb4_bin
	WHERE k.storefront_id = ? AND k.is_active AND p.is_active AND p.code IS NOT NULL`

// endedSQL reads how a run finished its event.
const endedSQL = `SELECT status, COALESCE(reason, ''), COALESCE(detail, ''), ends FROM marketing_events
	WHERE id = ? AND run_id = ? AND status IN ('delivered', 'failed', 'skipped')`

// Begin takes an event for the first attempts of a run, and reads everything that they need. An event that this run has finished
// is not taken again, as Take does for a reset: the task of the run was repeated, and Ended is how the event ended. An event whose
// storefront is gone is taken and relay.ErrNotFound.
func (s *Store) Begin(ctx context.Context, id int64, run string) (relay.Opening, error) {
	op := fmt.Sprintf("begin event %d", id)
	t := &taking{id: id, run: run, open: true}
	if err := s.takes.do(ctx, t); err != nil {
		return relay.Opening{}, wrap(op, err)
	}
	if !t.taken {
		ended, err := s.ended(ctx, id, run)
		return relay.Opening{Ended: ended}, wrap(op, err)
	}
	o, err := s.opening(ctx, id, run)
	return o, wrap(op, err)
}

// ended is how a run finished an event; nil where it did not.
func (s *Store) ended(ctx context.Context, id int64, run string) (*relay.EventOutcome, error) {
	var c relay.EventOutcome
	var ends []byte
	err := s.prepared.scan(ctx, []any{&c.Status, &c.Reason, &c.Detail, &ends}, endedSQL, id, run)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil //nolint:nilnil // as the comment says
	}
	if err := errors.Join(err, unmarshalNull(ends, &c.Ends)); err != nil {
		return nil, err
	}
	return &c, nil
}

// opening reads the event with its container and, where that is not active, the storefront's platforms.
func (s *Store) opening(ctx context.Context, id int64, run string) (relay.Opening, error) {
	var r deliveryRow
	if err := s.notice(s.prepared.scan(ctx, r.dest(), deliverySQL, relay.SGTM, relay.SGTM, id)); err != nil {
		return relay.Opening{Taken: errors.Is(err, sql.ErrNoRows)}, err
	}
	d, numbers, err := r.delivery(id, run)
	if err != nil || !d.Owned {
		return relay.Opening{}, err
	}
	o := relay.Opening{Taken: true, Switches: d.Switches, Deliveries: map[string]relay.Delivery{}}
	add := func(destination string, to relay.Destination, h relay.Health, err error) {
		if err == nil { // else the attempt by itself reports what cannot be read
			d.Destination, d.Health, d.LastNumber = to, h, numbers[destination]
			o.Deliveries[destination] = d
		}
	}
	if r.sgtmActive() {
		to, err := s.container(&r)
		add(relay.SGTM, to, d.Health, err)
		return o, nil
	}
	rows, err := s.prepared.query(ctx, platformsSQL, r.storefront.ID)
	if err != nil {
		return o, s.notice(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var t targetRow
		if err := rows.Scan(t.dest()...); err != nil {
			return o, err
		}
		to, err := s.platform(&t)
		add(t.code.String, to, t.health(), err)
	}
	return o, rows.Err()
}

func (r *deliveryRow) sgtmActive() bool { return r.levels.sgtm.Bool }

// concluding is a run whose event ends with the attempts that end.
type concluding struct {
	event    finishing
	attempts completing
}

// Conclude completes the last attempts of an event and writes the event's outcome, both or neither. The event is as in Finish;
// an outcome that depends on the health of a destination is for Finish only.
func (s *Store) Conclude(ctx context.Context, id int64, run string, c relay.EventOutcome, ends []relay.AttemptEnd) error {
	op := fmt.Sprintf("conclude event %d", id)
	if len(ends) == 0 {
		return s.Finish(ctx, id, run, c)
	}
	text, err := json.Marshal(c.Ends)
	if err != nil {
		return wrap(op, err)
	}
	return wrap(op, s.wholes.do(ctx, &concluding{finishing{id, run, c, text}, completing{ends}}))
}

// concludeOne writes both with one statement, which finds nothing where the event is not the run's any more, or ended already:
// then the attempts are completed by themselves.
func (s *Store) concludeOne(ctx context.Context, c *concluding) error {
	columns := make([]string, len(endColumns))
	for i, name := range endColumns {
		columns[i] = "a." + name // both tables have a reason
	}
	p := newCaseUpdate("a.attempt_id", len(c.attempts.ends))
	for _, e := range c.attempts.ends {
		p.add(e.AttemptID, endValues(e)...)
	}
	found, err := s.execPrepared(ctx, "UPDATE marketing_events e JOIN event_attempts a ON a.marketing_event_id = e.id SET "+p.set(columns...)+`,
		e.status = ?, e.reason = ?, e.detail = ?, e.ends = ?, e.finished_at = UTC_TIMESTAMP(6), e.updated_at = UTC_TIMESTAMP(6)
		WHERE e.id = ? AND e.run_id = ? AND e.status = 'processing' AND a.attempt_id IN (`+p.keys()+") AND a.outcome = 'sending'",
		append(append(p.setArgs(), c.event.args()...), p.key...)...)
	if err != nil || found > 0 {
		return err
	}
	return s.completeOne(ctx, &c.attempts)
}

// concludeMany concludes several events in one transaction.
func (s *Store) concludeMany(ctx context.Context, all []*concluding) (alone []*concluding, err error) {
	id := func(c *concluding) int64 { return c.event.id }
	return withLocked(ctx, s, all, id, func(tx *sql.Tx, free []*concluding, owners []owner) error {
		var ends []relay.AttemptEnd
		finishings := make([]*finishing, len(free))
		for i, c := range free {
			ends, finishings[i] = append(ends, c.attempts.ends...), &c.event
		}
		if err := finishLocked(ctx, tx, finishings, owners); err != nil {
			return err
		}
		query, args := completeSQL(ends)
		_, err := tx.ExecContext(ctx, query, args...)
		return err
	})
}
