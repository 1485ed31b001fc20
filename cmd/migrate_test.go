package cmd_test

import (
	"bytes"
	"database/sql"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/cmd/cli"
	"relay/db"
	"relay/db/dbtest"
)

// plainDatabase is a database with the relay's tables.
func plainDatabase(t *testing.T) (string, *sql.DB) {
	t.Helper()
	dsn := dbtest.New(t)
	s, err := db.Open(db.Config{URL: dsn})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	_, err = s.Up(t.Context())
	require.NoError(t, err)
	raw, err := sql.Open("mysql", dsn)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, raw.Close()) })
	return dsn, raw
}

// migrate runs relay migrate, and returns its output and exit code.
func migrate(t *testing.T, dsn, in string, args ...string) (string, int) {
	t.Helper()
	c := exec.CommandContext(t.Context(), os.Args[0], append([]string{"migrate"}, args...)...)
	c.Env = append(os.Environ(), asRelay+"=yes", "DATABASE_URL="+dsn, "TEMPORAL_ADDRESS=none") // refused at once: up needs no Temporal
	c.Stdin = strings.NewReader(in)
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	_ = c.Run() // its exit code says it
	return out.String(), c.ProcessState.ExitCode()
}

func tables(t *testing.T, raw *sql.DB) int {
	t.Helper()
	var n int
	require.NoError(t, raw.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE()").Scan(&n))
	return n
}

func TestMigrateDownDropsAllDataOnlyIfToldSo(t *testing.T) {
	t.Parallel()
	dsn, raw := plainDatabase(t)
	all := tables(t, raw)
	for name, args := range map[string][]string{"of itself": {"down"}, "with --yes": {"down", "--yes"}} {
		out, code := migrate(t, dsn, "y\n", args...)
		require.NotEqual(t, cli.ExitDone, code, name)
		require.Contains(t, out, "--drop-all-data", name)
		require.NotContains(t, out, "[y/N]", name)
	}
	out, code := migrate(t, dsn, "", "down", "--drop-all-data") // without input
	require.Equal(t, cli.ExitProblem, code, out)
	require.Contains(t, out, "to be reverted: 20261123100000_tables")
	require.Contains(t, out, "ALL DATA")
	require.Equal(t, all, tables(t, raw), "nothing was dropped")

	out, code = migrate(t, dsn, "y\n", "down", "--drop-all-data")
	require.Equal(t, cli.ExitDone, code, out)
	require.Contains(t, out, "\nreverted: 20261123100000_tables")
	require.Equal(t, 2, tables(t, raw), "those of the migrations remain")
	out, code = migrate(t, dsn, "", "down", "--drop-all-data", "--yes")
	require.NotEqual(t, cli.ExitDone, code)
	require.Contains(t, out, "no migration is applied")
}

func TestMigrateDownListsItsStepsAndAsks(t *testing.T) {
	t.Parallel()
	dsn, raw := plainDatabase(t)
	var last string
	require.NoError(t, raw.QueryRowContext(t.Context(), "SELECT MAX(name) FROM relay_migrations").Scan(&last))
	_, err := raw.ExecContext(t.Context(), "UPDATE relay_migrations SET group_id = 2 WHERE name = ?", last) // as an upgrade leaves it
	require.NoError(t, err)
	for _, in := range []string{"", "n\n"} {
		out, code := migrate(t, dsn, in, "down")
		require.Equal(t, cli.ExitProblem, code, out)
		require.Contains(t, out, "to be reverted: "+last)
		require.Contains(t, out, "nothing was reverted: it was not confirmed; --yes skips the question")
		require.NotContains(t, out, "20261123100000_tables")
	}
	out, code := migrate(t, dsn, "y\n", "down")
	require.Equal(t, cli.ExitDone, code, out)
	require.Contains(t, out, "[y/N] reverted: "+last)
	_, code = migrate(t, dsn, "", "up")
	require.Equal(t, cli.ExitDone, code)
	out, code = migrate(t, dsn, "", "down", "--yes")
	require.Equal(t, cli.ExitDone, code, out)
	require.NotContains(t, out, "[y/N]")
	require.Contains(t, out, "reverted: "+last)
}
