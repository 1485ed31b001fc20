package telemetry_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"relay/cmd/telemetry"
)

func TestAStatementsSpanHasItsVerbAndItsTable(t *testing.T) {
	t.Parallel()
	for query, want := range map[string][2]string{
		"UPDATE marketing_events SET status = 'x' WHERE id = ?":                            {"UPDATE", "marketing_events"},
		"INSERT INTO event_attempts (a) VALUES ('marker')":                                 {"INSERT", "event_attempts"},
		"\n\tselect 1 from storefronts":                                                    {"SELECT", "storefronts"},
		"(SELECT hour FROM event_stats_hours WHERE a) UNION (SELECT 1)":                    {"SELECT", "event_stats_hours"},
		"SELECT (SELECT COUNT(*) FROM (SELECT 1 FROM marketing_events FORCE INDEX (x)) p)": {"SELECT", "marketing_events"},
		"COMMIT": {"COMMIT", ""},
		"":       {"", ""},
	} {
		operation, table := telemetry.Summary(query)
		require.Equal(t, want, [2]string{operation, table}, query)
	}
}
