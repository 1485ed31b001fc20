package oms_test

import (
	"database/sql"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"relay/db"
	"relay/db/dbtest"
)

// writable are the columns that OMS may write; all others are the relay's.
var writable = []struct{ name, required, example, meaning string }{
	{"event_id", "**yes**", "2025020100004444-refund-1", "The event's own id; of an order's first event of a type the order's id. Unique with `event_type`."},
	{"order_id", "no", "2025020100004444", "The order. Without it, the order is `event_id`."},
	{"storefront_code", "this or `storefront_id`", "bosley", "The code of an existing storefront."},
	{"storefront_id", "this or `storefront_code`", "5", "The storefront's integer `id`. If both are present, they name the same one."},
	{"event_type", "**yes**", "refund", "The item's `event_name`, best in lower case."},
	{"event_payload", "**yes**", `{"event_time": "2026-01-15T10:25:00Z", "order_revenue": 20.00}`, "The item, as JSON."},
	{"source_system", "**yes**", "oms_direct", "Always `oms_direct`."},
	{"status", "**yes**", "pending", "Always `pending`."},
}

// readable are the relay's columns that OMS may read to follow an event.
var readable = []string{"id", "reason", "detail", "waiting_for", "next_attempt_at", "created_at", "finished_at", "erased_at"}

type column struct {
	name, kind string
	required   bool // without a default
}

// readColumns reads the columns of a table that the migrations made, in its order.
func readColumns(t *testing.T) []column {
	t.Helper()
	server, err := dbtest.Start(t.Context(), dbtest.Config{Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { server.Kill() })
	require.NoError(t, server.CreateDatabase(t.Context(), "relay"))
	store, err := db.Open(db.Config{URL: server.DSN("relay")})
	require.NoError(t, err)
	defer func() { require.NoError(t, store.Close()) }()
	_, err = store.Up(t.Context())
	require.NoError(t, err)
	config, err := db.ParseURL(server.DSN("relay"))
	require.NoError(t, err)
	read := openAs(t, config)
	rows, err := read.QueryContext(t.Context(), `SELECT COLUMN_NAME, DATA_TYPE, COALESCE(CHARACTER_MAXIMUM_LENGTH, 0), IS_NULLABLE = 'NO' AND
		COLUMN_DEFAULT IS NULL AND EXTRA NOT LIKE '%auto_increment%' FROM information_schema.COLUMNS
		WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'marketing_events' ORDER BY ORDINAL_POSITION`)
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	var all []column
	for rows.Next() {
		var c column
		var length sql.NullInt64
		require.NoError(t, rows.Scan(&c.name, &c.kind, &length, &c.required))
		switch c.kind = strings.ToUpper(c.kind); c.kind {
		case "VARCHAR":
			c.kind = fmt.Sprintf("VARCHAR(%d)", length.Int64)
		case "TEXT":
			c.kind = "TEXT, 65,535 bytes"
		}
		all = append(all, c)
	}
	require.NoError(t, rows.Err())
	require.NotEmpty(t, all)
	return all
}

func writableNames() []string {
	var names []string
	for _, c := range writable {
		names = append(names, c.name)
	}
	return names
}

// relayColumns are all but those that OMS may write.
func relayColumns(all []column) []string {
	var names []string
	for _, c := range all {
		if !slices.Contains(writableNames(), c.name) {
			names = append(names, c.name)
		}
	}
	return names
}

func writableTable(t *testing.T, all []column) string {
	t.Helper()
	rows := []string{"| column | type | required | example | meaning |", "|---|---|---|---|---|"}
	for _, c := range writable {
		i := slices.IndexFunc(all, func(has column) bool { return has.name == c.name })
		require.GreaterOrEqual(t, i, 0, "the table has no column %s", c.name)
		require.Equal(t, c.required == "**yes**", all[i].required, c.name)
		rows = append(rows, row("`"+c.name+"`", all[i].kind, c.required, "`"+c.example+"`", c.meaning))
	}
	return lines(rows)
}

// grant is the rights that OMS's own database user needs.
func grant() string {
	return fmt.Sprintf("```sql\nCREATE USER 'oms'@'%%' IDENTIFIED BY 'a password of its own';\nGRANT INSERT (%s),\n  SELECT (%s)\n"+
		"  ON relay.marketing_events TO 'oms'@'%%';\n```\n", strings.Join(writableNames(), ", "),
		strings.Join(slices.Concat(writableNames(), readable), ", "))
}

// requireDefaults requires that an INSERT of OMS needs a value for no column of the relay.
func requireDefaults(t *testing.T, all []column) {
	t.Helper()
	ours := relayColumns(all)
	for _, c := range all {
		require.False(t, c.required && slices.Contains(ours, c.name), "an INSERT of OMS has no value for %s", c.name)
	}
	for _, name := range readable {
		require.Contains(t, ours, name)
	}
}

// grantedUser creates the user with the statements that the page shows, and returns its password.
func grantedUser(t *testing.T, w *world) string {
	t.Helper()
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	_, after, ok := strings.Cut(string(text), "```sql\nCREATE USER")
	require.True(t, ok)
	statements, _, _ := strings.Cut("CREATE USER"+after, "```")
	for statement := range strings.SplitSeq(strings.TrimSpace(statements), ";") {
		if statement != "" {
			_, err := w.SQL.ExecContext(t.Context(), statement)
			require.NoError(t, err, statement)
		}
	}
	return "a password of its own"
}

// openAs opens the database with a login.
func openAs(t *testing.T, config *mysql.Config) *sql.DB {
	t.Helper()
	connector, err := mysql.NewConnector(config)
	require.NoError(t, err)
	as := sql.OpenDB(connector)
	t.Cleanup(func() { _ = as.Close() })
	require.NoError(t, as.PingContext(t.Context()))
	return as
}
