package dbtest

import (
	"database/sql"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// Fill adds what a relay has after 90 days with n events: 300 storefronts (shop0 has the id 1001, and most events) with their destinations, events of every status with their
// attempts, stats, the audit, replays and erasures; and lets the server count its statistics. Statements are planned by these: in an
// empty table every plan is as good. The database is migrated.
func Fill(t testing.TB, dsn string, n int) {
	t.Helper()
	conn, err := sql.Open("mysql", dsn)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	conn.SetMaxOpenConns(1)
	for _, statement := range fillStatements {
		var args []any
		if statement.sized {
			args = []any{n, n, n}
		}
		_, err := conn.ExecContext(t.Context(), statement.text, args...)
		require.NoError(t, err, statement.text)
	}
}

type fillStatement struct {
	text  string
	sized bool // its three arguments are the number of events
}

var fillStatements = []fillStatement{
	{"SET SESSION time_zone = '+00:00'", false},
	{"CREATE TABLE fill (n INT NOT NULL PRIMARY KEY)", false},
	{`INSERT INTO fill WITH RECURSIVE k AS (SELECT 0 AS i UNION ALL SELECT i + 1 FROM k WHERE i < 999)
		SELECT a.i * 1000 + b.i FROM k a JOIN k b WHERE a.i * 1000 < GREATEST(?, 200000) AND ? > 0 AND ? > 0`, true},
	{"INSERT INTO storefronts (id, storefront_id, name) SELECT 1001 + n, CONCAT('shop', n), CONCAT('Shop ', n) FROM fill WHERE n < 300", false},
	{`INSERT INTO storefront_sgtm_config (storefront_id, sgtm_url, is_active) SELECT 1001 + n, 'https://tags.example.com', n % 5 > 0 FROM fill WHERE n < 100`, false},
	{`INSERT INTO platform_credentials (storefront_id, platform_id, credentials) SELECT 1001 + n, p.id, '{}' FROM fill
		JOIN ad_analytics_platforms p ON p.code IN ('meta_capi', 'ga4', 'tiktok', 'snapchat', 'pinterest') WHERE n < 300`, false},
	{`INSERT INTO marketing_events (event_id, order_id, storefront_id, storefront_code, event_type, event_payload, source_system, status, reason, ends,
			created_at, finished_at, waiting_for, next_attempt_at)
		SELECT CONCAT('o-', n), CONCAT('o-', n), 1001 + s, CONCAT('shop', s), IF(n % 50 = 0, 'consult_started', 'purchase_completed'), '{}',
			IF(n % 100 = 0, 'oms_direct', 'oms'), status, CASE status WHEN 'failed' THEN IF(n % 2 = 0, 'exhausted', 'destination_unhealthy') WHEN 'skipped' THEN 'not_mapped' END,
			CASE status WHEN 'delivered' THEN '[{"destination":"ga4","outcome":"accepted","status":200}]'
				WHEN 'failed' THEN '[{"destination":"meta_capi","outcome":"exhausted","status":503}]' END,
			at, IF(status IN ('pending', 'processing'), NULL, at), IF(status = 'processing', 'retry', NULL), IF(status = 'processing', at + INTERVAL 1 HOUR, NULL)
		FROM (SELECT n, FLOOR(300 * POW(n * 7919 % 1000 / 1000, 3)) AS s, UTC_TIMESTAMP(6) - INTERVAL 7776000 * (1 - n / ?) SECOND AS at,
			CASE WHEN n > ? * 0.98 THEN IF(n % 2 = 0, 'pending', 'processing') WHEN n % 100 < 94 THEN 'delivered' WHEN n % 100 < 97 THEN 'failed' ELSE 'skipped' END AS status
			FROM fill WHERE n < ?) f ORDER BY n`, true},
	{`INSERT INTO event_attempts (attempt_id, marketing_event_id, destination, number, outcome, reason, started_at, duration_us, response_status, warnings)
		SELECT LEFT(SHA2(id, 256), 32), id, IF(status = 'delivered', 'ga4', 'meta_capi'), 1, CASE status WHEN 'delivered' THEN 'accepted' ELSE 'retry' END,
			IF(status = 'delivered', NULL, 'server_error'), created_at, 80000, IF(status = 'delivered', 200, 503), IF(id % 20 = 0, '["no_consent"]', NULL)
		FROM marketing_events WHERE status NOT IN ('skipped', 'pending') ORDER BY id`, false},
	{`INSERT INTO event_stats (hour, storefront_id, destination, outcome, reason, n)
		SELECT TIMESTAMP(DATE_FORMAT(UTC_TIMESTAMP() - INTERVAL h.n HOUR, '%Y-%m-%d %H:00:00')), 1001 + s.n, o.d, o.o, o.r, 10 FROM fill h JOIN fill s
		JOIN (SELECT '' AS d, 'received' AS o, '' AS r UNION ALL SELECT '', 'failed', 'exhausted' UNION ALL SELECT 'ga4', 'delivered', '' UNION ALL SELECT 'meta_capi', 'failed', 'exhausted') o
		WHERE h.n < 720 AND s.n < 60 ORDER BY 1, 2, 3, 4, 5`, false},
	{`INSERT INTO event_stats_hours (hour, counted_at) SELECT TIMESTAMP(DATE_FORMAT(UTC_TIMESTAMP() - INTERVAL n HOUR, '%Y-%m-%d %H:00:00')), UTC_TIMESTAMP(6)
		FROM fill WHERE n < 2160 ORDER BY 1`, false},
	{attemptStats(1, 1440, 40), false},
	{attemptStats(60, 192, 150), false},
	{attemptStats(1440, 92, 300), false},
	{`INSERT INTO service_levels (at, delivered, failed, fresh, late)
		SELECT FROM_UNIXTIME((UNIX_TIMESTAMP() DIV 300 - n) * 300), 90, 1, 89, 2 FROM fill WHERE n < 31 * 288 ORDER BY n DESC`, false},
	{`INSERT INTO admin_audit (at, actor, action, entity, entity_id, name, changes, switched)
		SELECT UTC_TIMESTAMP(6) - INTERVAL 10 * (100000 - n) MINUTE, CONCAT('admin', n % 7), action, entity, 1 + n % 900, 'x', '[]', IF(n % 10 = 0, 0, NULL)
		FROM (SELECT n, CASE n % 10 WHEN 0 THEN 'deactivate' WHEN 1 THEN 'patch' ELSE IF(n % 5000 = 2, 'erase', 'reveal') END AS action,
			CASE n % 10 WHEN 0 THEN ELT(1 + n / 10 % 4, 'storefronts', 'sgtm-configs', 'credentials', 'platforms') WHEN 1 THEN 'storefronts' ELSE 'events' END AS entity
			FROM fill WHERE n < 100000) f ORDER BY n`, false},
	{`INSERT INTO event_replays (state, filter, rate, created_at, ended_at) SELECT IF(n % 1000 = 999, 'running', 'done'), '{}', 10,
		UTC_TIMESTAMP(6) - INTERVAL (10000 - n) MINUTE, IF(n % 1000 = 999, NULL, UTC_TIMESTAMP(6) - INTERVAL (10000 - n) MINUTE) FROM fill WHERE n < 10000 ORDER BY n`, false},
	{"INSERT INTO event_replay_items (replay_id, marketing_event_id) SELECT 1 + n % 10, 1 + n FROM fill WHERE n < 20000 ORDER BY 1, 2", false},
	{`INSERT INTO event_erasures (kind, state, subject_hash, created_at, ended_at) SELECT 'order', 'done', LEFT(SHA2(n, 256), 32), UTC_TIMESTAMP(6) - INTERVAL (10000 - n) MINUTE,
		UTC_TIMESTAMP(6) FROM fill WHERE n < 10000 ORDER BY n`, false},
	{`INSERT INTO destination_health (storefront_id, destination, failures, failing_since, unhealthy_since, probe_at)
		SELECT 1001 + n % 300, ELT(1 + n DIV 300, 'meta_capi', 'ga4', 'tiktok', 'snapchat', 'pinterest'), n % 100 = 7, IF(n % 100 = 7, UTC_TIMESTAMP(6) - INTERVAL 1 HOUR, NULL),
			IF(n % 100 = 7, UTC_TIMESTAMP(6), NULL), IF(n % 100 = 7, UTC_TIMESTAMP(6) + INTERVAL 1 HOUR, NULL) FROM fill WHERE n < 1500`, false},
	{`INSERT INTO destination_activity (storefront_id, destination, last_attempt_at) SELECT storefront_id, destination, UTC_TIMESTAMP(6) FROM destination_health`, false},
	{`ANALYZE TABLE storefronts, storefront_sgtm_config, platform_credentials, ad_analytics_platforms, marketing_events, event_attempts, event_stats, event_stats_hours,
		attempt_stats, service_levels, admin_audit, event_replays, event_replay_items, event_erasures, destination_health, destination_activity`, false},
}

// attemptStats counts attempts in so many intervals, of so many minutes, at so many storefronts.
func attemptStats(minutes, intervals, storefronts int) string {
	return fmt.Sprintf(`INSERT INTO attempt_stats (minutes, at, storefront_id, destination, outcome, status, le_ms, n)
		SELECT %d, FROM_UNIXTIME((UNIX_TIMESTAMP() DIV %d - i.n) * %d), 1001 + s.n, 'ga4', o.o, o.st, 50, 3 FROM fill i JOIN fill s
		JOIN (SELECT 'accepted' AS o, 200 AS st UNION ALL SELECT 'retry', 503) o WHERE i.n < %d AND s.n < %d ORDER BY 1, 2, 3, 4, 5`,
		minutes, 60*minutes, 60*minutes, intervals, storefronts)
}
