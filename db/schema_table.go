package db

import (
	"context"
	"regexp"
	"slices"
	"strings"
)

// table is the output of SHOW CREATE TABLE, line by line.
type table struct {
	name    string
	columns []column
	keys    []key
}

// column is one line of a table: its name and, in text, the whole definition with the name.
type column struct{ name, text string }

// key is a key, a check or a foreign key: rule is its definition without its name.
type key struct{ kind, name, rule, text string }

var keyLine = regexp.MustCompile("^(?:(PRIMARY KEY|UNIQUE KEY|FULLTEXT KEY|KEY)|CONSTRAINT `((?:[^`]|``)+)` (CHECK|FOREIGN KEY))\\s*(?:`((?:[^`]|``)+)` )?(.*)$")

// showTable reads a table as the server prints it.
func showTable(ctx context.Context, q querier, name string) (table, error) {
	var printed, text string
	if err := q.QueryRowContext(ctx, "SHOW CREATE TABLE "+quoteName(name)).Scan(&printed, &text); err != nil {
		return table{}, err
	}
	t := table{name: name}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(strings.TrimSpace(line), ",")
		if strings.HasPrefix(line, "`") {
			end := strings.Index(line[1:], "`")
			t.columns = append(t.columns, column{name: line[1 : end+1], text: line})
			continue
		}
		if m := keyLine.FindStringSubmatch(line); m != nil {
			t.keys = append(t.keys, key{kind: m[1] + m[3], name: m[2] + m[4], rule: m[5], text: line})
		}
	}
	return t, nil
}

func (t table) column(name string) (column, bool) {
	for _, c := range t.columns {
		if strings.EqualFold(c.name, name) {
			return c, true
		}
	}
	return column{}, false
}

func (t table) hasPrimary() bool {
	return slices.ContainsFunc(t.keys, func(k key) bool { return k.kind == "PRIMARY KEY" })
}

// required reports whether an INSERT must name the column.
func (c column) required() bool {
	return strings.Contains(c.text, " NOT NULL") && c.defaulted() == "" && !c.increments() && !strings.Contains(c.text, "GENERATED")
}

func (c column) increments() bool { return strings.Contains(c.text, " AUTO_INCREMENT") }

var defaultClause = regexp.MustCompile(` DEFAULT (\((?:[^()]|\([^()]*\))*\)|'(?:[^']|'')*'|[^ (]+(?:\([^)]*\))?)`)

// defaulted returns the expression of the column's default, or "".
func (c column) defaulted() string {
	m := defaultClause.FindStringSubmatch(c.text)
	if m == nil {
		return ""
	}
	return wrapCall(m[1])
}

// optional returns the definition of the column as nullable.
func (c column) optional() string { return strings.Replace(c.text, " NOT NULL", " NULL", 1) }

// wrapCall puts a function in parentheses, as a default requires; MariaDB prints it without.
func wrapCall(expression string) string {
	if strings.HasSuffix(expression, ")") && !strings.HasPrefix(expression, "(") {
		return "(" + expression + ")"
	}
	return expression
}

func quoteName(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }
