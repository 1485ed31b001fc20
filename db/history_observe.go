package db

import (
	"cmp"
	"context"
	"database/sql"
	"time"

	"relay/internal/ops"
	"relay/internal/relay"
)

// Observe reads the present state of the relay. Its cost does not depend on the number of events: open events are counted by
// the claim key, up to ops.BacklogBound per storefront, and ended events were counted by RollUp.
func (s *Store) Observe(ctx context.Context) (ops.Observation, error) {
	o := &observing{Store: s, codes: map[int64]string{}}
	for _, step := range []func(context.Context) error{o.readSwitches, o.readCredentials, o.readHealth, o.readBacklogs, o.readStats} {
		if err := step(ctx); err != nil {
			return ops.Observation{}, wrap("observe", err)
		}
	}
	var err error
	o.seen.Reconciliation, o.seen.Repaired, err = s.Reconciliation(ctx)
	return o.seen, err
}

// PoolStats returns the statistics of the connection pool.
func (s *Store) PoolStats() sql.DBStats { return s.sql.Stats() }

// observing is one observation in progress.
type observing struct {
	*Store
	seen  ops.Observation
	codes map[int64]string // of the storefronts, by id
}

func (o *observing) each(ctx context.Context, query string, row func(*sql.Rows) error, args ...any) error {
	rows, err := o.sql.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// readSwitches reads the first two levels of the kill switches, and the storefronts.
func (o *observing) readSwitches(ctx context.Context) error {
	return o.each(ctx, `SELECT s.id, s.storefront_id, s.is_active, c.is_active FROM storefronts s
		LEFT JOIN storefront_sgtm_config c ON c.storefront_id = s.id ORDER BY s.storefront_id`, func(rows *sql.Rows) error {
		var id int64
		var code string
		var on bool
		var sgtm sql.NullBool
		if err := rows.Scan(&id, &code, &on, &sgtm); err != nil {
			return err
		}
		o.codes[id] = code
		o.seen.Switches = append(o.seen.Switches, ops.SwitchState{Level: ops.LevelStorefront, Storefront: code, On: on})
		if sgtm.Valid {
			o.seen.Switches = append(o.seen.Switches,
				ops.SwitchState{Level: ops.LevelSGTM, Storefront: code, Destination: relay.SGTM, On: sgtm.Bool})
		}
		return nil
	})
}

// readCredentials reads the other two levels, for platforms with a credential.
func (o *observing) readCredentials(ctx context.Context) error {
	platforms := map[string]bool{}
	return o.each(ctx, `SELECT k.storefront_id, p.code, p.is_active, k.is_active FROM platform_credentials k
		JOIN ad_analytics_platforms p ON p.id = k.platform_id WHERE p.code IS NOT NULL ORDER BY k.storefront_id, p.code`, func(rows *sql.Rows) error {
		var storefront int64
		var code string
		var platform, credential bool
		if err := rows.Scan(&storefront, &code, &platform, &credential); err != nil {
			return err
		}
		if !platforms[code] {
			platforms[code] = true
			o.seen.Switches = append(o.seen.Switches, ops.SwitchState{Level: ops.LevelPlatform, Destination: code, On: platform})
		}
		o.seen.Switches = append(o.seen.Switches,
			ops.SwitchState{Level: ops.LevelCredential, Storefront: o.codes[storefront], Destination: code, On: credential})
		return nil
	})
}

func (o *observing) readHealth(ctx context.Context) error {
	return o.each(ctx, "SELECT storefront_id, destination, failures, failing_since, unhealthy_since IS NOT NULL FROM destination_health",
		func(rows *sql.Rows) error {
			var storefront int64
			var d ops.DestinationState
			var since sql.NullTime
			if err := rows.Scan(&storefront, &d.Destination, &d.Failures, &since, &d.Unhealthy); err != nil {
				return err
			}
			d.Storefront, d.Since = o.codes[storefront], since.Time
			o.seen.Destinations = append(o.seen.Destinations, d)
			return nil
		})
}

// backlogSQL counts by the claim key alone, up to its bound. It looks for the oldest row among the first rows by
// claimed_until: a lease moves a row that was claimed and not started behind them. NULL is the storefront of rows whose code
// is not resolved yet.
const backlogSQL = `SELECT
	(SELECT COUNT(*) FROM (SELECT 1 FROM marketing_events FORCE INDEX (ix_marketing_events_claim)
		WHERE status = 'pending' AND storefront_id <=> ? LIMIT ?) p),
	(SELECT COUNT(*) FROM (SELECT 1 FROM marketing_events FORCE INDEX (ix_marketing_events_claim)
		WHERE status = 'processing' AND storefront_id <=> ? LIMIT ?) r),
	(SELECT TIMESTAMPDIFF(MICROSECOND, MIN(created_at), UTC_TIMESTAMP(6)) FROM (SELECT created_at
		FROM marketing_events FORCE INDEX (ix_marketing_events_claim)
		WHERE status = 'pending' AND storefront_id <=> ? ORDER BY claimed_until LIMIT 1000) o)`

func (o *observing) readBacklogs(ctx context.Context) error {
	limits, err := o.Limits(ctx)
	if err != nil {
		return err
	}
	open := map[int64]bool{}
	for _, status := range []relay.Status{relay.StatusPending, relay.StatusProcessing} {
		ids, err := o.openStorefronts(ctx, status)
		if err != nil {
			return err
		}
		for _, id := range ids {
			open[id] = true
		}
	}
	for id, code := range o.codes {
		if !open[id] {
			o.seen.Backlogs = append(o.seen.Backlogs, ops.Backlog{Storefront: code})
		}
	}
	for id := range open {
		limited, err := o.usesUp(ctx, limits, id)
		if err != nil {
			return err
		}
		b := ops.Backlog{Storefront: cmp.Or(o.codes[id], "unknown"), Limited: limited, Held: map[relay.WaitsFor]time.Duration{}}
		events, err := o.held(ctx, id)
		if err != nil {
			return err
		}
		for _, h := range events {
			b.Held[h.waitsFor] = h.age
		}
		if err := o.readBacklog(ctx, id, b); err != nil {
			return err
		}
	}
	return o.readBacklog(ctx, nil, ops.Backlog{})
}

// usesUp reports whether a storefront's backlog waits for a limit: started rows are under a lease. Without a worker the
// leases expire, and the backlog waits for a worker.
func (o *observing) usesUp(ctx context.Context, limits map[int64]Limited, id int64) (bool, error) {
	if _, limited := limits[id]; !limited {
		return false, nil
	}
	n, err := o.inFlight(ctx, id, 1)
	return n > 0, err
}

func (o *observing) readBacklog(ctx context.Context, id any, b ops.Backlog) error {
	var oldest sql.NullInt64
	err := o.sql.QueryRowContext(ctx, backlogSQL, id, ops.BacklogBound, id, ops.BacklogBound, id).Scan(&b.Pending, &b.Processing, &oldest)
	b.Oldest = time.Duration(max(0, oldest.Int64)) * time.Microsecond
	o.seen.Backlogs = append(o.seen.Backlogs, b)
	return err
}

// readStats reads the statistics of one day, which RollUp has counted: 25 rows for each storefront and status.
func (o *observing) readStats(ctx context.Context) error {
	err := o.each(ctx, `SELECT storefront_id, outcome, SUM(n) FROM event_stats
		WHERE hour >= UTC_TIMESTAMP() - INTERVAL 24 HOUR AND destination = '' GROUP BY storefront_id, outcome`, func(rows *sql.Rows) error {
		var storefront int64
		var f ops.Stat
		if err := rows.Scan(&storefront, &f.Outcome, &f.N); err != nil {
			return err
		}
		f.Storefront = o.codes[storefront]
		o.seen.Stats = append(o.seen.Stats, f)
		return nil
	})
	if err != nil {
		return err
	}
	var at sql.NullTime
	err = o.sql.QueryRowContext(ctx, "SELECT MAX(counted_at) FROM event_stats_hours WHERE hour >= UTC_TIMESTAMP() - INTERVAL 24 HOUR").Scan(&at)
	o.seen.CountedAt = at.Time
	return err
}
