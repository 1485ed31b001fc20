package db

import (
	"context"
	"encoding/json"
	"time"

	"github.com/uptrace/bun"

	"relay/internal/ops"
	"relay/internal/relay"
)

// auditRow is an entry of the audit.
type auditRow struct {
	bun.BaseModel `bun:"table:admin_audit,alias:a"`

	ID        int64           `bun:"id,pk,autoincrement"`
	At        time.Time       `bun:"at,nullzero"`
	Actor     string          `bun:"actor"`
	Action    ops.Action      `bun:"action"`
	Entity    ops.Entity      `bun:"entity"`
	EntityID  int64           `bun:"entity_id"`
	Name      string          `bun:"name"`
	RequestID string          `bun:"request_id"`
	Changes   json.RawMessage `bun:"changes"`
	Switched  *bool           `bun:"switched"`
}

func (r auditRow) entry() (ops.AuditEntry, error) {
	e := ops.AuditEntry{ID: r.ID, At: r.At, By: r.Actor, Action: r.Action, Entity: r.Entity, EntityID: r.EntityID, Name: r.Name,
		RequestID: r.RequestID, Switched: r.Switched}
	if r.Changes == nil {
		return e, nil
	}
	return e, json.Unmarshal(r.Changes, &e.Changes)
}

// RecordAudit adds an entry to the audit for an action that changes no row, such as showing a secret or starting a job. A
// change of the configuration writes its entry in the same transaction.
func (s *Store) RecordAudit(ctx context.Context, e ops.AuditEntry) error {
	return wrap("record the audit", s.writeAudit(ctx, s.sql, e))
}

func (s *Store) writeAudit(ctx context.Context, q querier, lines ...ops.AuditEntry) error {
	for _, e := range lines {
		row := auditRow{Actor: cut(e.By, 255), Action: e.Action, Entity: e.Entity, EntityID: e.EntityID, Name: cut(e.Name, 255),
			RequestID: cut(e.RequestID, 128), Switched: e.Switched}
		if e.Changes != nil {
			var err error
			if row.Changes, err = json.Marshal(e.Changes); err != nil {
				return err
			}
		}
		if _, err := s.bun.NewInsert().Conn(q).Model(&row).Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}

// audit adds the entry of a write to a row.
func (c *Collection[T, R, P]) audit(ctx context.Context, q querier, actor ops.Actor, row P, changes []ops.Change, switched *bool) error {
	return c.store.writeAudit(ctx, q, ops.AuditEntry{By: actor.By, Action: actor.Action, Entity: c.table.entity, EntityID: row.common().ID,
		Name: row.title(), RequestID: actor.RequestID, Changes: actor.Noted(changes), Switched: switched})
}

// switchKey names what has a kill switch.
type switchKey struct {
	entity ops.Entity
	id     int64
}

// switchChanges returns the admins and times of the last changes of kill switches, with one statement.
func (s *Store) switchChanges(ctx context.Context, q querier, keys []switchKey) (map[switchKey]ops.SwitchChange, error) {
	ids := map[ops.Entity][]int64{}
	for _, k := range keys {
		ids[k.entity] = append(ids[k.entity], k.id)
	}
	found := map[switchKey]ops.SwitchChange{}
	if len(keys) == 0 {
		return found, nil
	}
	latest := s.bun.NewSelect().Model((*auditRow)(nil)).ModelTableExpr("admin_audit").ColumnExpr("MAX(id) AS id").
		Where("switched IS NOT NULL").Group("entity", "entity_id").WhereGroup(" AND ", func(one *bun.SelectQuery) *bun.SelectQuery {
		for entity, list := range ids {
			one = one.WhereOr("entity = ? AND entity_id IN (?)", entity, bun.List(list))
		}
		return one
	})
	var rows []auditRow
	err := s.bun.NewSelect().Conn(q).Model(&rows).Column("entity", "entity_id", "actor", "at").Join("JOIN (?) AS m ON m.id = a.id", latest).Scan(ctx)
	for _, row := range rows {
		found[switchKey{row.Entity, row.EntityID}] = ops.SwitchChange{By: row.Actor, At: row.At}
	}
	return found, err
}

// SwitchChange returns the last change of the kill switch that blocks a storefront's events from a destination. Reasons other
// than a kill switch have none.
func (s *Store) SwitchChange(ctx context.Context, storefrontID int64, destination string, reason relay.Reason) (ops.SwitchChange, error) {
	entity, query, args := ops.EntityStorefront, "SELECT ?", []any{storefrontID}
	switch reason {
	case relay.ReasonStorefrontDisabled:
	case relay.ReasonSGTMDisabled, relay.ReasonSGTMStop:
		entity, query = ops.EntitySGTMConfig, "SELECT id FROM storefront_sgtm_config WHERE storefront_id = ?"
	case relay.ReasonPlatformDisabled:
		entity, query, args = ops.EntityPlatform, "SELECT id FROM ad_analytics_platforms WHERE code = ?", []any{destination}
	case relay.ReasonCredentialDisabled:
		entity, query = ops.EntityCredential, `SELECT k.id FROM platform_credentials k JOIN ad_analytics_platforms p ON p.id = k.platform_id
			WHERE k.storefront_id = ? AND p.code = ?`
		args = append(args, destination)
	default:
		return ops.SwitchChange{}, nil
	}
	var id int64
	if err := s.sql.QueryRowContext(ctx, query, args...).Scan(&id); err != nil {
		return ops.SwitchChange{}, wrap("find the last change of a kill switch", err)
	}
	key := switchKey{entity, id}
	found, err := s.switchChanges(ctx, s.sql, []switchKey{key})
	return found[key], wrap("find the last change of a kill switch", err)
}
