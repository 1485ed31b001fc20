package db_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/internal/ops"
)

// foreign are the brief's marketing_events, verbatim, and other tables of the relay's names that have little in common with
// the relay's own. Each has an unknown column that requires a value, an unknown optional one, and rows.
var foreign = []string{
	`CREATE TABLE marketing_events (event_id VARCHAR(100) NOT NULL, storefront_id INT, storefront_code VARCHAR(50), event_type VARCHAR(50) NOT NULL,
		event_payload TEXT NOT NULL, source_system VARCHAR(50) NOT NULL, status VARCHAR(20) NOT NULL)`,
	`INSERT INTO marketing_events VALUES
		('2025020100003333', 5, NULL, 'purchase_completed', '{"order_id": "2025020100003333", "order_revenue": 80.79}', 'oms_direct', 'pending'),
		('2025020100003333', NULL, 'bosley', 'rx_issued', '{"order_id": "2025020100003333"}', 'oms_direct', 'pending'),
		('2025010100001111', 5, 'bosley', 'consult_started', '{}', 'oms', 'delivered'), ('Übergröße ', 5, NULL, 'x', 'no json', 'oms', 'odd')`,
	`CREATE TABLE storefronts (id INT PRIMARY KEY AUTO_INCREMENT, storefront_id VARCHAR(50) NOT NULL, region VARCHAR(20) NOT NULL, note TEXT)`,
	`INSERT INTO storefronts VALUES (5, 'bosley', 'emea', NULL), (6, 'pfizer', 'us', 'two')`,
	`CREATE TABLE storefront_sgtm_config (id INT PRIMARY KEY AUTO_INCREMENT, storefront_id INT NOT NULL, sgtm_url VARCHAR(500) NOT NULL,
		api_secret TEXT, custom_headers JSON, owner VARCHAR(50) NOT NULL, checked_on DATE)`,
	`INSERT INTO storefront_sgtm_config VALUES (1, 5, 'https://tags.example.com', 'your_api_secret', '{"X-Api-Key": "your-key"}', 'anna', '2025-01-01')`,
	`CREATE TABLE ad_analytics_platforms (id INT PRIMARY KEY AUTO_INCREMENT, code VARCHAR(50) NOT NULL, family VARCHAR(20) NOT NULL, rank_no DECIMAL(5,2))`,
	`INSERT INTO ad_analytics_platforms VALUES (1, 'ga4', 'google', 1.50), (2, 'house_ads', 'own', NULL)`,
	`CREATE TABLE platform_credentials (id INT PRIMARY KEY AUTO_INCREMENT, storefront_id INT NOT NULL, platform_id INT NOT NULL,
		credentials TEXT NOT NULL, issued_by VARCHAR(50) NOT NULL, expires_at TIMESTAMP NULL)`,
	`INSERT INTO platform_credentials VALUES (1, 5, 1, '` + pythonToken + `', 'rita', NULL), (2, 6, 1, '{"api_secret": "bare"}', 'rita', '2026-01-01 00:00:00')`,
	`CREATE TABLE event_attempts (id INT PRIMARY KEY AUTO_INCREMENT, event_id INT NOT NULL, worker CHAR(8) NOT NULL, response_body TEXT)`,
	`INSERT INTO event_attempts VALUES (1, 1, 'w-1', 'ok'), (2, 1, 'w-2', NULL)`,
}

func TestEveryRowOfForeignTablesStaysAndDifferencesAreReported(t *testing.T) {
	t.Parallel()
	f := empty(t)
	for _, statement := range foreign {
		f.exec(statement)
	}
	before := map[string][]string{}
	columns := map[string]string{}
	for _, table := range []string{"marketing_events", "storefronts", "storefront_sgtm_config", "ad_analytics_platforms", "platform_credentials", "event_attempts"} {
		columns[table] = f.text(`SELECT GROUP_CONCAT(column_name ORDER BY ordinal_position) FROM information_schema.columns
			WHERE table_schema = DATABASE() AND table_name = ?`, table)
		before[table] = f.dump(table, columns[table])
		require.NotEmpty(t, before[table])
	}

	report, err := f.Up(t.Context())
	require.NoError(t, err)
	for table, rows := range before {
		after := f.dump(table, columns[table])
		require.Subset(t, after, rows, table)
		if table != "ad_analytics_platforms" { // the catalogue is added to it
			require.Len(t, after, len(rows), table)
		}
	}
	all := strings.Join(append(report.Changes, report.Differences...), "\n")
	for table, unknown := range map[string][]string{
		"storefronts":            {"region", "note"},
		"storefront_sgtm_config": {"owner", "checked_on"},
		"ad_analytics_platforms": {"family", "rank_no"},
		"platform_credentials":   {"issued_by", "expires_at"},
		"event_attempts":         {"event_id", "worker", "response_body"},
	} {
		for _, column := range unknown {
			require.Contains(t, all, fmt.Sprintf("%s has the unknown column `%s` ", table, column))
		}
		require.Contains(t, all, fmt.Sprintf("%s: unknown column %s may be empty, because the relay does not fill it", table, unknown[0]))
	}
	require.NotContains(t, all, "marketing_events has the unknown column")
	require.Contains(t, all, "marketing_events: column id added")
	for line := range strings.SplitSeq(all, "\n") {
		require.NotContains(t, line, "80.79", "no data in a report")
	}
	require.Equal(t, 1+len(report.Changes)+len(report.Differences), f.count("SELECT COUNT(*) FROM relay_adoptions"), "the report can be read later")

	// The relay works on them: an event and a secret of each kind, a rotation, and retention.
	require.Len(t, f.claim(aPage), 2)
	secrets := secretsOf(t, f.Store)
	require.Equal(t, "your_api_secret", secrets["bosley"])
	require.Equal(t, "your-key", secrets["bosley X-Api-Key"])
	require.Equal(t, "bare", secrets["pfizer/ga4 api_secret"])
	require.Equal(t, "unreadable", secrets["bosley/ga4"], "it holds no object")
	r := rotate(t, f.with(secondKey+","+testKey))
	require.Equal(t, []string{"platform_credentials 1 credentials"}, r.Unreadable)
	require.Equal(t, "your-key", secretsOf(t, f.with(secondKey))["bosley X-Api-Key"])
	require.NoError(t, f.PutCredential(t.Context(), 6, ops.Credential{Platform: "house_ads"}))
	f.rollUp()
	require.Zero(t, f.purge(ninety, 100), "adopted rows are as old as their adoption")
}

// dump returns all rows of a table, each as text, in any order.
func (f *fixture) dump(table, columns string) []string {
	f.t.Helper()
	rows, err := f.raw.QueryContext(f.t.Context(), "SELECT "+columns+" FROM "+table)
	require.NoError(f.t, err)
	defer func() { require.NoError(f.t, rows.Close()) }()
	n := strings.Count(columns, ",") + 1
	var list []string
	for rows.Next() {
		values, dest := make([]sql.NullString, n), make([]any, n)
		for i := range values {
			dest[i] = &values[i]
		}
		require.NoError(f.t, rows.Scan(dest...))
		list = append(list, fmt.Sprintf("%+v", values))
	}
	require.NoError(f.t, rows.Err())
	return list
}
