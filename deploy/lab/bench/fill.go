package bench

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// bufferPool is the memory, in GiB, of a server with millions of rows: enough for all of them, as docs/SIZING.md asks.
const bufferPool = 8

// quickToFill are options of a database server that is filled with millions of rows and then only read. Its data need not
// outlive it.
var quickToFill = []string{
	"--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=OFF", fmt.Sprintf("--innodb-buffer-pool-size=%dG", bufferPool),
	"--loose-innodb-log-file-size=2G", "--loose-innodb-redo-log-capacity=2G", "--innodb-sort-buffer-size=64M",
}

// fillColumns are the columns of a finished row.
const fillColumns = ` (event_id, order_id, storefront_id, storefront_code, event_type, event_payload, source_system, status, ends, created_at, finished_at)`

// fill inserts n finished events, spread over 19 of the last 20 days, and some pending ones. Without its secondary indexes a
// table fills several times faster, and creating them afterwards sorts instead of searching.
func (l *env) fill(ctx context.Context, name string, storefront int64, n int) error {
	table := name + ".marketing_events"
	c, err := l.database.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	indexes, err := secondaryIndexes(ctx, c, table)
	if err != nil {
		return err
	}
	steps := []func() error{
		func() error { return alter(ctx, c, table, indexes, dropIndex) },
		func() error { return double(ctx, c, table, storefront, n) },
		func() error { return alter(ctx, c, table, indexes, addIndex) },
		func() error { return addPending(ctx, c, table) },
		func() error { _, err := c.ExecContext(ctx, "ANALYZE TABLE "+table); return err },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// secondaryIndexes are the lines that define them.
func secondaryIndexes(ctx context.Context, c *sql.Conn, table string) ([]string, error) {
	var name, definition string
	if err := c.QueryRowContext(ctx, "SHOW CREATE TABLE "+table).Scan(&name, &definition); err != nil {
		return nil, err
	}
	var lines []string
	for line := range strings.Lines(definition) {
		line = strings.Trim(line, " ,\n")
		if strings.HasPrefix(line, "KEY ") || strings.HasPrefix(line, "UNIQUE KEY ") {
			lines = append(lines, line)
		}
	}
	return lines, nil
}

func dropIndex(line string) string { return "DROP INDEX `" + strings.Split(line, "`")[1] + "`" }
func addIndex(line string) string  { return "ADD " + line }

func alter(ctx context.Context, c *sql.Conn, table string, indexes []string, change func(string) string) error {
	changes := make([]string, len(indexes))
	for i, line := range indexes {
		changes[i] = change(line)
	}
	_, err := c.ExecContext(ctx, "ALTER TABLE "+table+" "+strings.Join(changes, ", "))
	return err
}

// fillStep bounds the rows of one statement, so that the server's undo log stays small.
const fillStep = 250_000

// double copies the rows until there are n. Ids count from 1, because the table was not used before.
func double(ctx context.Context, c *sql.Conn, table string, storefront int64, n int) error {
	_, err := c.ExecContext(ctx, "INSERT INTO "+table+fillColumns+` SELECT 'm-1', 'm-1', ?, 'a', 'purchase_completed',
		'{"order_id":"m-1","order_revenue":80.79,"order_currency":"USD","page_url":"https://shop.example.com/thank-you"}', 'oms', 'delivered',
		'[{"destination":"sgtm","outcome":"accepted","status":200}]', UTC_TIMESTAMP(6) - INTERVAL 20 DAY, UTC_TIMESTAMP(6) - INTERVAL 20 DAY`, storefront)
	for have := 1; err == nil && have < n; {
		more := min(have, n-have, fillStep)
		later := fmt.Sprintf("INTERVAL %d MICROSECOND", int64(have)*19*24*3600*1e6/int64(n))
		_, err = c.ExecContext(ctx, "INSERT INTO "+table+" (id,"+fillColumns[2:]+" SELECT id + ?, CONCAT('m-', id + ?), CONCAT('m-', id + ?)"+`,
			storefront_id, storefront_code, event_type, event_payload, source_system, status, ends, created_at + `+later+", finished_at + "+later+`
			FROM `+table+" WHERE id <= ?", have, have, have, more)
		have += more
	}
	return err
}

// addPending inserts rows that wait to be claimed.
func addPending(ctx context.Context, c *sql.Conn, table string) error {
	_, err := c.ExecContext(ctx, "INSERT INTO "+table+fillColumns+` SELECT CONCAT('p-', id), CONCAT('p-', id), storefront_id, storefront_code, event_type,
		event_payload, source_system, 'pending', NULL, UTC_TIMESTAMP(6), NULL FROM `+table+" WHERE id <= ?", pendingRows)
	return err
}
