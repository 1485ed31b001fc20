package db

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"relay/internal/ops"
	"relay/internal/relay"
)

// kind is one kind of configuration: how a row of its table becomes a T and back, and what may be asked of its list.
type kind[T any] struct {
	entity ops.Entity
	table  string
	from   string   // the table as t, with what it is joined to
	own    []string // columns of the table itself; they make the version, but for secrets
	// secrets are those of own that are encrypted: their text changes with the key, which changes nothing. The column
	// revision, which counts writes, stands for them.
	secrets []string
	joined  []string // expressions of other tables, each "x AS name"

	read  func(*Store, row) (T, error)
	write func(s *Store, v T, old *T) ([]assignment, error) // old is nil for a new one
	facts func(T) []fact
	name  func(T) string
	flag  func(T) bool // its kill switch

	// parents completes v with what it refers to, and holds that until the transaction ends.
	parents func(ctx context.Context, tx *sql.Tx, v T) (T, error)
	taken   func(v T) unique // beside the id
	uses    func(ctx context.Context, tx *sql.Tx, id int64) ([]ops.Use, error)
	retire  func(ctx context.Context, tx *sql.Tx, id int64, v T) error

	sorts   map[string]string // fields to expressions that are never NULL
	filters map[string]string
	search  []string
}

// unique is what no two rows have in common: the field to blame, and how to find the row that has it.
type unique struct {
	field string
	where string
	args  []any
}

// assignment is a column and the value that is written to it.
type assignment struct {
	column string
	value  any
}

// Collection is all things of one kind of configuration. Each write is one transaction with its line of the audit.
type Collection[T any] struct {
	store *Store
	kind  kind[T]
}

// row is a row as text, by column.
type row map[string]sql.NullString

func (r row) text(column string) string { return r[column].String }

func (r row) number(column string) int64 {
	n, _ := strconv.ParseInt(r[column].String, 10, 64)
	return n
}

func (r row) bool(column string) bool { return r[column].String == "1" || r[column].String == "true" }

// common are the columns that every table of the configuration has.
var common = []string{"id", "created_at", "updated_at"}

// columns are all columns of the table itself.
func (k kind[T]) columns() []string {
	list := append(append([]string{}, common...), k.own...)
	if len(k.secrets) > 0 {
		list = append(list, "revision")
	}
	return list
}

func (k kind[T]) selects() string {
	var list []string
	for _, c := range k.columns() {
		list = append(list, "t."+c)
	}
	return strings.Join(append(list, k.joined...), ", ")
}

// names are the columns of selects, in its order.
func (k kind[T]) names() []string {
	names := k.columns()
	for _, j := range k.joined {
		_, name, _ := strings.Cut(j, " AS ")
		names = append(names, name)
	}
	return names
}

// query reads rows; tail is everything after the tables.
func (c *Collection[T]) query(ctx context.Context, q querier, tail string, args ...any) ([]ops.Record[T], []row, error) {
	rows, err := q.QueryContext(ctx, "SELECT "+c.kind.selects()+" FROM "+c.kind.from+tail, args...)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = rows.Close() }()
	names := c.kind.names()
	var records []ops.Record[T]
	var texts []row
	for rows.Next() {
		values := make([]sql.NullString, len(names))
		dest := make([]any, len(names))
		for i := range values {
			dest[i] = &values[i]
		}
		if err := rows.Scan(dest...); err != nil {
			return nil, nil, err
		}
		r := row{}
		for i, name := range names {
			r[name] = values[i]
		}
		record, err := c.record(r)
		if err != nil {
			return nil, nil, err
		}
		records, texts = append(records, record), append(texts, r)
	}
	return records, texts, rows.Err()
}

func (c *Collection[T]) record(r row) (ops.Record[T], error) {
	v, err := c.kind.read(c.store, r)
	sum := sha256.New()
	for _, column := range c.kind.columns() {
		if slices.Contains(c.kind.secrets, column) {
			continue
		}
		_, _ = fmt.Fprintf(sum, "%s=%t:%q;", column, r[column].Valid, r[column].String) // a hash takes everything
	}
	return ops.Record[T]{
		ID:        r.number("id"),
		Version:   hex.EncodeToString(sum.Sum(nil)[:12]),
		CreatedAt: parseTime(r.text("created_at")),
		UpdatedAt: parseTime(r.text("updated_at")),
		Value:     v,
	}, err
}

// addFlips says of records who set their kill switches.
func (c *Collection[T]) addFlips(ctx context.Context, q querier, records []ops.Record[T]) error {
	ids := make([]int64, len(records))
	for i, r := range records {
		ids[i] = r.ID
	}
	found, err := flips(ctx, q, c.kind.entity, ids)
	for i, r := range records {
		records[i].Flip = found[r.ID]
	}
	return err
}

func (c *Collection[T]) one(ctx context.Context, q querier, id int64) (ops.Record[T], error) {
	records, _, err := c.query(ctx, q, " WHERE t.id = ?", id)
	if err == nil && len(records) == 0 {
		err = relay.ErrNotFound
	}
	if err != nil {
		return ops.Record[T]{}, err
	}
	return records[0], c.addFlips(ctx, q, records)
}

func (c *Collection[T]) act(what string, id int64) string {
	return what + " " + string(c.kind.entity) + " " + strconv.FormatInt(id, 10)
}

// Find reads one. One that is not there is relay.ErrNotFound.
func (c *Collection[T]) Find(ctx context.Context, id int64) (ops.Record[T], error) {
	r, err := c.one(ctx, c.store.sql, id)
	return r, fail(c.act("read", id), err)
}
