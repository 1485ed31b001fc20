package db

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"relay/internal/ops"
	"relay/internal/relay"
)

// Limited is a storefront with a destination that has limits.
type Limited struct {
	Code         string
	Destinations map[string]relay.Limits
}

// startsWithin is the time within which an undelayed event starts.
const startsWithin = 5 * time.Second

// limitsSQL finds the destinations with limits that receive events under the present kill switches: an active container,
// otherwise the active platforms.
const limitsSQL = `SELECT s.id, s.storefront_id, '` + relay.SGTM + `', NULL, c.options FROM storefronts s
	JOIN storefront_sgtm_config c ON c.storefront_id = s.id WHERE s.is_active AND c.is_active AND c.options LIKE '%"limits"%'
	UNION ALL SELECT s.id, s.storefront_id, p.code, p.limits, k.options FROM storefronts s
	JOIN platform_credentials k ON k.storefront_id = s.id AND k.is_active
	JOIN ad_analytics_platforms p ON p.id = k.platform_id AND p.is_active AND p.code IS NOT NULL
	LEFT JOIN storefront_sgtm_config c ON c.storefront_id = s.id AND c.is_active
	WHERE s.is_active AND c.id IS NULL AND (p.limits IS NOT NULL OR k.options LIKE '%"limits"%')`

// Limits reads the storefronts whose destinations have limits, by id. Unreadable limits are left out: no attempt is made
// there either.
func (s *Store) Limits(ctx context.Context) (map[int64]Limited, error) {
	rows, err := s.sql.QueryContext(ctx, limitsSQL)
	if err != nil {
		return nil, wrap("read the limits of destinations", err)
	}
	defer func() { _ = rows.Close() }()
	all := map[int64]Limited{}
	for rows.Next() {
		var id int64
		var code, destination string
		var platform, options sql.NullString
		if err := rows.Scan(&id, &code, &destination, &platform, &options); err != nil {
			return nil, wrap("read the limits of destinations", err)
		}
		var o relay.Options
		var l relay.Limits
		if readOptions(options.String, &o) != nil || readOptions(platform.String, &l) != nil {
			continue
		}
		if l = o.Limits.Or(l); l == (relay.Limits{}) {
			continue
		}
		if all[id].Destinations == nil {
			all[id] = Limited{Code: code, Destinations: map[string]relay.Limits{}}
		}
		all[id].Destinations[destination] = l
	}
	return all, wrap("read the limits of destinations", rows.Err())
}

// markLimited marks events that wait in the inbox because their destination has a limit. A row that has just been inserted
// or reset is about to start.
func (s *Store) markLimited(ctx context.Context, events []ops.EventSummary) error {
	waits := func(e ops.EventSummary) bool {
		return e.Status == relay.StatusPending && time.Since(e.UpdatedAt) > startsWithin
	}
	if !slices.ContainsFunc(events, waits) {
		return nil
	}
	limits, err := s.Limits(ctx)
	if err != nil {
		return err
	}
	for i, e := range events {
		if _, limited := limits[e.StorefrontID]; limited && waits(e) {
			events[i].WaitingFor = relay.WaitsForLimit
		}
	}
	return nil
}

// StartRoom returns how many rows of a storefront may still start under a limit of rows in flight: none while rows wait in
// the inbox, so that they start in their order.
func (s *Store) StartRoom(ctx context.Context, storefront int64, limit int) (int, error) {
	var backlog, busy int
	err := s.sql.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM marketing_events FORCE INDEX (ix_marketing_events_claim)
		WHERE status = 'pending' AND storefront_id = ? AND claimed_until <= UTC_TIMESTAMP(6)), `+inFlightColumn,
		storefront, storefront, limit, storefront, limit).Scan(&backlog, &busy)
	if err != nil {
		return 0, wrap(fmt.Sprintf("count the events in flight of storefront %d", storefront), err)
	}
	if backlog > 0 {
		return 0, nil
	}
	return max(0, limit-busy), nil
}
