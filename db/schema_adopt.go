package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// adopt adapts existing tables to the relay without losing data: it adds missing columns and keys, adds defaults to columns
// that lack them, and makes columns nullable that the relay does not fill. Any other difference is reported and left. On
// tables that the first migration has just created it finds nothing to do.
//
// The server itself provides the target: the migration's own statement is run for a temporary table and printed by SHOW
// CREATE TABLE. The engines print differently, but each prints both tables alike.
func adopt(ctx context.Context, pool *sql.DB, r *Report) error {
	err := compareAll(ctx, pool, func(want, have table) error {
		a := adoption{ctx: ctx, pool: pool, report: r, table: have}
		for _, column := range want.columns {
			a.column(column)
		}
		for _, column := range have.columns {
			if _, ok := want.column(column.name); !ok {
				a.unknown(column)
			}
		}
		for _, key := range want.keys {
			a.key(key)
		}
		for _, key := range have.keys {
			if key.kind == "FOREIGN KEY" {
				a.differs("has the foreign key %s, which %s", key.text, foreignTrouble(want.name, key.text))
			}
		}
		return a.err
	})
	return errors.Join(err, noteAdoption(ctx, pool, slices.Concat(r.Changes, r.Differences)))
}

// foreignTrouble explains why a foreign key of a table is harmful.
func foreignTrouble(table, key string) string {
	switch {
	case table == "event_attempts" && strings.Contains(key, "FOREIGN KEY (`marketing_event_id`)"): // attempts are deleted before their event
		return "costs every attempt a look at its event"
	case table == "event_attempts":
		return "keeps retention from deleting events"
	}
	return "can make a kill switch wait for an open insert"
}

// takesOver reports whether the database has tables of the earlier service, and stores that before they are changed: after a
// killed Up they must not look like the relay's own, which Down drops. Tables that the relay created, or began to create, do
// not count.
func takesOver(ctx context.Context, pool *sql.DB) (bool, error) {
	var there int
	err := pool.QueryRowContext(ctx, `SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name IN
		('storefronts', 'storefront_sgtm_config', 'ad_analytics_platforms', 'platform_credentials', 'marketing_events', 'event_attempts')`).Scan(&there)
	if err != nil || there == 0 {
		return false, err
	}
	lines, err := adoptionLines(ctx, pool)
	if err != nil || lines > 0 {
		return lines > 0, err
	}
	begun, err := rowsNamed(ctx, pool, tablesMigration+begunMark)
	if err != nil || begun > 0 {
		return false, err
	}
	applied, err := rowsNamed(ctx, pool, tablesMigration)
	if err != nil || applied > 0 { // adopt compares, and reports differences
		return true, err
	}
	return true, noteAdoption(ctx, pool, []string{fmt.Sprintf("%d tables were there before the relay", there)})
}

func adoptionLines(ctx context.Context, pool *sql.DB) (lines int, err error) {
	err = pool.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+adoptionsTable).Scan(&lines)
	if isNumber(err, errNoSuchTable) {
		return 0, nil
	}
	return lines, err
}

// noteAdoption stores the changes and findings, for operators and for refuseAdopted. A database that the relay created
// itself has no such table.
func noteAdoption(ctx context.Context, pool *sql.DB, lines []string) error {
	if len(lines) == 0 {
		return nil
	}
	_, err := pool.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS "+adoptionsTable+` (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
		line TEXT NOT NULL, created_at DATETIME(6) NOT NULL DEFAULT (UTC_TIMESTAMP(6))) DEFAULT CHARSET=utf8mb4`)
	for _, line := range lines {
		if err == nil {
			_, err = pool.ExecContext(ctx, "INSERT INTO "+adoptionsTable+" (line) VALUES (?)", cut(line, maxText))
		}
	}
	return err
}

// refuseAdopted stops a Down that would drop tables of the earlier service.
func refuseAdopted(ctx context.Context, pool *sql.DB) error {
	lines, err := adoptionLines(ctx, pool)
	if err == nil && lines > 0 {
		err = ErrAdopted
	}
	return err
}

// compareAll calls f with each table's target and its present state.
func compareAll(ctx context.Context, pool *sql.DB, f func(want, have table) error) error {
	script, err := migrationFiles.ReadFile("migrations/" + tablesMigration + "_tables.up.sql")
	if err != nil {
		return err
	}
	var all error
	for statement := range statements(script) {
		want, err := wanted(ctx, pool, statement)
		if err != nil {
			return err
		}
		have, err := showTable(ctx, pool, want.name)
		if err != nil {
			return err
		}
		all = errors.Join(all, f(want, have))
	}
	return all
}

// wanted creates a temporary table from a CREATE TABLE statement and reads it. It uses a connection of its own and closes
// it: back in the pool, the temporary table would hide the real one from the next user.
func wanted(ctx context.Context, pool *sql.DB, statement string) (table, error) {
	conn, err := pool.Conn(ctx)
	if err != nil {
		return table{}, err
	}
	defer func() {
		_ = conn.Raw(func(any) error { return driver.ErrBadConn })
		_ = conn.Close()
	}()
	const create = "CREATE TABLE IF NOT EXISTS "
	_, rest, ok := strings.Cut(statement, create)
	if !ok {
		return table{}, fmt.Errorf("no %q in a migration that creates tables", create)
	}
	name, _, _ := strings.Cut(rest, " ")
	if _, err := conn.ExecContext(ctx, "CREATE TEMPORARY TABLE "+rest); err != nil {
		return table{}, err
	}
	return showTable(ctx, conn, name)
}

// adoption changes one table.
type adoption struct {
	ctx    context.Context
	pool   *sql.DB
	report *Report
	table  table
	err    error // of changes that the relay cannot work without
}

func (a *adoption) differs(format string, args ...any) {
	a.report.Differences = append(a.report.Differences, a.table.name+" "+fmt.Sprintf(format, args...))
}

// alter changes the table and reports the change, or the failure.
func (a *adoption) alter(done, clause string) error {
	err := execAgain(a.ctx, a.pool, "ALTER TABLE "+quoteName(a.table.name)+" "+clause)
	if err != nil {
		a.differs("could not be changed (%s): %v", done, translate(err))
		return err
	}
	a.report.Changes = append(a.report.Changes, a.table.name+": "+done)
	return nil
}

// must is an alter that the relay cannot work without.
func (a *adoption) must(done, clause string) {
	if err := a.alter(done, clause); err != nil {
		a.err = errors.Join(a.err, fmt.Errorf("%s: %s: %w", a.table.name, done, translate(err)))
	}
}

func (a *adoption) column(want column) {
	have, ok := a.table.column(want.name)
	switch {
	case !ok && want.increments():
		a.counter(want)
	case !ok && want.required():
		// Existing rows have no value for it; an implied one ('' or 0) would look like a real one.
		a.must("column "+want.name+" added, empty in existing rows", "ADD COLUMN "+want.optional())
	case !ok:
		a.must("column "+want.name+" added", "ADD COLUMN "+want.text)
	case have.required() && want.defaulted() != "":
		a.must("column "+want.name+" got a default", "ALTER COLUMN "+quoteName(want.name)+" SET DEFAULT "+want.defaulted())
	case have.required() && !want.required() && !want.increments():
		a.must("column "+want.name+" may be empty", "MODIFY COLUMN "+have.optional())
	}
	if ok && have.text != want.text {
		a.differs("has the column %s; the relay's own is %s", have.text, want.text)
	}
}

// counter adds the column that numbers the rows, which the server requires to be a key from the start.
func (a *adoption) counter(want column) {
	kind := "PRIMARY KEY"
	if a.table.hasPrimary() {
		kind = "UNIQUE KEY"
	}
	rule := "(" + quoteName(want.name) + ")"
	a.must("column "+want.name+" added", "ADD COLUMN "+want.text+", ADD "+kind+" "+rule)
	a.table.keys = append(a.table.keys, key{kind: kind, rule: rule})
}

// unknown checks a column that the relay does not know and never fills.
func (a *adoption) unknown(have column) {
	a.differs("has the unknown column %s, which stays as it is", have.text)
	if have.required() {
		a.must("unknown column "+have.name+" may be empty, because the relay does not fill it", "MODIFY COLUMN "+have.optional())
	}
}

// key adds a missing key or check. Rows that violate a check stay; rows that violate a unique key have to be deleted first.
func (a *adoption) key(want key) {
	same := func(k key) bool {
		// Some queries force the plain keys, by their names.
		return k.kind == want.kind && k.rule == want.rule && (k.name == want.name || want.kind != "KEY")
	}
	if slices.ContainsFunc(a.table.keys, same) {
		return
	}
	if want.kind == "PRIMARY KEY" && a.table.hasPrimary() {
		a.differs("has another primary key than the relay's %s", want.rule)
		return
	}
	done := strings.TrimSpace(strings.ToLower(want.kind)+" "+want.name) + " added"
	if want.kind == "UNIQUE KEY" || want.kind == "PRIMARY KEY" {
		a.must(done, "ADD "+want.text)
		return
	}
	_ = a.alter(done, "ADD "+want.text) // in the report
}
