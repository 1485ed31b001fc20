package e2e_test

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/db/dbtest"
	"relay/deploy/dev/harness"
)

// schemaSQL describes every table, column and index of a database, and its recorded migrations.
const schemaSQL = `SELECT CONCAT_WS(' ', table_name, column_name, ordinal_position, column_type, is_nullable, column_default, extra)
	FROM information_schema.columns WHERE table_schema = DATABASE()
	UNION ALL SELECT CONCAT_WS(' ', table_name, index_name, seq_in_index, column_name, non_unique)
	FROM information_schema.statistics WHERE table_schema = DATABASE()
	UNION ALL SELECT name FROM relay_migrations
	UNION ALL SELECT CONCAT('platform ', code) FROM ad_analytics_platforms ORDER BY 1`

// The program is killed at random moments, and run again each time, until it completes once.
func TestMigrateUpCompletesAfterAKill(t *testing.T) {
	t.Parallel()
	const kills = 12
	built, err := programs()
	require.NoError(t, err)
	server, err := dbtest.Start(t.Context(), dbtest.Config{Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(server.Kill)

	began := time.Now()
	want := migratedBy(t, server, built, "whole", nil)
	lasts := time.Since(began)
	killed := 0
	for n := range 5 * kills {
		got := migratedBy(t, server, built, fmt.Sprint("killed_", n), func(cmd *exec.Cmd) {
			time.Sleep(rand.N(lasts)) // the test is about random moments
			if cmd.Process.Kill() == nil && cmd.Wait() != nil {
				killed++
			}
		})
		require.Equal(t, want, got)
		if killed == kills {
			return
		}
	}
	t.Fatalf("only %d kills", killed)
}

// migratedBy migrates a new database, after an interrupted run, and returns its schema.
func migratedBy(t *testing.T, server *dbtest.Server, built harness.Programs, name string, interrupt func(*exec.Cmd)) []string {
	t.Helper()
	require.NoError(t, server.CreateDatabase(t.Context(), name))
	env := append(harness.PlainEnv(), "DATABASE_URL="+server.DSN(name), "TEMPORAL_ADDRESS=none") // refused at once: the test needs no Temporal
	if interrupt != nil {
		cmd := exec.CommandContext(t.Context(), built.Relay[0], append(built.Relay[1:], "migrate", "up")...)
		cmd.Env = env
		require.NoError(t, cmd.Start())
		interrupt(cmd)
	}
	_, err := harness.RunRelay(t.Context(), built, env, "migrate", "up")
	require.NoError(t, err)

	database, err := sql.Open("mysql", server.DSN(name))
	require.NoError(t, err)
	defer func() { require.NoError(t, database.Close()) }()
	rows, err := database.QueryContext(t.Context(), schemaSQL)
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	var lines []string
	for rows.Next() {
		var line string
		require.NoError(t, rows.Scan(&line))
		lines = append(lines, line)
	}
	require.NoError(t, rows.Err())
	require.Greater(t, len(lines), 50)
	return lines
}
