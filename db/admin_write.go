package db

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"relay/internal/ops"
)

// Create adds one; id is 0 or the one that it is to have. What stands in the way is a *ops.WriteError.
func (c *Collection[T]) Create(ctx context.Context, act ops.Act, id int64, v T) (ops.Record[T], error) {
	var r ops.Record[T]
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

// conflict names the field whose value another row has, and that row.
func (c *Collection[T]) conflict(ctx context.Context, tx *sql.Tx, id int64, v T) error {
	for _, u := range []unique{{"id", "id = ?", []any{id}}, c.kind.taken(v)} {
		var found int64
		err := tx.QueryRowContext(ctx, "SELECT id FROM "+c.kind.table+" WHERE "+u.where, u.args...).Scan(&found)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			continue
		case err != nil:
			return err
		}
		return &ops.WriteError{Kind: ops.Taken, Field: u.field, ID: found}
	}
	return &ops.WriteError{Kind: ops.Taken, Field: c.kind.taken(v).field} // it was deleted meanwhile
}

// Update changes one by what change makes of it, while nobody else can. Where that is what is stored already, nothing is
// written. An error of change leaves everything as it is and comes back as it is.
func (c *Collection[T]) Update(ctx context.Context, act ops.Act, id int64, change func(ops.Record[T]) (T, error)) (ops.Record[T], error) {
	var r ops.Record[T]
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
func (c *Collection[T]) hold(ctx context.Context, tx *sql.Tx, id int64) (ops.Record[T], error) {
	var found int64
	err := tx.QueryRowContext(ctx, "SELECT id FROM "+c.kind.table+" WHERE id = ? FOR UPDATE", id).Scan(&found)
	if err != nil {
		return ops.Record[T]{}, err
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
	if len(c.kind.secrets) > 0 {
		sets = append(sets, "revision = revision + 1")
	}
	_, err = tx.ExecContext(ctx, "UPDATE "+c.kind.table+" SET "+strings.Join(sets, ", ")+", updated_at = UTC_TIMESTAMP(6) WHERE id = ?",
		append(args, id)...)
	return err
}

// Delete removes one. check sees it first and may refuse. One that is in use is a *ops.WriteError that says by what.
func (c *Collection[T]) Delete(ctx context.Context, act ops.Act, id int64, check func(ops.Record[T]) error) error {
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
			return &ops.WriteError{Kind: ops.InUse, Uses: uses}
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM "+c.kind.table+" WHERE id = ?", id); err != nil {
			return err
		}
		if err := c.kind.retire(ctx, tx, id, old.Value); err != nil {
			return err
		}
		return writeAudit(ctx, tx, ops.AuditEntry{By: act.By, Action: act.Action, Entity: c.kind.entity, EntityID: id,
			Name: c.kind.name(old.Value), RequestID: act.RequestID, Changes: compare(c.kind.facts(old.Value), nil)})
	}))
}

// audit writes the line of a write: old is nil for a new thing.
func (c *Collection[T]) audit(ctx context.Context, tx *sql.Tx, act ops.Act, id int64, v T, old *T) error {
	e := ops.AuditEntry{By: act.By, Action: act.Action, Entity: c.kind.entity, EntityID: id, Name: c.kind.name(v), RequestID: act.RequestID}
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
