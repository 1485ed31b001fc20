package db_test

import (
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/db"
)

// handlerReads returns the number of rows that the server's storage engine has read: the cost of a statement, independent of
// the machine.
func handlerReads(t testing.TB, conn *sql.DB) int {
	t.Helper()
	rows, err := conn.QueryContext(t.Context(), "SHOW GLOBAL STATUS LIKE 'Handler_read%'")
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	sum := 0
	for rows.Next() {
		var name string
		var n int
		require.NoError(t, rows.Scan(&name, &n))
		sum += n
	}
	require.NoError(t, rows.Err())
	return sum
}

func TestClaimReadsItsKeyOnly(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	f.insert(newEvents(0, 2000, bosley, "bosley"))
	f.exec("ANALYZE TABLE marketing_events")
	for name, query := range db.ClaimQueries() {
		t.Run(name, func(t *testing.T) {
			seen := 0
			for _, line := range f.explain(query) {
				if line["table"] != "marketing_events" {
					continue
				}
				seen++
				require.Equal(t, "ix_marketing_events_claim", line["key"], line)
				require.NotEqual(t, "index", line["type"], line)
				require.NotContains(t, line["Extra"], "filesort", line)
				require.NotContains(t, line["Extra"], "temporary", line)
			}
			require.Positive(t, seen)
		})
	}
}

// explain returns a statement's plan, line by line.
func (f *fixture) explain(query db.Query) []map[string]string {
	f.t.Helper()
	rows, err := f.raw.QueryContext(f.t.Context(), "EXPLAIN FORMAT=TRADITIONAL "+query.SQL, query.Args...)
	if err != nil { // MariaDB knows no other
		rows, err = f.raw.QueryContext(f.t.Context(), "EXPLAIN "+query.SQL, query.Args...)
	}
	require.NoError(f.t, err)
	defer func() { require.NoError(f.t, rows.Close()) }()
	columns, err := rows.Columns()
	require.NoError(f.t, err)
	var lines []map[string]string
	for rows.Next() {
		line := make(map[string]string)
		values, dest := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range values {
			dest[i] = &values[i]
		}
		require.NoError(f.t, rows.Scan(dest...))
		for i, c := range columns {
			line[c] = values[i].String
		}
		lines = append(lines, line)
	}
	require.NoError(f.t, rows.Err())
	return lines
}

// TestClaimCostsTheSameInATableOfAnySize runs alone: it counts the reads of the whole server.
func TestClaimCostsTheSameInATableOfAnySize(t *testing.T) {
	f := migrated(t)
	bosley, pfizer := f.storefront("bosley"), f.storefront("pfizer")
	round := db.ClaimOptions{Page: 50, Cap: 100_000, Lease: time.Minute}
	cost := func() int {
		f.insert(newEvents(900_000, 900_010, pfizer, "pfizer"))
		before := handlerReads(t, f.raw)
		require.Len(t, f.claim(round), 60)
		reads := handlerReads(t, f.raw) - before
		f.exec("DELETE FROM marketing_events WHERE storefront_id = ?", pfizer)
		f.exec("UPDATE marketing_events SET status = 'delivered' WHERE claimed_until > UTC_TIMESTAMP(6)")
		return reads
	}
	f.insert(newEvents(0, 200, bosley, "bosley"))
	small := cost()
	f.exec("UPDATE marketing_events SET status = 'delivered', claimed_until = UTC_TIMESTAMP(6) - INTERVAL 1 DAY")
	for n := 1000; n < 21_000; n += 5000 {
		f.insert(newEvents(n, n+5000, bosley, "bosley"))
		if n < 11_000 {
			f.exec("UPDATE marketing_events SET status = 'delivered' WHERE status = 'pending'")
		}
	}
	large := cost()
	require.Less(t, large, 2*small+200, "200 rows cost %d reads, 20,000 rows %d", small, large)
}

func TestManyRowsByCodeOfOneStorefrontDelayNoOther(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	f.storefront("big")
	small := f.storefront("small")
	one := "(?, 'big', 'x', '{}', 'oms_direct', 'pending'),"
	for n := range 20 {
		var args []any
		for i := range 1000 {
			args = append(args, n*1000+i)
		}
		_, err := f.relayRaw().ExecContext(t.Context(), `INSERT INTO marketing_events
			(event_id, storefront_code, event_type, event_payload, source_system, status) VALUES `+strings.TrimSuffix(strings.Repeat(one, 1000), ","), args...)
		require.NoError(t, err)
	}
	for _, event := range []string{"a", "b"} {
		f.exec(`INSERT INTO marketing_events (event_id, storefront_code, event_type, event_payload, source_system, status)
			VALUES (?, 'small', 'x', '{}', 'oms_direct', 'pending')`, event)
	}
	starts := f.claim(db.ClaimOptions{Page: 50, Lease: time.Minute})
	require.Len(t, starts, 52, "all codes are resolved in the first round")
	require.Equal(t, 2, f.count("SELECT COUNT(*) FROM marketing_events WHERE storefront_id = ? AND claimed_until > UTC_TIMESTAMP(6)", small))
}
