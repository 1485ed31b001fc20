package db

import (
	"context"
	"database/sql"
	"iter"
	"regexp"
	"strings"

	"github.com/uptrace/bun/migrate"
)

// A migration is a file of statements, and both engines commit each of them separately: after a kill, or a lost server, any
// number of them may be done. So each can be executed again (see execAgain), and relay_migrations has three states of a
// migration X: no row; a row "X?" from before its first statement until after the last one; a row "X". Up turns the second
// state into the third and Down turns it into the first, after a kill of either.
const begunMark = "?"

// stepFunc is the function that bun calls for a migration.
type stepFunc = func(context.Context, *migrate.Migrator, *migrate.Migration) error

// begins stores that a migration has begun, before its first statement.
func begins(up stepFunc) stepFunc {
	return func(ctx context.Context, m *migrate.Migrator, step *migrate.Migration) error {
		pool := m.DB().DB
		n, err := rowsNamed(ctx, pool, step.Name+begunMark)
		if err == nil && n == 0 {
			_, err = pool.ExecContext(ctx, "INSERT INTO "+migrationsTable+" (name, group_id) VALUES (?, ?)", step.Name+begunMark, step.GroupID)
		}
		if err != nil {
			return err
		}
		return up(ctx, m, step)
	}
}

// rowsNamed counts the rows of relay_migrations with one of the names: 0 if the table does not exist.
func rowsNamed(ctx context.Context, pool *sql.DB, names ...any) (n int, err error) {
	err = pool.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+migrationsTable+" WHERE name IN ("+tuples("?", len(names))+")", names...).Scan(&n)
	if isNumber(err, errNoSuchTable) {
		return 0, nil
	}
	return n, err
}

// joinGroup moves the migrations of this Up into one group with those of a killed one before it.
func joinGroup(ctx context.Context, pool *sql.DB) error {
	var first sql.NullInt64
	err := pool.QueryRowContext(ctx, "SELECT MIN(group_id) FROM "+migrationsTable+" WHERE name LIKE CONCAT('%', ?)", begunMark).Scan(&first)
	if err != nil || !first.Valid {
		return err
	}
	_, err = pool.ExecContext(ctx, "UPDATE "+migrationsTable+" SET group_id = ? WHERE group_id > ?", first.Int64, first.Int64)
	return err
}

// forgetBegun removes the marks of applied migrations. It is the last step of Up, so that until then takesOver sees whose
// tables they are.
func forgetBegun(ctx context.Context, pool *sql.DB) error {
	_, err := pool.ExecContext(ctx, "DELETE b FROM "+migrationsTable+" b JOIN "+migrationsTable+" a ON b.name = CONCAT(a.name, ?)", begunMark)
	return err
}

// lastGroup returns the migrations that the last Up applied or began, by name.
func lastGroup(ctx context.Context, pool *sql.DB) (map[string]bool, error) {
	if err := joinGroup(ctx, pool); err != nil {
		return nil, err
	}
	rows, err := pool.QueryContext(ctx, "SELECT name FROM "+migrationsTable+" WHERE group_id = (SELECT MAX(group_id) FROM "+migrationsTable+")")
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	group := map[string]bool{}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		group[strings.TrimSuffix(name, begunMark)] = true
	}
	return group, rows.Err()
}

// undo undoes a migration.
func undo(ctx context.Context, pool *sql.DB, m *migrate.Migrator, step migrate.Migration) error {
	_, err := pool.ExecContext(ctx, "UPDATE "+migrationsTable+" SET name = ? WHERE name = ?", step.Name+begunMark, step.Name)
	if err != nil {
		return err
	}
	if step.Down != nil {
		if err := step.Down(ctx, m, &step); err != nil {
			return err
		}
	}
	_, err = pool.ExecContext(ctx, "DELETE FROM "+migrationsTable+" WHERE name = ?", step.Name+begunMark)
	return err
}

// script executes the statements of a file.
func script(file string) stepFunc {
	return func(ctx context.Context, m *migrate.Migrator, _ *migrate.Migration) error {
		text, err := migrationFiles.ReadFile(file)
		if err != nil {
			return err
		}
		for statement := range statements(text) {
			if err := execAgain(ctx, m.DB().DB, statement); err != nil {
				return err
			}
		}
		return nil
	}
}

var commentLine = regexp.MustCompile(`(?m)^\s*--.*\n?`)

// statements returns the statements of a migration's file, without comment lines.
func statements(script []byte) iter.Seq[string] {
	return func(yield func(string) bool) {
		for part := range strings.SplitSeq(string(script), "--bun:split") {
			statement := strings.TrimSpace(commentLine.ReplaceAllString(part, ""))
			if statement != "" && !yield(statement) {
				return
			}
		}
	}
}

// Error numbers for an object that exists already, or that has already been dropped.
var errsDone = []uint16{
	1050, 1060, 1061, 1068, 1826, 3822, // table, column, key, primary key, foreign key or check exists
	1051, 1091, 3821, 3940, // no such table; no such column, key or constraint; check; constraint
}

var alterTable = regexp.MustCompile(`(?is)^(ALTER TABLE \S+)\s+(.*)$`)

// execAgain executes a statement of a migration that may have been executed before, in whole or in part. An ALTER TABLE with
// several clauses is atomic, but if one of its clauses is done already, the server refuses them all: then each clause is
// executed alone. It does not query information_schema first, because the statement of a killed process may still be
// running: this one waits behind it, and then finds it done.
func execAgain(ctx context.Context, q querier, statement string) error {
	_, err := q.ExecContext(ctx, statement)
	if !isNumber(err, errsDone...) {
		return err
	}
	m := alterTable.FindStringSubmatch(statement)
	if m == nil {
		return nil
	}
	clauses := splitClauses(m[2])
	if len(clauses) == 1 {
		return nil
	}
	for _, clause := range clauses {
		if _, err := q.ExecContext(ctx, m[1]+" "+clause); err != nil && !isNumber(err, errsDone...) {
			return err
		}
	}
	return nil
}

// splitClauses splits at the commas outside parentheses and quotes.
func splitClauses(text string) []string {
	var clauses []string
	var quote rune
	start, depth := 0, 0
	for i, c := range text {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"' || c == '`':
			quote = c
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == ',' && depth == 0:
			clauses = append(clauses, strings.TrimSpace(text[start:i]))
			start = i + 1
		}
	}
	return append(clauses, strings.TrimSpace(text[start:]))
}
