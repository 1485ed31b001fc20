package db

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"relay/internal/ops"
	"relay/internal/relay"
)

const (
	probePage = 20 // places per call
	// candidates is the number of failed events from which a probe is chosen: an event that fails by its own fault must not
	// be the only probe.
	candidates = 50
)

// Probe reports whether an attempt may probe an unhealthy destination. Only one attempt may when the probe is due; the next
// probe is due after the delay.
func (s *Store) Probe(ctx context.Context, storefront int64, destination string, next time.Duration) (bool, error) {
	found, err := s.exec(ctx, `UPDATE destination_health SET probe_at = UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND, probes = probes + 1,
		probed_at = UTC_TIMESTAMP(6) WHERE storefront_id = ? AND destination = ? AND unhealthy_since IS NOT NULL AND probe_at <= UTC_TIMESTAMP(6)`,
		next.Microseconds(), storefront, destination)
	return found == 1, wrap("probe "+destination, err)
}

// DueProbes lists unhealthy destinations whose probe is due. It returns each place at most once per interval, so that
// polling stays cheap while a place has no event to send.
func (s *Store) DueProbes(ctx context.Context, every time.Duration) ([]relay.UnhealthyDestination, error) {
	const due = `unhealthy_since IS NOT NULL AND probe_at <= UTC_TIMESTAMP(6)
		AND (sought_at IS NULL OR sought_at <= UTC_TIMESTAMP(6) - INTERVAL ? MICROSECOND)`
	list, err := s.listUnhealthy(ctx, s.sql, due+" ORDER BY probe_at LIMIT ?", every.Microseconds(), probePage)
	if err != nil || len(list) == 0 {
		return nil, wrap("list the probes that are due", err)
	}
	args := []any{}
	for _, p := range list {
		args = append(args, p.StorefrontID, p.Destination)
	}
	_, err = s.exec(ctx, "UPDATE destination_health SET sought_at = UTC_TIMESTAMP(6) WHERE (storefront_id, destination) IN ("+
		tuples("(?,?)", len(list))+")", args...)
	return list, wrap("list the probes that are due", err)
}

// UnhealthyDestinations lists the unhealthy destinations of a storefront, or of all storefronts (0).
func (s *Store) UnhealthyDestinations(ctx context.Context, storefront int64) ([]relay.UnhealthyDestination, error) {
	where, args := "unhealthy_since IS NOT NULL", []any(nil)
	if storefront != 0 {
		where, args = where+" AND storefront_id = ?", []any{storefront}
	}
	list, err := s.listUnhealthy(ctx, s.sql, where+" ORDER BY storefront_id, destination", args...)
	return list, wrap("list unhealthy destinations", err)
}

func (s *Store) listUnhealthy(ctx context.Context, q querier, where string, args ...any) ([]relay.UnhealthyDestination, error) {
	rows, err := q.QueryContext(ctx, `SELECT storefront_id, destination, failures, failing_since, reason, last_status, probes, probe_event_id
		FROM destination_health WHERE `+where, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var list []relay.UnhealthyDestination
	for rows.Next() {
		p := relay.UnhealthyDestination{Health: relay.Health{Unhealthy: true}}
		var since sql.NullTime
		var reason sql.NullString
		var status, event sql.NullInt64
		if err := rows.Scan(&p.StorefrontID, &p.Destination, &p.Failures, &since, &reason, &status, &p.Probes, &event); err != nil {
			return nil, err
		}
		p.Since, p.Reason, p.Status, p.ProbeEvent = since.Time, relay.Reason(reason.String), int(status.Int64), event.Int64
		list = append(list, p)
	}
	return list, rows.Err()
}

// StartProbe resets one event that failed at an unhealthy destination to pending, as the probe of the destination, and
// returns its id; 0 if the probe is not due (unless now), or no event failed there. The next probe is due after the delay.
// The lines are added to the audit in the same transaction.
func (s *Store) StartProbe(ctx context.Context, p relay.Place, now bool, next time.Duration, lines ...ops.AuditEntry) (int64, error) {
	since, err := s.UnhealthySince(ctx, p.StorefrontID, p.Destination)
	if err != nil || since.IsZero() {
		return 0, err
	}
	op := "probe " + p.Destination
	ids, err := s.probeCandidates(ctx, p, since)
	if err != nil || len(ids) == 0 {
		return 0, wrap(op, err)
	}
	var event int64
	err = s.tx(ctx, func(tx *sql.Tx) error {
		event = 0
		due, err := lockProbe(ctx, tx, p, now)
		if err != nil || !due {
			return err
		}
		done, err := setBackRows(ctx, tx, []int64{ids[rand.IntN(len(ids))]}, []relay.Status{relay.StatusFailed}, nil)
		if err != nil || len(done) == 0 {
			return err
		}
		event = done[0]
		if err := markProbe(ctx, tx, p, event, next); err != nil {
			return err
		}
		return s.writeAudit(ctx, tx, lines...)
	})
	return event, wrap(op, err)
}

// lockProbe locks the health of a place and reports whether its probe is due, or requested now.
func lockProbe(ctx context.Context, tx *sql.Tx, p relay.Place, now bool) (bool, error) {
	var due bool
	err := tx.QueryRowContext(ctx, `SELECT ? OR COALESCE(probe_at <= UTC_TIMESTAMP(6), TRUE) FROM destination_health
		WHERE storefront_id = ? AND destination = ? AND unhealthy_since IS NOT NULL FOR UPDATE`, now, p.StorefrontID, p.Destination).Scan(&due)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return due, err
}

// markProbe stores which event is the probe of a place.
func markProbe(ctx context.Context, tx *sql.Tx, p relay.Place, event int64, next time.Duration) error {
	_, err := tx.ExecContext(ctx, `UPDATE destination_health SET probe_event_id = ?, probes = probes + 1, probed_at = UTC_TIMESTAMP(6),
		probe_at = UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND WHERE storefront_id = ? AND destination = ?`,
		event, next.Microseconds(), p.StorefrontID, p.Destination)
	return err
}

// probeCandidates returns events that a recovery of a destination would send again, the newest first: they are the least
// likely to be too old for the destination.
func (s *Store) probeCandidates(ctx context.Context, p relay.Place, since time.Time) ([]int64, error) {
	r := ops.RecoveryReplay(p.StorefrontID, p.Destination, since)
	w, err := s.plan(ctx, r.Pick(), true)
	if err != nil {
		return nil, err
	}
	hits, _, err := w.page(ctx, s.sql, ops.Position{}, candidates)
	if err != nil || len(hits) == 0 {
		return nil, err
	}
	targets, err := readTargets(ctx, s.sql, positionIDs(hits), nil)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(positionIDs(hits), func(id int64) bool {
		return !slices.Contains(targets[id].destinations, p.Destination)
	}), nil
}

// target is the storefront and the destinations to which a reset event would be sent.
type target struct {
	storefront   int64
	destinations []string // empty if no delivery of it has ended
}

// readTargets reads the destinations to which events would be sent again: those where they ended without being accepted, and
// those of resend.
func readTargets(ctx context.Context, q querier, ids []int64, resend []string) (map[int64]target, error) {
	found := make(map[int64]target, len(ids))
	for chunk := range slices.Chunk(ids, maxRows) {
		rows, err := q.QueryContext(ctx, "SELECT id, COALESCE(storefront_id, 0), COALESCE(ends, '') FROM marketing_events WHERE id IN ("+
			tuples("?", len(chunk))+")", numbers(chunk)...)
		if err != nil {
			return nil, err
		}
		if err := scanTargets(rows, resend, found); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func scanTargets(rows *sql.Rows, resend []string, to map[int64]target) error {
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id int64
		var t target
		var stored string
		if err := rows.Scan(&id, &t.storefront, &stored); err != nil {
			return err
		}
		var ends []relay.DeliveryResult
		_ = json.Unmarshal([]byte(stored), &ends) // none, or ours
		for _, e := range ends {
			if e.Outcome != relay.Accepted || slices.Contains(resend, e.Destination) {
				t.destinations = append(t.destinations, e.Destination)
			}
		}
		to[id] = t
	}
	return rows.Err()
}

func positionIDs(hits []ops.Position) []int64 {
	ids := make([]int64, len(hits))
	for i, h := range hits {
		ids[i] = h.ID
	}
	return ids
}
