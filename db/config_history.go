package db

import (
	"context"
	"slices"
	"strings"

	"relay/internal/ops"
	"relay/internal/relay"
)

// historySQL reads the newest lines of the audit about one thing, in the order of their key.
const historySQL = "(SELECT id, at, actor, action, entity, entity_id, name, request_id, changes, switched FROM admin_audit FORCE INDEX (ix_admin_audit_entity) WHERE %s ORDER BY id DESC LIMIT ?)"

// historyOf returns the statement for the newest lines of the audit about a destination: its settings, its probes, and the
// switches on its way. Each part of it stops by itself, however long the audit is.
func historyOf(d ops.DestinationStatus, most int) (string, []any) {
	parts := []condition{{[]string{"entity = ?", "entity_id = 0", "name = ?"}, []any{ops.EntityDestination, d.StorefrontCode + "/" + d.Destination}}}
	for _, l := range d.Levels {
		c := condition{[]string{"entity = ?", "entity_id = ?"}, []any{levelEntities[l.Level], l.EntityID}}
		if l.Level != ops.LevelCredential && (l.Level != ops.LevelSGTM || d.Destination != relay.SGTM) { // settings of more than this destination
			c.and("switched IS NOT NULL")
		}
		parts = append(parts, c)
	}
	var all []string
	var args []any
	for _, c := range parts {
		all = append(all, strings.Replace(historySQL, "%s", c.String(), 1))
		args = slices.Concat(args, c.args, []any{most})
	}
	return strings.Join(all, " UNION ALL ") + " ORDER BY id DESC LIMIT ?", append(args, most)
}

// DestinationHistory returns the newest lines of the audit about a destination, by one statement.
func (s *Store) DestinationHistory(ctx context.Context, d ops.DestinationStatus, most int) ([]ops.AuditEntry, error) {
	const op = "read the history of a destination"
	query, args := historyOf(d, most)
	var rows []auditRow
	if err := s.bun.NewRaw(query, args...).Scan(ctx, &rows); err != nil {
		return nil, wrap(op, err)
	}
	var list []ops.AuditEntry
	for _, row := range rows {
		e, err := row.entry()
		if err != nil {
			return nil, wrap(op, err)
		}
		list = append(list, e)
	}
	return list, nil
}
