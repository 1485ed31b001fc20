package db

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"reflect"
	"strconv"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"

	"relay/internal/ops"
)

// configRow is a row of a table of the configuration: a struct R with bun's tags that holds a T. Two more tags exclude a
// column: audit:"-" from the audit, version:"-" from the version. An encrypted column has both.
type configRow[T, R any] interface {
	*R

	common() *configColumns
	// value returns the value of the row, with its secrets decrypted.
	value(s *Store) T
	// fill sets all columns but the encrypted ones.
	fill(v T)
	// seal encrypts the secrets of v into their columns.
	seal(s *Store, v T) error
	// kept returns the columns that an update leaves as they are.
	kept() []string
	// auditSecrets adds the fields of the encrypted columns.
	auditSecrets(v T, to auditFields)
	// lockParents finds the rows that this one refers to, and locks them until the transaction ends.
	lockParents(ctx context.Context, q querier) error
	// unique returns the unique key besides the id.
	unique() uniqueKey
	// uses counts the references to the row.
	uses(ctx context.Context, q querier) ([]ops.Use, error)
	// retire runs after the row's deletion.
	retire(ctx context.Context, q querier) error
	title() string
	active() bool
}

// configColumns are the columns that all tables of the configuration have. Its methods are the defaults of configRow.
type configColumns struct {
	ID        int64     `bun:"id,pk,autoincrement" audit:"-"`
	CreatedAt time.Time `bun:"created_at,nullzero,skipupdate" audit:"-"`
	UpdatedAt time.Time `bun:"updated_at,nullzero" audit:"-"`
}

func (c *configColumns) common() *configColumns                         { return c }
func (*configColumns) kept() []string                                   { return nil }
func (*configColumns) lockParents(context.Context, querier) error       { return nil }
func (*configColumns) uses(context.Context, querier) ([]ops.Use, error) { return nil, nil }
func (*configColumns) retire(context.Context, querier) error            { return nil }

// uniqueKey names the field of a unique key, and finds the row that has it.
type uniqueKey struct {
	field string
	where condition
}

// configTable defines the sort fields, filters and joins of a table's list. The table has the alias t.
type configTable struct {
	entity  ops.Entity
	joins   []string
	joined  []string          // columns of the joins
	sorts   map[string]string // fields to columns of the table itself that are never NULL
	filters map[string]string
	search  []string
}

// Collection reads and writes the rows of one table of the configuration. Each write is one transaction with its entry in
// the audit.
type Collection[T, R any, P configRow[T, R]] struct {
	store *Store
	table configTable
}

// Find reads one. One that does not exist is relay.ErrNotFound.
func (c *Collection[T, R, P]) Find(ctx context.Context, id int64) (ops.Record[T], error) {
	r, err := c.one(ctx, c.store.sql, id)
	return r, wrap(c.op("read", id), err)
}

func (c *Collection[T, R, P]) one(ctx context.Context, q querier, id int64) (ops.Record[T], error) {
	rows := make([]R, 1)
	if err := c.query(q, &rows[0]).Where("t.id = ?", id).Scan(ctx); err != nil {
		return ops.Record[T]{}, err
	}
	records, err := c.records(ctx, q, rows)
	if err != nil {
		return ops.Record[T]{}, err
	}
	return records[0], nil
}

// query selects rows with their joined columns.
func (c *Collection[T, R, P]) query(q querier, model any) *bun.SelectQuery {
	query := c.store.bun.NewSelect().Conn(q).Model(model).ColumnExpr("?TableColumns")
	for _, j := range c.table.joined {
		query = query.ColumnExpr(j)
	}
	return c.join(query)
}

func (c *Collection[T, R, P]) join(query *bun.SelectQuery) *bun.SelectQuery {
	for _, j := range c.table.joins {
		query = query.Join(j)
	}
	return query
}

// records turns rows into records, with the last changes of their kill switches.
func (c *Collection[T, R, P]) records(ctx context.Context, q querier, rows []R) ([]ops.Record[T], error) {
	keys := make([]switchKey, len(rows))
	for i := range rows {
		keys[i] = switchKey{c.table.entity, P(&rows[i]).common().ID}
	}
	changed, err := c.store.switchChanges(ctx, q, keys)
	if err != nil {
		return nil, err
	}
	list := make([]ops.Record[T], len(rows))
	for i := range rows {
		row := P(&rows[i])
		common := row.common()
		list[i] = ops.Record[T]{ID: common.ID, Version: c.version(row), CreatedAt: common.CreatedAt, UpdatedAt: common.UpdatedAt,
			SwitchChange: changed[keys[i]], Value: row.value(c.store)}
	}
	return list, nil
}

// version hashes the columns of a row. Encrypted columns change when the key is rotated, which a client must not see: the
// column revision, which counts writes, is hashed in their place.
func (c *Collection[T, R, P]) version(row P) string {
	sum := sha256.New()
	for _, f := range c.schema().Fields {
		if f.StructField.Tag.Get("version") != "-" {
			_, _ = fmt.Fprintf(sum, "%s=%q;", f.Name, fieldText(f, row)) // a hash never fails
		}
	}
	return hex.EncodeToString(sum.Sum(nil)[:12])
}

// schema returns the table as bun reads it from R's tags.
func (c *Collection[T, R, P]) schema() *schema.Table { return c.store.bun.Table(reflect.TypeFor[R]()) }

// fieldText returns the value of a row's column as text.
func fieldText(f *schema.Field, row any) string {
	switch v := f.Value(reflect.ValueOf(row).Elem()).Interface().(type) {
	case time.Time:
		return v.Format(time.RFC3339Nano)
	case []byte:
		return string(v)
	default:
		return fmt.Sprint(v)
	}
}

func (c *Collection[T, R, P]) op(what string, id int64) string {
	return what + " " + string(c.table.entity) + " " + strconv.FormatInt(id, 10)
}
