package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"relay/internal/ops"
)

// AuditEntry is one action of a login.
type AuditEntry struct {
	ID        int64     `json:"id" example:"12" doc:"Its id."`
	At        time.Time `json:"at" example:"2026-01-15T10:15:00Z" doc:"When."`
	Actor     string    `json:"actor" example:"anna" doc:"The login."`
	Action    string    `json:"action" example:"deactivate" doc:"The action: create, replace, patch, delete, activate, deactivate, and others."`
	Entity    string    `json:"entity" example:"storefronts" doc:"The kind of resource."`
	EntityID  int64     `json:"entity_id" example:"5" doc:"With which; 0 where there is none."`
	Name      string    `json:"name" example:"bosley" doc:"Its name at the time."`
	RequestID string    `json:"request_id" example:"QH7VXQ2LTRZKC4" doc:"Finds the request in the relay's log."`
	Changes   []Change  `json:"changes" doc:"The fields that changed."`
	Note      string    `json:"note,omitempty" example:"ticket 4711" doc:"Why, as the admin said in the header Relay-Note; of a reveal, in its body. It is among changes, too."`
	Switched  *bool     `json:"switched,omitempty" example:"false" doc:"The new state of a kill switch; missing if none was set."`
}

// Change is the change of one field.
type Change struct {
	Field string `json:"field" example:"is_active" doc:"The field."`
	From  any    `json:"from,omitempty" doc:"The old value; missing for a secret."`
	To    any    `json:"to,omitempty" doc:"The new value; of a secret only set, changed or removed."`
}

// AuditList is one page of the audit.
type AuditList struct {
	Items      []AuditEntry `json:"items" nullable:"false" doc:"The page, newest first."`
	Total      int          `json:"total" example:"2" doc:"How many entries there are on all pages; 10000 if there are as many or more."`
	NextCursor string       `json:"next_cursor,omitempty" example:"eyJpIjo1fQ" doc:"For the next page; missing on the last one."`
}

type auditInput struct {
	Limit    int       `query:"limit" minimum:"1" maximum:"200" default:"50" example:"50" doc:"Page size."`
	Cursor   string    `query:"cursor" maxLength:"2000" example:"eyJpIjo1fQ" doc:"next_cursor of the page before."`
	Actor    string    `query:"actor" maxLength:"255" example:"anna" doc:"Only actions of this login."`
	Action   string    `query:"action" maxLength:"50" example:"deactivate" doc:"Only this action."`
	Entity   string    `query:"entity" maxLength:"50" example:"storefronts" doc:"Only things of this kind."`
	EntityID int64     `query:"entity_id" minimum:"1" example:"5" doc:"Only the thing with this id."`
	From     time.Time `query:"from" example:"2026-01-15T00:00:00Z" doc:"Only from this time on."`
	To       time.Time `query:"to" example:"2026-01-16T00:00:00Z" doc:"Only before this time."`
	Format   string    `query:"format" enum:"json,ndjson" example:"ndjson" doc:"ndjson exports all entries that match instead of a page: one JSON object a line, newest first. limit does not count then. The header Accept: application/x-ndjson does the same."`
	Accept   string    `header:"Accept" hidden:"true"`
}

func (a *Admin) listAudit(ctx context.Context, in *auditInput) (*auditOutput, error) {
	if err := checkTimes(codeInvalidParameter, "", in.From, in.To); err != nil {
		return nil, err
	}
	q := ops.AuditQuery{By: in.Actor, Action: ops.Action(in.Action), Entity: ops.Entity(in.Entity), EntityID: in.EntityID,
		From: in.From, To: in.To, Limit: in.Limit}
	if in.Cursor != "" {
		c, err := parseCursor(in.Cursor, "")
		if err != nil {
			return nil, err
		}
		q.Before = c.ID
	}
	if in.exports() {
		return a.exportAudit(ctx, q)
	}
	found, err := a.Audit.Audit(ctx, q)
	if err != nil {
		return nil, err
	}
	list := AuditList{Items: []AuditEntry{}, Total: found.Total}
	for _, e := range found.Items {
		list.Items = append(list.Items, auditView(e))
	}
	if found.Next != nil {
		list.NextCursor = cursor{ID: found.Next.ID}.String()
	}
	return &auditOutput{func(c huma.Context) {
		c.SetHeader("Content-Type", "application/json")
		c.SetStatus(http.StatusOK)
		_ = huma.DefaultJSONFormat.Marshal(c.BodyWriter(), list) // the client is gone
	}}, nil
}

func auditView(e ops.AuditEntry) AuditEntry {
	v := AuditEntry{ID: e.ID, At: e.At, Actor: e.By, Action: string(e.Action), Entity: string(e.Entity), EntityID: e.EntityID, Name: e.Name,
		RequestID: e.RequestID, Changes: []Change{}, Note: e.Note(), Switched: e.Switched}
	for _, c := range e.Changes {
		v.Changes = append(v.Changes, Change{Field: c.Field, From: anyOf(c.From), To: anyOf(c.To)})
	}
	return v
}

func anyOf(raw json.RawMessage) any {
	if raw == nil {
		return nil
	}
	return raw
}
