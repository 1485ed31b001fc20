package db

import (
	"context"
	"database/sql"
	"errors"

	"relay/internal/ops"
)

// Create adds a row; id is 0 or the requested id. A refused write is a *ops.WriteError.
func (c *Collection[T, R, P]) Create(ctx context.Context, actor ops.Actor, id int64, v T) (ops.Record[T], error) {
	var r ops.Record[T]
	err := c.store.tx(ctx, func(tx *sql.Tx) error {
		row := c.row(v)
		row.common().ID = id
		if err := c.insert(ctx, tx, row, v); err != nil {
			return err
		}
		on := row.active()
		if err := c.audit(ctx, tx, actor, row, diff(nil, c.auditFields(row, v)), &on); err != nil {
			return err
		}
		var err error
		r, err = c.one(ctx, tx, row.common().ID)
		return err
	})
	return r, wrap("create "+string(c.table.entity), err)
}

// row returns a row that holds v, without its secrets.
func (c *Collection[T, R, P]) row(v T) P {
	row := P(new(R))
	row.fill(v)
	return row
}

func (c *Collection[T, R, P]) insert(ctx context.Context, tx *sql.Tx, row P, v T) error {
	id := row.common().ID
	if err := row.lockParents(ctx, tx); err != nil {
		return err
	}
	if err := row.seal(c.store, v); err != nil {
		return err
	}
	_, err := c.store.bun.NewInsert().Conn(tx).Model(row).Exec(ctx)
	if isNumber(err, errDuplicate) {
		row.common().ID = id
		return c.conflict(ctx, tx, row)
	}
	return err
}

// conflict returns the field whose value another row has, and that row's id.
func (c *Collection[T, R, P]) conflict(ctx context.Context, tx *sql.Tx, row P) error {
	byID := uniqueKey{field: "id"}
	byID.where.and("t.id = ?", row.common().ID)
	for _, key := range []uniqueKey{byID, row.unique()} {
		var found int64
		err := c.store.bun.NewSelect().Conn(tx).Model((*R)(nil)).Column("id").Where(key.where.String(), key.where.args...).Scan(ctx, &found)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			continue
		case err != nil:
			return err
		}
		return &ops.WriteError{Kind: ops.Taken, Field: key.field, ID: found}
	}
	return &ops.WriteError{Kind: ops.Taken, Field: row.unique().field} // deleted meanwhile
}

// Update locks a row and replaces its value by the result of change. If the two are equal, nothing is written. An error of
// change is returned unchanged, and nothing is written.
func (c *Collection[T, R, P]) Update(ctx context.Context, actor ops.Actor, id int64, change func(ops.Record[T]) (T, error)) (ops.Record[T], error) {
	var r ops.Record[T]
	err := c.store.tx(ctx, func(tx *sql.Tx) error {
		old, err := c.lock(ctx, tx, id)
		if err != nil {
			return err
		}
		v, err := change(old)
		if err != nil {
			return err
		}
		before, row := c.row(old.Value), c.row(v)
		changes := diff(c.auditFields(before, old.Value), c.auditFields(row, v))
		if r = old; len(changes) == 0 {
			return nil
		}
		row.common().ID = id
		if err := c.update(ctx, tx, row, v); err != nil {
			return err
		}
		var switched *bool
		if on := row.active(); on != before.active() {
			switched = &on
		}
		if err := c.audit(ctx, tx, actor, row, changes, switched); err != nil {
			return err
		}
		r, err = c.one(ctx, tx, id)
		return err
	})
	return r, wrap(c.op(string(actor.Action), id), err)
}

// lock reads a row and locks it until the transaction ends. It locks only the row itself: with the joined rows, kill
// switches would wait for one another.
func (c *Collection[T, R, P]) lock(ctx context.Context, tx *sql.Tx, id int64) (ops.Record[T], error) {
	var found int64
	err := c.store.bun.NewSelect().Conn(tx).Model((*R)(nil)).Column("id").Where("t.id = ?", id).For("UPDATE").Scan(ctx, &found)
	if err != nil {
		return ops.Record[T]{}, err
	}
	return c.one(ctx, tx, id)
}

func (c *Collection[T, R, P]) update(ctx context.Context, tx *sql.Tx, row P, v T) error {
	if err := row.seal(c.store, v); err != nil {
		return err
	}
	query := c.store.bun.NewUpdate().Conn(tx).Model(row).Value("updated_at", "UTC_TIMESTAMP(6)").WherePK()
	if c.schema().HasField("revision") {
		query = query.Value("revision", "revision + 1")
	}
	if kept := row.kept(); len(kept) > 0 {
		query = query.ExcludeColumn(kept...)
	}
	_, err := query.Exec(ctx)
	return err
}

// Delete removes a row. check may refuse it first. A row that is in use is a *ops.WriteError that names the uses.
func (c *Collection[T, R, P]) Delete(ctx context.Context, actor ops.Actor, id int64, check func(ops.Record[T]) error) error {
	return wrap(c.op("delete", id), c.store.tx(ctx, func(tx *sql.Tx) error {
		old, err := c.lock(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := check(old); err != nil {
			return err
		}
		row := c.row(old.Value)
		row.common().ID = id
		uses, err := row.uses(ctx, tx)
		if err != nil {
			return err
		}
		if len(uses) > 0 {
			return &ops.WriteError{Kind: ops.InUse, Uses: uses}
		}
		if _, err := c.store.bun.NewDelete().Conn(tx).Model(row).WherePK().Exec(ctx); err != nil {
			return err
		}
		if err := row.retire(ctx, tx); err != nil {
			return err
		}
		return c.audit(ctx, tx, actor, row, diff(c.auditFields(row, old.Value), nil), nil)
	}))
}
