package db

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"relay"
)

// kind is one kind of configuration: how a row of its table becomes a T and back, and what may be asked of its list.
type kind[T any] struct {
	entity relay.Entity
	table  string
	from   string   // the table as t, with what it is joined to
	own    []string // columns of the table itself; they make the version
	joined []string // expressions of other tables, each "x AS name"

	read  func(*Store, row) (T, error)
	write func(s *Store, v T, old *T) ([]assignment, error) // old is nil for a new one
	facts func(T) []fact
	name  func(T) string
	flag  func(T) bool // its kill switch

	// parents completes v with what it refers to, and holds that until the transaction ends.
	parents func(ctx context.Context, tx *sql.Tx, v T) (T, error)
	taken   func(ctx context.Context, tx *sql.Tx, v T) string // the field whose value another row has
	uses    func(ctx context.Context, tx *sql.Tx, id int64) ([]relay.Use, error)
	retire  func(ctx context.Context, tx *sql.Tx, id int64, v T) error

	sorts   map[string]string // fields to expressions that are never NULL
	filters map[string]string
	search  []string
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

func (k kind[T]) selects() string {
	var list []string
	for _, c := range append(append([]string{}, common...), k.own...) {
		list = append(list, "t."+c)
	}
	return strings.Join(append(list, k.joined...), ", ")
}

// names are the columns of selects, in its order.
func (k kind[T]) names() []string {
	names := append(append([]string{}, common...), k.own...)
	for _, j := range k.joined {
		_, name, _ := strings.Cut(j, " AS ")
		names = append(names, name)
	}
	return names
}

// query reads rows; tail is everything after the tables.
func (c *Collection[T]) query(ctx context.Context, q querier, tail string, args ...any) ([]relay.Record[T], []row, error) {
	rows, err := q.QueryContext(ctx, "SELECT "+c.kind.selects()+" FROM "+c.kind.from+tail, args...)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = rows.Close() }()
	names := c.kind.names()
	var records []relay.Record[T]
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

func (c *Collection[T]) record(r row) (relay.Record[T], error) {
	v, err := c.kind.read(c.store, r)
	sum := sha256.New()
	for _, column := range append([]string{"id", "updated_at"}, c.kind.own...) {
		_, _ = fmt.Fprintf(sum, "%s=%t:%q;", column, r[column].Valid, r[column].String) // a hash takes everything
	}
	return relay.Record[T]{
		ID:        r.number("id"),
		Version:   hex.EncodeToString(sum.Sum(nil)[:12]),
		CreatedAt: parseTime(r.text("created_at")),
		UpdatedAt: parseTime(r.text("updated_at")),
		Value:     v,
	}, err
}

// addFlips says of records who set their kill switches.
func (c *Collection[T]) addFlips(ctx context.Context, q querier, records []relay.Record[T]) error {
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

func (c *Collection[T]) one(ctx context.Context, q querier, id int64) (relay.Record[T], error) {
	records, _, err := c.query(ctx, q, " WHERE t.id = ?", id)
	if err == nil && len(records) == 0 {
		err = relay.ErrNotFound
	}
	if err != nil {
		return relay.Record[T]{}, err
	}
	return records[0], c.addFlips(ctx, q, records)
}

func (c *Collection[T]) act(what string, id int64) string {
	return what + " " + string(c.kind.entity) + " " + strconv.FormatInt(id, 10)
}

// Find reads one. One that is not there is relay.ErrNotFound.
func (c *Collection[T]) Find(ctx context.Context, id int64) (relay.Record[T], error) {
	r, err := c.one(ctx, c.store.sql, id)
	return r, fail(c.act("read", id), err)
}

// Create adds one; id is 0 or the one that it is to have. What stands in the way is a *relay.WriteError.
func (c *Collection[T]) Create(ctx context.Context, act relay.Act, id int64, v T) (relay.Record[T], error) {
	var r relay.Record[T]
	err := c.store.tx(ctx, func(tx *sql.Tx) error {
		v, err := c.kind.parents(ctx, tx, v)
		if err != nil {
			return err
		}
		made, err := c.insert(ctx, tx, id, v)
		if isNumber(err, errDuplicate) {
			return c.conflict(ctx, tx, id, v)
		}
		if err != nil {
			return err
		}
		if err := c.audit(ctx, tx, act, made, v, nil); err != nil {
			return err
		}
		r, err = c.one(ctx, tx, made)
		return err
	})
	return r, fail("create "+string(c.kind.entity), err)
}

func (c *Collection[T]) insert(ctx context.Context, tx *sql.Tx, id int64, v T) (int64, error) {
	list, err := c.kind.write(c.store, v, nil)
	if err != nil {
		return 0, err
	}
	if id != 0 {
		list = append(list, assignment{"id", id})
	}
	var columns []string
	var args []any
	for _, a := range list {
		columns, args = append(columns, a.column), append(args, a.value)
	}
	res, err := tx.ExecContext(ctx, "INSERT INTO "+c.kind.table+" ("+strings.Join(columns, ", ")+") VALUES ("+marks(len(args))+")", args...)
	if err != nil || id != 0 {
		return id, err
	}
	return res.LastInsertId()
}

func (c *Collection[T]) conflict(ctx context.Context, tx *sql.Tx, id int64, v T) error {
	field := "id"
	var found int64
	err := tx.QueryRowContext(ctx, "SELECT id FROM "+c.kind.table+" WHERE id = ?", id).Scan(&found)
	if errors.Is(err, sql.ErrNoRows) {
		field, err = c.kind.taken(ctx, tx, v), nil
	}
	if err != nil {
		return err
	}
	return &relay.WriteError{Kind: relay.Taken, Field: field}
}

// Update changes one by what change makes of it, while nobody else can. Where that is what is stored already, nothing is
// written. An error of change leaves everything as it is and comes back as it is.
func (c *Collection[T]) Update(ctx context.Context, act relay.Act, id int64, change func(relay.Record[T]) (T, error)) (relay.Record[T], error) {
	var r relay.Record[T]
	err := c.store.tx(ctx, func(tx *sql.Tx) error {
		old, err := c.hold(ctx, tx, id)
		if err != nil {
			return err
		}
		v, err := change(old)
		if err != nil {
			return err
		}
		r = old
		if len(compare(c.kind.facts(old.Value), c.kind.facts(v))) == 0 {
			return nil
		}
		if err := c.update(ctx, tx, id, v, old.Value); err != nil {
			return err
		}
		if err := c.audit(ctx, tx, act, id, v, &old.Value); err != nil {
			return err
		}
		r, err = c.one(ctx, tx, id)
		return err
	})
	return r, fail(c.act(string(act.Action), id), err)
}

// hold reads one and keeps it from others until the transaction ends. The lock is on the row alone: one that took the rows
// of a join, too, would make kill switches wait for one another.
func (c *Collection[T]) hold(ctx context.Context, tx *sql.Tx, id int64) (relay.Record[T], error) {
	var found int64
	err := tx.QueryRowContext(ctx, "SELECT id FROM "+c.kind.table+" WHERE id = ? FOR UPDATE", id).Scan(&found)
	if err != nil {
		return relay.Record[T]{}, err
	}
	return c.one(ctx, tx, id)
}

func (c *Collection[T]) update(ctx context.Context, tx *sql.Tx, id int64, v, old T) error {
	list, err := c.kind.write(c.store, v, &old)
	if err != nil {
		return err
	}
	var sets []string
	var args []any
	for _, a := range list {
		sets, args = append(sets, a.column+" = ?"), append(args, a.value)
	}
	_, err = tx.ExecContext(ctx, "UPDATE "+c.kind.table+" SET "+strings.Join(sets, ", ")+", updated_at = UTC_TIMESTAMP(6) WHERE id = ?",
		append(args, id)...)
	return err
}

// Delete removes one. check sees it first and may refuse. One that is in use is a *relay.WriteError that says by what.
func (c *Collection[T]) Delete(ctx context.Context, act relay.Act, id int64, check func(relay.Record[T]) error) error {
	return fail(c.act("delete", id), c.store.tx(ctx, func(tx *sql.Tx) error {
		old, err := c.hold(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := check(old); err != nil {
			return err
		}
		uses, err := c.kind.uses(ctx, tx, id)
		if err != nil {
			return err
		}
		if len(uses) > 0 {
			return &relay.WriteError{Kind: relay.InUse, Uses: uses}
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM "+c.kind.table+" WHERE id = ?", id); err != nil {
			return err
		}
		if err := c.kind.retire(ctx, tx, id, old.Value); err != nil {
			return err
		}
		return writeAudit(ctx, tx, relay.AuditEntry{By: act.By, Action: act.Action, Entity: c.kind.entity, EntityID: id,
			Name: c.kind.name(old.Value), RequestID: act.RequestID, Changes: compare(c.kind.facts(old.Value), nil)})
	}))
}

// audit writes the line of a write: old is nil for a new thing.
func (c *Collection[T]) audit(ctx context.Context, tx *sql.Tx, act relay.Act, id int64, v T, old *T) error {
	e := relay.AuditEntry{By: act.By, Action: act.Action, Entity: c.kind.entity, EntityID: id, Name: c.kind.name(v), RequestID: act.RequestID}
	on := c.kind.flag(v)
	if old == nil {
		e.Changes, e.Switched = compare(nil, c.kind.facts(v)), &on
	} else {
		e.Changes = compare(c.kind.facts(*old), c.kind.facts(v))
		if on != c.kind.flag(*old) {
			e.Switched = &on
		}
	}
	return writeAudit(ctx, tx, e)
}

func marks(n int) string { return strings.TrimSuffix(strings.Repeat("?, ", n), ", ") }
