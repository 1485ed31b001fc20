package db

import (
	"context"

	"relay/internal/ops"
	"relay/internal/relay"
)

// openAtSQL is true if an event is in delivery and has not ended at a destination.
const openAtSQL = "e.status = 'processing' AND NOT EXISTS (SELECT 1 FROM event_attempts a WHERE a.marketing_event_id = e.id AND a.destination = ? AND " + endedThere + ")"

// triedSQL is whether an event has been sent there, and the others list the storefronts whose events go there: an event waits for
// its first attempt, too.
const (
	triedSQL       = "EXISTS (SELECT 1 FROM event_attempts a WHERE a.marketing_event_id = e.id AND a.destination = ? AND a.generation = e.generation)"
	toContainerSQL = "SELECT s.id FROM storefronts s JOIN storefront_sgtm_config c ON c.storefront_id = s.id WHERE s.is_active AND c.is_active"
	toPlatformSQL  = `SELECT s.id FROM ad_analytics_platforms p JOIN platform_credentials k ON k.platform_id = p.id JOIN storefronts s ON s.id = k.storefront_id
		LEFT JOIN storefront_sgtm_config c ON c.storefront_id = s.id
		WHERE p.code = ? AND p.is_active AND k.is_active AND s.is_active AND (c.id IS NULL OR NOT COALESCE(c.is_active, 0) AND COALESCE(c.fallback, '') <> 'stop')`
)

// waitingAt selects events that wait at a destination.
func waitingAt(c *condition, destination string) {
	c.and(openAtSQL, destination)
	if destination == relay.SGTM {
		c.and("("+triedSQL+" OR e.storefront_id IN ("+toContainerSQL+"))", destination)
		return
	}
	c.and("("+triedSQL+" OR e.storefront_id IN ("+toPlatformSQL+"))", destination, destination)
}

// CountUpTo counts the events that a filter selects, up to ops.CountBound, among the newest events that its index finds.
func (s *Store) CountUpTo(ctx context.Context, f ops.Filter) (ops.EventCount, error) {
	const op = "count events"
	w, err := s.plan(ctx, f, true)
	if err != nil {
		return ops.EventCount{}, wrap(op, err)
	}
	query, bound, args := w.counting()
	var scanned, hits int64
	if err := s.sql.QueryRowContext(ctx, query, args...).Scan(&scanned, &hits); err != nil {
		return ops.EventCount{}, wrap(op, err)
	}
	return ops.EventCount{N: min(hits, ops.CountBound), More: scanned >= int64(bound) || hits > ops.CountBound}, nil
}

// counting returns the statement that counts the rows of a scan, its bound, and its arguments.
func (w scan) counting() (string, int, []any) {
	bound := ops.CountBound + 1
	if w.bounded {
		bound = searchChunk * searchChunks
	}
	query, args := w.statement(ops.Position{}, bound)
	return "SELECT COUNT(*), COALESCE(SUM(hit), 0) FROM (" + query + ") p", bound, args
}
