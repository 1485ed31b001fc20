package db

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"strings"

	"relay/internal/ops"
	"relay/internal/relay"
)

// destinationsSQL reads the configured destinations of storefronts with their switches and their health. It reads no events.
// The collations are spelled out because the tables may be those of the earlier service.
const destinationsSQL = "SELECT " + destinationStatusColumns + destinationTables

const destinationStatusColumns = `s.id, s.storefront_id, s.is_active, c.id, c.is_active, c.fallback, c.on_exhausted, d.destination,
	d.platform_id, d.platform_active, d.credential_id, d.credential_active, d.options, d.limits,
	h.failures, h.failing_since, h.unhealthy_since, h.reason, h.last_status, h.failed_at, h.probes, h.probed_at, h.probe_at,
	l.last_attempt_at, l.last_accepted_at`

const destinationTables = ` FROM (SELECT storefront_id, CONVERT('sgtm' USING utf8mb4) COLLATE utf8mb4_bin AS destination, NULL AS platform_id,
			NULL AS platform_active, NULL AS credential_id, NULL AS credential_active,
			CONVERT(options USING utf8mb4) COLLATE utf8mb4_bin AS options, NULL AS limits
		FROM storefront_sgtm_config
		UNION ALL
		SELECT k.storefront_id, CONVERT(p.code USING utf8mb4) COLLATE utf8mb4_bin, p.id, p.is_active, k.id, k.is_active,
			CONVERT(k.options USING utf8mb4) COLLATE utf8mb4_bin, CONVERT(p.limits USING utf8mb4) COLLATE utf8mb4_bin
		FROM platform_credentials k JOIN ad_analytics_platforms p ON p.id = k.platform_id WHERE p.code IS NOT NULL) d
	JOIN storefronts s ON s.id = d.storefront_id
	LEFT JOIN storefront_sgtm_config c ON c.storefront_id = s.id
	LEFT JOIN destination_health h ON h.storefront_id = s.id AND h.destination = d.destination
	LEFT JOIN destination_activity l ON l.storefront_id = s.id AND l.destination = d.destination`

// destinationRow is one row of destinationsSQL.
type destinationRow struct {
	levels
	destination                      string
	config, platformID, credentialID sql.NullInt64
	platform, credential             sql.NullBool
	options, limits, reason          sql.NullString
	failures, status, probes         sql.NullInt64
	since, unhealthy, failed, probed sql.NullTime
	next, attempted, accepted        sql.NullTime
}

func (r *destinationRow) dest() []any {
	return []any{&r.storefront.ID, &r.storefront.Code, &r.storefront.Active, &r.config, &r.sgtm, &r.fallback, &r.onExhausted, &r.destination,
		&r.platformID, &r.platform, &r.credentialID, &r.credential, &r.options, &r.limits,
		&r.failures, &r.since, &r.unhealthy, &r.reason, &r.status, &r.failed, &r.probes, &r.probed, &r.next,
		&r.attempted, &r.accepted}
}

func (r *destinationRow) read() ops.DestinationStatus {
	d := ops.DestinationStatus{
		Place:          relay.Place{StorefrontID: r.storefront.ID, Destination: r.destination},
		StorefrontCode: r.storefront.Code,
		Switches:       r.switches(),
		Health: relay.Health{Failures: int(r.failures.Int64), Since: r.since.Time, Unhealthy: r.unhealthy.Valid,
			Reason: relay.Reason(r.reason.String), Status: int(r.status.Int64), Probes: int(r.probes.Int64)},
		UnhealthySince: r.unhealthy.Time,
		FailedAt:       r.failed.Time,
		ProbedAt:       r.probed.Time,
		NextProbe:      r.next.Time,
		LastAttempts:   ops.LastAttempts{Attempt: r.attempted.Time, Accepted: r.accepted.Time},
		Levels:         []ops.LevelStatus{{Level: ops.LevelStorefront, EntityID: r.storefront.ID, Active: r.storefront.Active}},
	}
	if r.config.Valid {
		d.Levels = append(d.Levels, ops.LevelStatus{Level: ops.LevelSGTM, EntityID: r.config.Int64, Active: r.sgtm.Bool})
	}
	if r.destination != relay.SGTM {
		d.Switches.Platforms = []relay.PlatformSwitch{{Code: r.destination, PlatformActive: r.platform.Bool, CredentialActive: r.credential.Bool}}
		d.Levels = append(d.Levels,
			ops.LevelStatus{Level: ops.LevelPlatform, EntityID: r.platformID.Int64, Active: r.platform.Bool},
			ops.LevelStatus{Level: ops.LevelCredential, EntityID: r.credentialID.Int64, Active: r.credential.Bool})
	}
	var options relay.Options
	var limits relay.Limits
	_ = readOptions(r.options.String, &options) // unreadable: its deliveries wait and report it
	_ = readOptions(r.limits.String, &limits)
	d.Limits = options.Limits.Or(limits)
	return d
}

// DestinationStatuses lists one page of the configured destinations of storefronts, and reports whether there are more. The
// number of statements does not depend on the number of destinations.
func (s *Store) DestinationStatuses(ctx context.Context, q ops.DestinationQuery) ([]ops.DestinationStatus, bool, error) {
	const op = "list destinations"
	list, err := s.destinationPage(ctx, q)
	if err != nil {
		return nil, false, wrap(op, err)
	}
	list, more := onePage(list, q)
	for _, add := range []func(context.Context, []ops.DestinationStatus) error{s.addSwitchChanges, s.addWaiting, s.addRecovery} {
		if err := add(ctx, list); err != nil {
			return nil, false, wrap(op, err)
		}
	}
	return list, more, nil
}

func (s *Store) destinationPage(ctx context.Context, q ops.DestinationQuery) ([]ops.DestinationStatus, error) {
	query, args := destinationPageSQL(q)
	rows, err := s.sql.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var list []ops.DestinationStatus
	for rows.Next() {
		var r destinationRow
		if err := rows.Scan(r.dest()...); err != nil {
			return nil, err
		}
		list = append(list, r.read())
	}
	return list, rows.Err()
}

// levelEntities are the kinds of things that the audit knows the levels of kill switches by.
var levelEntities = map[string]ops.Entity{ops.LevelStorefront: ops.EntityStorefront, ops.LevelSGTM: ops.EntitySGTMConfig,
	ops.LevelPlatform: ops.EntityPlatform, ops.LevelCredential: ops.EntityCredential}

// addSwitchChanges adds the last changes of the kill switches of destinations.
func (s *Store) addSwitchChanges(ctx context.Context, list []ops.DestinationStatus) error {
	at := map[switchKey][]*ops.LevelStatus{}
	for _, d := range list {
		for i := range d.Levels {
			key := switchKey{levelEntities[d.Levels[i].Level], d.Levels[i].EntityID}
			at[key] = append(at[key], &d.Levels[i])
		}
	}
	found, err := s.switchChanges(ctx, s.sql, slices.Collect(maps.Keys(at)))
	for key, flip := range found {
		for _, l := range at[key] {
			l.SwitchChange = flip
		}
	}
	return err
}

// failedSQL counts, for unhealthy destinations, the failed events that a recovery sends again. It reads only the newest
// failed events of all storefronts.
const failedSQL = `SELECT h.storefront_id, CONVERT(h.destination USING utf8mb4) COLLATE utf8mb4_bin, COUNT(*), FALSE FROM
	(SELECT storefront_id, reason, ends, created_at, erased_at FROM marketing_events FORCE INDEX (ix_marketing_events_status)
		WHERE status = 'failed' ORDER BY created_at DESC LIMIT ?) e
	JOIN destination_health h ON h.storefront_id = e.storefront_id AND h.unhealthy_since IS NOT NULL
	WHERE e.created_at >= h.failing_since - INTERVAL ? SECOND AND e.erased_at IS NULL AND e.reason IN (%s)
	AND LOCATE(CONVERT(CONCAT('"destination":"', h.destination, '"') USING utf8mb4) COLLATE utf8mb4_bin, CONVERT(e.ends USING utf8mb4) COLLATE utf8mb4_bin) > 0
	AND LOCATE(CONVERT(CONCAT('"destination":"', h.destination, '","outcome":"accepted"') USING utf8mb4) COLLATE utf8mb4_bin, CONVERT(e.ends USING utf8mb4) COLLATE utf8mb4_bin) = 0
	GROUP BY h.storefront_id, h.destination`

func failedCount() (string, []any) {
	reasons := ops.RecoveryReasons()
	args := []any{ops.FailedBound, int(ops.RecoveryLook.Seconds())}
	for _, r := range reasons {
		args = append(args, string(r))
	}
	return strings.Replace(failedSQL, "%s", tuples("?", len(reasons)), 1), args
}
