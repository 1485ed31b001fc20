package db

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"relay/internal/ops"
	"relay/internal/relay"
)

// RecordAudit adds a line to the audit for what changes nothing else: something was looked at, or started. What changes
// the configuration has its line written in the same transaction.
func (s *Store) RecordAudit(ctx context.Context, e ops.AuditEntry) error {
	return fail("record the audit", writeAudit(ctx, s.sql, e))
}

func writeAudits(ctx context.Context, q querier, lines []ops.AuditEntry) error {
	for _, e := range lines {
		if err := writeAudit(ctx, q, e); err != nil {
			return err
		}
	}
	return nil
}

func writeAudit(ctx context.Context, q querier, e ops.AuditEntry) error {
	changes, err := json.Marshal(e.Changes)
	if err != nil {
		return err
	}
	_, err = q.ExecContext(ctx, `INSERT INTO admin_audit (actor, action, entity, entity_id, name, request_id, changes, switched)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, cut(e.By, 255), string(e.Action), string(e.Entity), e.EntityID, cut(e.Name, 255),
		cut(e.RequestID, 128), nullText(strings.TrimPrefix(string(changes), "null")), e.Switched)
	return err
}

// Audit lists what was done, the newest first, with the number of all entries that match.
func (s *Store) Audit(ctx context.Context, q ops.AuditQuery) (ops.Listing[ops.AuditEntry], error) {
	var where conditions
	where.equal("actor", q.By)
	where.equal("action", string(q.Action))
	where.equal("entity", string(q.Entity))
	where.equal("entity_id", q.EntityID)
	if !q.From.IsZero() {
		where.add("at >= ?", q.From)
	}
	if !q.To.IsZero() {
		where.add("at < ?", q.To)
	}
	var list ops.Listing[ops.AuditEntry]
	if err := s.sql.QueryRowContext(ctx, "SELECT COUNT(*) FROM admin_audit"+where.sql(), where.args...).Scan(&list.Total); err != nil {
		return list, fail("count the audit", err)
	}
	if q.Before != 0 {
		where.add("id < ?", q.Before)
	}
	rows, err := s.sql.QueryContext(ctx, `SELECT id, at, actor, action, entity, entity_id, name, request_id, changes, switched
		FROM admin_audit`+where.sql()+" ORDER BY id DESC LIMIT ?", append(slices.Clone(where.args), q.Limit+1)...)
	if err != nil {
		return list, fail("list the audit", err)
	}
	list.Items, err = readAudit(rows)
	if len(list.Items) > q.Limit {
		list.Items = list.Items[:q.Limit]
		list.Next = &ops.Mark{ID: list.Items[q.Limit-1].ID}
	}
	return list, fail("list the audit", err)
}

func readAudit(rows *sql.Rows) ([]ops.AuditEntry, error) {
	defer func() { _ = rows.Close() }()
	var list []ops.AuditEntry
	for rows.Next() {
		var e ops.AuditEntry
		var changes sql.NullString
		var switched sql.NullBool
		if err := rows.Scan(&e.ID, &e.At, &e.By, &e.Action, &e.Entity, &e.EntityID, &e.Name, &e.RequestID, &changes, &switched); err != nil {
			return nil, err
		}
		if changes.Valid {
			if err := json.Unmarshal([]byte(changes.String), &e.Changes); err != nil {
				return nil, err
			}
		}
		if switched.Valid {
			e.Switched = &switched.Bool
		}
		list = append(list, e)
	}
	return list, rows.Err()
}

// flips are who set the kill switches of some things as they are, and when, by id.
func flips(ctx context.Context, q querier, entity ops.Entity, ids []int64) (map[int64]ops.SwitchChange, error) {
	found := map[int64]ops.SwitchChange{}
	if len(ids) == 0 {
		return found, nil
	}
	args := []any{string(entity)}
	for _, id := range ids {
		args = append(args, id)
	}
	rows, err := q.QueryContext(ctx, `SELECT a.entity_id, a.actor, a.at FROM admin_audit a JOIN (
		SELECT MAX(id) AS id FROM admin_audit WHERE entity = ? AND entity_id IN (`+tuples("?", len(ids))+`) AND switched IS NOT NULL
		GROUP BY entity_id) m ON m.id = a.id`, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id int64
		var f ops.SwitchChange
		if err := rows.Scan(&id, &f.By, &f.At); err != nil {
			return nil, err
		}
		found[id] = f
	}
	return found, rows.Err()
}

// fact is one field of a thing, for the audit to compare: as JSON, or a secret.
type fact struct {
	field  string
	value  string // JSON; of a secret its plain text, which is only compared
	secret bool
}

func plain(field string, value any) fact {
	b, _ := json.Marshal(value) // texts, numbers, booleans and options always marshal
	return fact{field: field, value: string(b)}
}

func hidden(field string, value relay.Secret) fact {
	return fact{field: field, value: value.Reveal(), secret: true}
}

// compare says what became of the fields of a thing. Of secrets it says no more than that they were set, changed or removed.
func compare(before, after []fact) []ops.Change {
	old := map[string]fact{}
	for _, f := range before {
		old[f.field] = f
	}
	var changes []ops.Change
	for _, f := range after {
		was, had := old[f.field]
		delete(old, f.field)
		if had && was.value == f.value {
			continue
		}
		word := "set"
		if had && was.value != "" {
			word = "changed"
		}
		if f.value == "" {
			word = "removed"
		}
		changes = append(changes, f.change(was.value, f.value, word))
	}
	for _, f := range old {
		changes = append(changes, f.change(f.value, "", "removed"))
	}
	slices.SortFunc(changes, func(a, b ops.Change) int { return cmp.Compare(a.Field, b.Field) })
	return changes
}

func (f fact) change(from, to, word string) ops.Change {
	if f.secret {
		return ops.Change{Field: f.field, To: json.RawMessage(`"` + word + `"`)}
	}
	return ops.Change{Field: f.field, From: rawJSON(from), To: rawJSON(to)}
}

func rawJSON(s string) json.RawMessage {
	if s == "" {
		return nil
	}
	return json.RawMessage(s)
}

// Flip is who set the kill switch that keeps a storefront's events from a destination, and when. Reasons that are no
// switch have none.
func (s *Store) Flip(ctx context.Context, storefrontID int64, destination string, reason relay.Reason) (ops.SwitchChange, error) {
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
		return ops.SwitchChange{}, fail("find who set a kill switch", err)
	}
	found, err := flips(ctx, s.sql, entity, []int64{id})
	return found[id], fail("find who set a kill switch", err)
}

// conditions are the WHERE of a query.
type conditions struct {
	terms []string
	args  []any
}

func (c *conditions) add(term string, args ...any) {
	c.terms = append(c.terms, term)
	c.args = append(c.args, args...)
}

// equal adds a condition unless the value is zero.
func (c *conditions) equal(column string, value any) {
	if value != "" && value != int64(0) {
		c.add(column+" = ?", value)
	}
}

func (c *conditions) sql() string {
	if len(c.terms) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(c.terms, " AND ")
}

// parseTime reads a DATETIME that was scanned as text.
func parseTime(s string) time.Time {
	t, _ := time.Parse(time.RFC3339Nano, s) // what database/sql makes of a time
	return t
}
