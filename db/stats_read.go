package db

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"relay"
)

// Stats reads the figures of one storefront, or of all (0), for the hours from the one of from to the one before to. What is
// of this moment is looked up as it stands, with a bound; the rest was counted by RollUp.
func (s *Store) Stats(ctx context.Context, storefrontID int64, from, to time.Time) (relay.StatsReport, error) {
	r := relay.StatsReport{From: from.UTC().Truncate(time.Hour), To: to.UTC()}
	list, err := s.statsStorefronts(ctx, storefrontID)
	if err != nil {
		return r, fail("read the figures", err)
	}
	byID := map[int64]*relay.Stats{}
	for i := range list {
		byID[list[i].StorefrontID] = &list[i]
	}
	if err := s.addFigures(ctx, storefrontID, r, byID); err != nil {
		return r, fail("read the figures", err)
	}
	if err := s.addHealth(ctx, byID); err != nil {
		return r, fail("read the figures", err)
	}
	for i := range list {
		if err := s.addPresent(ctx, &list[i]); err != nil {
			return r, fail("read the figures", err)
		}
	}
	r.Storefronts = list
	var asOf sql.NullTime
	err = s.sql.QueryRowContext(ctx, "SELECT counted_at FROM event_stats_hours ORDER BY hour DESC LIMIT 1").Scan(&asOf)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	r.AsOf = asOf.Time
	return r, fail("read the figures", err)
}

func (s *Store) statsStorefronts(ctx context.Context, id int64) ([]relay.Stats, error) {
	query, args := "SELECT id, storefront_id FROM storefronts ORDER BY storefront_id", []any(nil)
	if id != 0 {
		query, args = "SELECT id, storefront_id FROM storefronts WHERE id = ?", []any{id}
	}
	rows, err := s.sql.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var list []relay.Stats
	for rows.Next() {
		st := relay.Stats{Destinations: map[string]relay.Counts{}, Counts: newCounts(), Health: map[string]relay.Health{}}
		if err := rows.Scan(&st.StorefrontID, &st.StorefrontCode); err != nil {
			return nil, err
		}
		list = append(list, st)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if id != 0 && len(list) == 0 {
		return nil, relay.ErrNotFound
	}
	return list, nil
}

func newCounts() relay.Counts {
	return relay.Counts{Failed: map[relay.Reason]int64{}, Skipped: map[relay.Reason]int64{}}
}

func (s *Store) addFigures(ctx context.Context, id int64, r relay.StatsReport, to map[int64]*relay.Stats) error {
	c := condition{[]string{"hour >= ? AND hour < ?"}, []any{r.From, r.To}}
	if id != 0 {
		c.and("storefront_id = ?", id)
	}
	rows, err := s.sql.QueryContext(ctx, "SELECT storefront_id, destination, outcome, reason, SUM(n) FROM event_stats WHERE "+c.String()+
		" GROUP BY storefront_id, destination, outcome, reason", c.args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var storefront, n int64
		var destination, outcome string
		var reason relay.Reason
		if err := rows.Scan(&storefront, &destination, &outcome, &reason, &n); err != nil {
			return err
		}
		if st := to[storefront]; st != nil {
			st.Add(destination, outcome, reason, n)
		}
	}
	return rows.Err()
}

// addPresent looks up what is of this moment: both by the claim key, and no further than the bound.
const presentSQL = `SELECT
	(SELECT COUNT(*) FROM (SELECT 1 FROM marketing_events FORCE INDEX (ix_marketing_events_claim)
		WHERE status = 'processing' AND storefront_id = ? LIMIT ?) p),
	(SELECT MIN(created_at) FROM (
		(SELECT created_at FROM marketing_events FORCE INDEX (ix_marketing_events_claim)
			WHERE status = 'pending' AND storefront_id = ? AND claimed_until = '1970-01-01 00:00:00' ORDER BY id LIMIT 1)
		UNION ALL
		(SELECT created_at FROM marketing_events FORCE INDEX (ix_marketing_events_claim)
			WHERE status = 'pending' AND storefront_id = ? AND claimed_until > '1970-01-01 00:00:00' ORDER BY claimed_until LIMIT 1000)) o)`

func (s *Store) addPresent(ctx context.Context, st *relay.Stats) error {
	var oldest sql.NullTime
	err := s.sql.QueryRowContext(ctx, presentSQL, st.StorefrontID, relay.StatsBound, st.StorefrontID, st.StorefrontID).Scan(&st.Retrying, &oldest)
	st.OldestPending = oldest.Time
	return err
}

func (s *Store) addHealth(ctx context.Context, to map[int64]*relay.Stats) error {
	rows, err := s.sql.QueryContext(ctx, "SELECT storefront_id, destination, failures, failing_since, unhealthy_since IS NOT NULL FROM destination_health WHERE failures > 0")
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var storefront int64
		var destination string
		var h relay.Health
		var since sql.NullTime
		if err := rows.Scan(&storefront, &destination, &h.Failures, &since, &h.Unhealthy); err != nil {
			return err
		}
		h.Since = since.Time
		if st := to[storefront]; st != nil {
			st.Health[destination] = h
		}
	}
	return rows.Err()
}
