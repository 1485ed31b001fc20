package db

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"relay/internal/ops"
	"relay/internal/relay"
)

// openReplays is how many of the open replays a list of destinations looks at, the newest ones.
const openReplays = 200

// offSQL is true if a kill switch blocks a storefront's events from a destination.
const offSQL = `(NOT s.is_active OR d.destination = 'sgtm' AND NOT COALESCE(c.is_active, 0) OR d.platform_id IS NOT NULL AND
	(NOT COALESCE(d.platform_active, 0) OR NOT COALESCE(d.credential_active, 0) OR c.id IS NOT NULL AND NOT COALESCE(c.is_active, 0) AND c.fallback = 'stop'))`

// quietSQL is true if a destination that receives events has accepted none for a time. The destinations with accepted events
// are collected once.
const quietSQL = "NOT " + offSQL + ` AND (d.destination = 'sgtm' OR c.id IS NULL OR NOT COALESCE(c.is_active, 0)) AND NOT EXISTS (SELECT 1 FROM
	(SELECT DISTINCT storefront_id, destination FROM event_stats FORCE INDEX (PRIMARY) WHERE hour >= UTC_TIMESTAMP() - INTERVAL ? SECOND AND destination <> '' AND outcome = 'delivered') t
	WHERE t.storefront_id = s.id AND t.destination = d.destination)`

// destinationPageSQL returns the statement for one page, with one entry, or one storefront, more than the page.
func destinationPageSQL(q ops.DestinationQuery) (string, []any) {
	where := destinationsWhere(q)
	if q.Storefronts == 0 {
		if q.After != nil {
			where.and("(s.id > ? OR s.id = ? AND d.destination > ?)", q.After.StorefrontID, q.After.StorefrontID, q.After.Destination)
		}
		return destinationsSQL + " WHERE " + where.String() + " ORDER BY s.id, d.destination LIMIT ?", append(where.args, q.Limit+1)
	}
	ids := where.plus(condition{[]string{"s.id > ?"}, []any{q.AfterStorefront}})
	return destinationsSQL + " JOIN (SELECT DISTINCT s.id" + destinationTables + " WHERE " + ids.String() + " ORDER BY s.id LIMIT ?) page ON page.id = s.id WHERE " +
		where.String() + " ORDER BY s.id, d.destination", slices.Concat(ids.args, []any{q.Storefronts + 1}, where.args)
}

func destinationsWhere(q ops.DestinationQuery) condition {
	var where condition
	where.equal("s.id", q.StorefrontID)
	where.equal("s.storefront_id", q.Storefront)
	where.equal("d.destination", q.Destination)
	unhealthy, failing := "h.unhealthy_since IS NOT NULL", "h.failures > 0 AND h.unhealthy_since IS NULL"
	switch q.Health {
	case relay.Unhealthy:
		where.and(unhealthy)
	case relay.Failing:
		where.and(failing)
	case relay.Healthy:
		where.and("COALESCE(h.failures, 0) <= 0 AND h.unhealthy_since IS NULL")
	}
	switch q.Issue {
	case ops.IssueIll:
		where.and("(h.failures > 0 OR h.unhealthy_since IS NOT NULL)")
	case ops.IssueUnhealthy:
		where.and(unhealthy)
	case ops.IssueFailing:
		where.and(failing)
	case ops.IssueOff:
		where.and(offSQL)
	case ops.IssueQuiet:
		where.and(quietSQL, int(ops.QuietAfter.Seconds()))
		var known []any
		for _, key := range q.Adapters {
			known = append(known, key)
		}
		if len(known) > 0 {
			where.and("d.destination IN ("+tuples("?", len(known))+")", known...)
		}
	}
	return where
}

// onePage removes the entries beyond a page, and reports whether there are any.
func onePage(list []ops.DestinationStatus, q ops.DestinationQuery) ([]ops.DestinationStatus, bool) {
	if q.Storefronts == 0 {
		return list[:min(len(list), q.Limit)], len(list) > q.Limit
	}
	seen := 0
	for i, d := range list {
		if i == 0 || list[i-1].StorefrontID != d.StorefrontID {
			seen++
		}
		if seen > q.Storefronts {
			return list[:i], true
		}
	}
	return list, false
}

// The events in delivery of a storefront, and how many of them have ended at each destination.
const (
	inFlightRows = `(SELECT id, generation FROM marketing_events FORCE INDEX (ix_marketing_events_claim)
		WHERE status = 'processing' AND storefront_id = ? LIMIT ?) e`
	inFlightOfSQL = "SELECT ? AS storefront, CONVERT('' USING utf8mb4) COLLATE utf8mb4_bin AS destination, COUNT(*) AS n FROM " + inFlightRows + `
		UNION ALL SELECT ?, CONVERT(a.destination USING utf8mb4) COLLATE utf8mb4_bin, COUNT(DISTINCT e.id) FROM ` + inFlightRows + `
		JOIN event_attempts a ON a.marketing_event_id = e.id AND ` + endedThere + " WHERE a.destination IS NOT NULL GROUP BY a.destination"
	// endedThere is true if an attempt ended an event's delivery to its destination.
	endedThere = `(a.outcome = 'accepted' OR a.generation = e.generation
		AND a.outcome IN ('rejected', 'unauthorized', 'unknown', 'skipped', 'blocked'))`
)

func inFlightOf(storefronts []int64) (string, []any) {
	var args []any
	for _, id := range storefronts {
		args = append(args, id, id, ops.WaitingBound, id, id, ops.WaitingBound)
	}
	return strings.TrimSuffix(strings.Repeat(inFlightOfSQL+" UNION ALL ", len(storefronts)), " UNION ALL "), args
}

// InFlight counts the events in delivery of storefronts, with one statement for all of them.
func (s *Store) InFlight(ctx context.Context, storefronts []int64) (map[int64]ops.InFlight, error) {
	found := map[int64]ops.InFlight{}
	for _, id := range storefronts {
		found[id] = ops.InFlight{Ended: map[string]int{}}
	}
	if len(storefronts) == 0 {
		return found, nil
	}
	const op = "count events in delivery"
	query, args := inFlightOf(storefronts)
	rows, err := s.sql.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, wrap(op, err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id int64
		var destination string
		var n int
		if err := rows.Scan(&id, &destination, &n); err != nil {
			return nil, wrap(op, err)
		}
		f := found[id]
		if destination == "" {
			f.Events = n
		} else {
			f.Ended[destination] = n
		}
		found[id] = f
	}
	return found, wrap(op, rows.Err())
}

// addWaiting counts the waiting events of the destinations that receive events.
func (s *Store) addWaiting(ctx context.Context, list []ops.DestinationStatus) error {
	var ids []int64
	for _, d := range list {
		if waits(d) && !slices.Contains(ids, d.StorefrontID) {
			ids = append(ids, d.StorefrontID)
		}
	}
	found, err := s.InFlight(ctx, ids)
	for i := range list {
		if d := &list[i]; err == nil && waits(*d) {
			d.Waiting = found[d.StorefrontID].At(d.Destination)
		}
	}
	return err
}

// addRecovery adds what recovers destinations: the number of failed events that a recovery of an unhealthy one sends again, and the
// newest open replay that picks the events of one destination, as those after a recovery do. One statement reads both.
func (s *Store) addRecovery(ctx context.Context, list []ops.DestinationStatus) error {
	if len(list) == 0 {
		return nil
	}
	query, args := newestSQL("0, CONVERT(filter USING utf8mb4) COLLATE utf8mb4_bin, id, TRUE", "event_replays",
		[]ops.ReplayState{ops.ReplayRunning, ops.ReplayPaused}, 0, openReplays)
	if slices.ContainsFunc(list, func(d ops.DestinationStatus) bool { return d.Health.Unhealthy }) {
		failed, more := failedCount()
		query, args = failed+" UNION ALL ("+query+")", append(more, args...)
	}
	rows, err := s.sql.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var storefront, n int64
		var text string
		var replay bool
		if err := rows.Scan(&storefront, &text, &n, &replay); err != nil {
			return err
		}
		if replay {
			addReplay(list, n, text)
			continue
		}
		at := slices.IndexFunc(list, func(d ops.DestinationStatus) bool {
			return d.Place == relay.Place{StorefrontID: storefront, Destination: text}
		})
		if at >= 0 && list[at].Health.Unhealthy {
			list[at].Failed = int(n)
		}
	}
	return rows.Err()
}

// addReplay adds a replay to the destinations whose events it picks. One with an unreadable filter cannot run, either.
func addReplay(list []ops.DestinationStatus, id int64, filter string) {
	var f ops.Filter
	if json.Unmarshal([]byte(filter), &f) != nil {
		return
	}
	at := cmp.Or(f.FailedAt, f.Destination)
	for i := range list {
		if d := &list[i]; at == d.Destination && (f.StorefrontID == 0 || f.StorefrontID == d.StorefrontID) {
			d.ReplayID = max(d.ReplayID, id)
		}
	}
}

// waits reports whether events in delivery may wait at a destination.
func waits(d ops.DestinationStatus) bool {
	receives, reason := withAdapter(d).Receives()
	return receives && reason == ""
}

// withAdapter returns a destination as if the relay had an adapter for its platform: the database does not know the
// adapters.
func withAdapter(d ops.DestinationStatus) ops.DestinationStatus {
	d.Switches.Platforms = slices.Clone(d.Switches.Platforms)
	for i := range d.Switches.Platforms {
		d.Switches.Platforms[i].HasAdapter = true
	}
	return d
}
