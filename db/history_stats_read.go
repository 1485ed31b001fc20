package db

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"relay/internal/ops"
	"relay/internal/relay"
)

// Stats reads the statistics of one storefront, or of all (0), for the hours from that of from to the one before to. Present
// values are queried, with a bound; the others were counted by RollUp. The number of statements does not depend on the
// number of storefronts.
func (s *Store) Stats(ctx context.Context, storefrontID int64, from, to time.Time) (ops.StatsReport, error) {
	r := ops.StatsReport{From: from.UTC().Truncate(time.Hour), To: to.UTC()}
	err := s.readStats(ctx, storefrontID, &r)
	return r, wrap("read the statistics", err)
}

func (s *Store) readStats(ctx context.Context, storefrontID int64, r *ops.StatsReport) error {
	list, err := s.statsStorefronts(ctx, storefrontID)
	if err != nil {
		return err
	}
	to := statsOf{byID: map[int64]*ops.Stats{}}
	for i := range list {
		to.byID[list[i].StorefrontID] = &list[i]
	}
	r.Storefronts = list
	if storefrontID == 0 {
		r.Unknown = newStats()
		to.unknown = &r.Unknown
	}
	for _, read := range []func() error{
		func() error { return s.addStats(ctx, storefrontID, *r, to) },
		func() error { return s.addPresent(ctx, storefrontID, to, &r.AsOf) },
	} {
		if err := read(); err != nil {
			return err
		}
	}
	return nil
}

// statsOf holds the statistics by storefront. Rows without a known storefront are counted under unknown, if requested.
type statsOf struct {
	byID    map[int64]*ops.Stats
	unknown *ops.Stats
}

// of returns nil if the statistics of a storefront are not requested.
func (s statsOf) of(storefront int64) *ops.Stats {
	if st := s.byID[storefront]; st != nil {
		return st
	}
	return s.unknown
}

func newStats() ops.Stats {
	return ops.Stats{Destinations: map[string]ops.Counts{}, Counts: newCounts(), Health: map[string]relay.Health{}}
}

// statsStorefronts returns the storefronts, or the one with this id, with the destinations that fail.
func (s *Store) statsStorefronts(ctx context.Context, id int64) ([]ops.Stats, error) {
	var where condition
	if id != 0 {
		where.and("s.id = ?", id)
	}
	rows, err := s.sql.QueryContext(ctx, `SELECT s.id, s.storefront_id, COALESCE(h.destination, ''), COALESCE(h.failures, 0), h.failing_since, h.unhealthy_since IS NOT NULL
		FROM storefronts s LEFT JOIN destination_health h ON h.storefront_id = s.id AND h.failures > 0 WHERE `+where.String()+` ORDER BY s.storefront_id`, where.args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var list []ops.Stats
	for rows.Next() {
		st := newStats()
		var destination string
		var h relay.Health
		var since sql.NullTime
		if err := rows.Scan(&st.StorefrontID, &st.StorefrontCode, &destination, &h.Failures, &since, &h.Unhealthy); err != nil {
			return nil, err
		}
		if len(list) == 0 || list[len(list)-1].StorefrontID != st.StorefrontID {
			list = append(list, st)
		}
		if destination != "" {
			h.Since = since.Time
			list[len(list)-1].Health[destination] = h
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if id != 0 && len(list) == 0 {
		return nil, relay.ErrNotFound
	}
	return list, nil
}

func newCounts() ops.Counts {
	return ops.Counts{Failed: map[relay.Reason]int64{}, Skipped: map[relay.Reason]int64{}}
}

func (s *Store) addStats(ctx context.Context, id int64, r ops.StatsReport, to statsOf) error {
	c := condition{[]string{"hour >= ? AND hour < ?"}, []any{r.From, r.To}}
	if id != 0 {
		c.and("storefront_id = ?", id)
	}
	rows, err := s.sql.QueryContext(ctx, "SELECT storefront_id, destination, outcome, reason, SUM(n) FROM "+statsTable(id)+" WHERE "+c.String()+
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
		if st := to.of(storefront); st != nil {
			st.Add(destination, outcome, reason, n)
		}
	}
	return rows.Err()
}

// Both queries of present values use the claim key. The grouped ones skip from storefront to storefront ("Using index for
// group-by"), so that a backlog of millions costs nothing: the key ends with the id, which is the order of arrival.
const (
	retryingSQL = `SELECT COALESCE(storefront_id, 0) AS storefront, COUNT(*) AS n FROM (SELECT storefront_id FROM marketing_events FORCE INDEX (ix_marketing_events_claim)
		WHERE status = 'processing'%s LIMIT ?) p GROUP BY 1`
	oldestSQL = `SELECT COALESCE(storefront_id, 0) AS storefront, MIN(created_at) AS since FROM (
		SELECT e.storefront_id, e.created_at FROM (SELECT MIN(id) AS id FROM marketing_events FORCE INDEX (ix_marketing_events_claim)
			WHERE status = 'pending' AND claimed_until = '1970-01-01 00:00:00'%[1]s GROUP BY status, storefront_id) o
			JOIN marketing_events e ON e.id = o.id
		UNION ALL
		SELECT e.storefront_id, e.created_at FROM (SELECT storefront_id, MIN(claimed_until) AS leased FROM marketing_events FORCE INDEX (ix_marketing_events_claim)
			WHERE status = 'pending' AND claimed_until > '1970-01-01 00:00:00'%[1]s GROUP BY status, storefront_id) l
			JOIN marketing_events e FORCE INDEX (ix_marketing_events_claim)
			ON e.status = 'pending' AND e.storefront_id <=> l.storefront_id AND e.claimed_until = l.leased) a GROUP BY 1`
	countedSQL = "(SELECT %s FROM event_stats_hours ORDER BY hour DESC LIMIT 1)" // when the newest hour was counted
	boundOfAll = 100 * ops.StatsBound                                            // rows that are counted of all storefronts together
)

// oldestOfAll is oldestSQL for all storefronts.
var oldestOfAll = fmt.Sprintf(oldestSQL, "")

// presentSQL returns the statement for what is not counted beforehand: the events in delivery, since when the oldest event has been
// pending, and when the newest hour was counted.
func presentSQL(id int64) (string, []any) {
	narrow, args := "", []any{boundOfAll}
	if id != 0 {
		narrow, args = " AND storefront_id = ?", []any{id, ops.StatsBound, id, id}
	}
	return "SELECT storefront, n, NULL AS since, NULL AS counted FROM (" + fmt.Sprintf(retryingSQL, narrow) + ") r UNION ALL SELECT storefront, NULL, since, NULL FROM (" +
		fmt.Sprintf(oldestSQL, narrow) + ") a UNION ALL " + fmt.Sprintf(countedSQL, "NULL, NULL, NULL, counted_at"), args
}

func (s *Store) addPresent(ctx context.Context, id int64, to statsOf, asOf *time.Time) error {
	query, args := presentSQL(id)
	rows, err := s.sql.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var storefront, n sql.NullInt64
		var since, counted sql.NullTime
		if err := rows.Scan(&storefront, &n, &since, &counted); err != nil {
			return err
		}
		if counted.Valid {
			*asOf = counted.Time
			continue
		}
		if st := to.of(storefront.Int64); st != nil {
			st.Retrying = min(st.Retrying+n.Int64, ops.StatsBound)
			if since.Valid && (st.OldestPending.IsZero() || since.Time.Before(st.OldestPending)) {
				st.OldestPending = since.Time
			}
		}
	}
	return rows.Err()
}

// eachStorefront reads rows of a storefront's id, 0 where it has none, and one value.
func eachStorefront[T any](ctx context.Context, s *Store, query string, args []any, add func(int64, T)) error {
	rows, err := s.sql.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var storefront int64
		var value T
		if err := rows.Scan(&storefront, &value); err != nil {
			return err
		}
		add(storefront, value)
	}
	return rows.Err()
}
