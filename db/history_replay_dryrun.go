package db

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"time"

	"relay/internal/ops"
	"relay/internal/relay"
)

// DryRun counts the events that a replay would start, by storefront, destination and reason, and how many of them are too
// old. It reads up to ops.DryRunBound matches in turn, the oldest first, and keeps only the counts; where there are more, the result
// is partial, and they are counted without being read. maxAge returns how old an event may be at a storefront's
// destination; 0 is no limit.
func (s *Store) DryRun(ctx context.Context, r ops.Replay, maxAge func(storefrontID int64, destination string) time.Duration) (ops.DryRun, error) {
	const op = "count what a replay would start"
	if err := checkDestinations(r.Resend); err != nil {
		return ops.DryRun{}, wrap(op, err)
	}
	w, err := s.plan(ctx, r.Pick(), false)
	if err != nil {
		return ops.DryRun{}, wrap(op, err)
	}
	c := counting{resend: r.Resend, maxAge: maxAge, tallies: map[ops.Tally]*ops.Tally{}}
	partial := false
	for _, a := range w.ranges {
		n, err := s.countRange(ctx, a.from, a.where.plus(w.residual), &c)
		if err != nil {
			return ops.DryRun{}, wrap(op, err)
		}
		partial = partial || n > ops.DryRunBound
	}
	d := c.result()
	if d.Partial = partial; partial {
		d.Events, err = s.CountEvents(ctx, r.Pick())
	}
	return d, wrap(op, err)
}

// counting is a dry run in progress.
type counting struct {
	resend  []string
	maxAge  func(storefrontID int64, destination string) time.Duration
	now     time.Time
	events  int64
	tallies map[ops.Tally]*ops.Tally // by their names; the counts in the keys are zero
}

// countRange returns how many rows it has read: one beyond the bound, which it does not count, says that there are more.
func (s *Store) countRange(ctx context.Context, from string, where condition, c *counting) (int, error) {
	if err := s.sql.QueryRowContext(ctx, "SELECT UTC_TIMESTAMP(6)").Scan(&c.now); err != nil {
		return 0, err
	}
	rows, err := s.sql.QueryContext(ctx, `SELECT COALESCE(e.storefront_id, 0), COALESCE(e.storefront_code, ''), COALESCE(e.reason, ''),
		COALESCE(e.ends, ''), e.created_at, COALESCE(e.source_system, ''), e.event_payload FROM `+from+" WHERE "+where.String()+" ORDER BY e.created_at, e.id LIMIT ?", append(where.args, ops.DryRunBound+1)...)
	if err != nil {
		return 0, err
	}
	defer func() { _ = rows.Close() }()
	n := 0
	for rows.Next() {
		if n++; n > ops.DryRunBound {
			break
		}
		var t ops.Tally
		var ends string
		var payload sql.RawBytes
		e := relay.Event{Now: c.now}
		if err := rows.Scan(&t.StorefrontID, &t.StorefrontCode, &t.Reason, &ends, &e.CreatedAt, &e.Source, &payload); err != nil {
			return n, err
		}
		// Go parses the payload, as a delivery does: MySQL's JSON functions fail at a hundred levels.
		e.Payload, _ = relay.ParsePayload(payload) // an unreadable payload has the row's time
		c.add(t, ends, e.Age())
	}
	return n, rows.Err()
}

// add counts one event at each destination where it would be attempted again.
func (c *counting) add(t ops.Tally, stored string, age time.Duration) {
	c.events++
	var ends []relay.DeliveryResult
	_ = json.Unmarshal([]byte(stored), &ends) // none, or ours
	ends = slices.DeleteFunc(ends, func(e relay.DeliveryResult) bool {
		return e.Outcome == relay.Accepted && !slices.Contains(c.resend, e.Destination)
	})
	if len(ends) == 0 {
		c.count(t, age)
	}
	for _, e := range ends {
		t.Destination, t.Reason = e.Destination, e.Reason
		c.count(t, age)
	}
}

func (c *counting) count(t ops.Tally, age time.Duration) {
	sum := c.tallies[t]
	if sum == nil {
		sum = &ops.Tally{StorefrontID: t.StorefrontID, StorefrontCode: t.StorefrontCode, Destination: t.Destination, Reason: t.Reason}
		c.tallies[t] = sum
	}
	sum.Events++
	if t.Destination == "" {
		return
	}
	if limit := c.maxAge(t.StorefrontID, t.Destination); limit > 0 && age > limit {
		sum.TooOld++
	}
}

func (c *counting) result() ops.DryRun {
	d := ops.DryRun{Events: c.events, Tallies: []ops.Tally{}}
	for _, t := range c.tallies {
		d.Tallies = append(d.Tallies, *t)
	}
	slices.SortFunc(d.Tallies, func(a, b ops.Tally) int {
		return cmp.Or(cmp.Compare(a.StorefrontID, b.StorefrontID), cmp.Compare(a.Destination, b.Destination), cmp.Compare(a.Reason, b.Reason))
	})
	return d
}
