package api_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// recorder keeps the SELECTs of a store, while it is told to.
type recorder struct {
	mu   sync.Mutex
	on   bool
	list []statement
}

type statement struct {
	text string
	args []any
}

// of returns the statements of a call.
func (r *recorder) of(call func()) []statement {
	r.mu.Lock()
	r.on, r.list = true, nil
	r.mu.Unlock()
	call()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.on = false
	return r.list
}

func (r *recorder) wrap(c driver.Connector) driver.Connector { return recordingConnector{c, r} }

type recordingConnector struct {
	driver.Connector
	recorder *recorder
}

func (c recordingConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return recordingConn{conn.(wholeConn), c.recorder}, nil
}

// wholeConn is the part of MySQL's driver that database/sql uses.
type wholeConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.NamedValueChecker
	driver.Pinger
	driver.QueryerContext
	driver.SessionResetter
	driver.Validator
}

type recordingConn struct {
	wholeConn
	recorder *recorder
}

// QueryContext is called for every query that was not prepared by hand, whether or not the driver then prepares it.
func (c recordingConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	c.recorder.mu.Lock()
	if c.recorder.on && strings.Contains(query, "FROM") {
		s := statement{text: query}
		for _, a := range args {
			s.args = append(s.args, a.Value)
		}
		c.recorder.list = append(c.recorder.list, s)
	}
	c.recorder.mu.Unlock()
	return c.wholeConn.QueryContext(ctx, query, args)
}

// growing are the tables that grow with the events, or with what admins do. The others have a row for each storefront, destination,
// platform or process.
var growing = []string{"marketing_events", "event_attempts", "event_stats", "event_stats_hours", "event_stats_purged", "attempt_stats", "admin_audit",
	"event_replays", "event_replay_items", "event_erasures", "event_erasure_items"}

var tables = regexp.MustCompile("(?:FROM|JOIN)\\s+`?([a-z_]+)`?(?:\\s+AS)?(?:\\s+`?([a-z_]+)`?\\b)?")

// tablesOf are the growing tables of a statement, by the names that its plan has for them.
func (s statement) tablesOf() map[string]string {
	found := map[string]string{}
	for _, m := range tables.FindAllStringSubmatch(s.text, -1) {
		if slices.Contains(growing, m[1]) {
			found[m[1]] = m[1]
			if m[2] != "" {
				found[m[2]] = m[1]
			}
		}
	}
	return found
}

// explained is a statement's plan, and the number of rows that the server read for it.
type explained struct {
	keys  []string // "table key", of growing tables
	scans []string // lines of the plan that read a whole table or index
	reads int
}

func (s statement) explain(t testing.TB, conn *sql.Conn) explained {
	t.Helper()
	var e explained
	names := s.tablesOf()
	for _, line := range rowsOf(t, conn, "EXPLAIN "+s.text, s.args...) {
		table, grows := names[line["table"]]
		if !grows {
			continue
		}
		e.keys = append(e.keys, table+" "+line["key"])
		if line["type"] == "ALL" || line["type"] == "index" && !strings.Contains(s.text, "LIMIT") {
			e.scans = append(e.scans, fmt.Sprint(line))
		}
	}
	before := handlerReads(t, conn)
	rowsOf(t, conn, s.text, s.args...)
	e.reads = handlerReads(t, conn) - before
	return e
}

func rowsOf(t testing.TB, conn *sql.Conn, query string, args ...any) []map[string]string {
	t.Helper()
	rows, err := conn.QueryContext(t.Context(), query, args...)
	require.NoError(t, err, query)
	defer func() { require.NoError(t, rows.Close()) }()
	columns, err := rows.Columns()
	require.NoError(t, err)
	var list []map[string]string
	for rows.Next() {
		line := map[string]string{}
		values, dest := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range values {
			dest[i] = &values[i]
		}
		require.NoError(t, rows.Scan(dest...))
		for i, c := range columns {
			line[c] = values[i].String
		}
		list = append(list, line)
	}
	require.NoError(t, rows.Err())
	return list
}

// handlerReads is how many rows the session has read, those of temporary tables included.
func handlerReads(t testing.TB, conn *sql.Conn) int {
	t.Helper()
	sum := 0
	for _, line := range rowsOf(t, conn, "SHOW SESSION STATUS LIKE 'Handler_read%'") {
		for _, value := range line {
			n, _ := strconv.Atoi(value) // its name is none
			sum += n
		}
	}
	return sum
}
