package db

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"time"

	"github.com/uptrace/bun"

	"relay/internal/ops"
)

// auditSlack is by how many ids entries may be numbered out of the order of their time: writes at the same moment.
const auditSlack = 1000

// Audit lists the audit's entries, newest first, with the number of all entries that match, as far as ops.CountBound.
func (s *Store) Audit(ctx context.Context, q ops.AuditQuery) (ops.Page[ops.AuditEntry], error) {
	list, err := s.audit(ctx, q)
	return list, wrap("list the audit", err)
}

func (s *Store) audit(ctx context.Context, q ops.AuditQuery) (ops.Page[ops.AuditEntry], error) {
	var list ops.Page[ops.AuditEntry]
	table, where, err := s.auditWhere(ctx, q)
	if err != nil {
		return list, err
	}
	if !q.Uncounted {
		err := s.sql.QueryRowContext(ctx, "SELECT COUNT(*) FROM (SELECT 1 FROM "+table+" WHERE "+where.String()+" LIMIT ?) c",
			append(where.args, ops.CountBound)...).Scan(&list.Total)
		if err != nil {
			return list, err
		}
	}
	if q.Before != 0 {
		where.and("id < ?", q.Before)
	}
	var rows []auditRow
	err = s.bun.NewSelect().Model(&rows).ModelTableExpr("?", bun.Safe(table)).Where(where.String(), where.args...).OrderExpr("id DESC").Limit(int64(q.Limit) + 1).Scan(ctx)
	if err != nil {
		return list, err
	}
	if len(rows) > q.Limit {
		rows = rows[:q.Limit]
		list.Next = &ops.PageKey{ID: rows[q.Limit-1].ID}
	}
	for _, row := range rows {
		e, err := row.entry()
		if err != nil {
			return list, err
		}
		list.Items = append(list.Items, e)
	}
	return list, nil
}

// auditWhere returns the table with the index for a query, and its conditions. Each index ends with the id, the order of the list.
func (s *Store) auditWhere(ctx context.Context, q ops.AuditQuery) (string, condition, error) {
	var where condition
	where.equal("actor", q.By)
	where.equal("action", string(q.Action))
	where.equal("entity", string(q.Entity))
	where.equal("entity_id", q.EntityID)
	key := "PRIMARY"
	switch {
	case q.Entity != "" && q.EntityID != 0:
		key = "ix_admin_audit_entity"
	case q.Action != "":
		key = "ix_admin_audit_action"
	case q.By != "":
		key = "ix_admin_audit_actor"
	case q.Entity != "":
		key = "ix_admin_audit_kind"
	}
	err := s.auditBetween(ctx, &where, q.From, q.To)
	return "admin_audit AS a FORCE INDEX (" + key + ")", where, err
}

// auditBetween turns times into ids, which every index of the list has.
func (s *Store) auditBetween(ctx context.Context, where *condition, from, to time.Time) error {
	if !from.IsZero() {
		id, err := s.firstAudited(ctx, from)
		if err != nil {
			return err
		}
		where.and("at >= ? AND id >= ?", from, id-auditSlack)
	}
	if !to.IsZero() {
		id, err := s.firstAudited(ctx, to)
		if err != nil {
			return err
		}
		where.and("at < ? AND id < ?", to, id+auditSlack)
	}
	return nil
}

// firstAudited returns the id of the first entry from a time on; one beyond all where there is none.
func (s *Store) firstAudited(ctx context.Context, at time.Time) (int64, error) {
	var id int64
	err := s.sql.QueryRowContext(ctx, "SELECT id FROM admin_audit FORCE INDEX (ix_admin_audit_at) WHERE at >= ? ORDER BY at LIMIT 1", at).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return math.MaxInt64 - auditSlack, nil
	}
	return id, err
}
