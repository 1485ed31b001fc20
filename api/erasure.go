package api

import (
	"context"
	"strconv"
	"strings"
	"time"

	"relay/internal/ops"
	"relay/internal/relay"
)

// eraseWait is how long a response waits for the erasure of an order, which mostly takes two seconds.
const eraseWait = 5 * time.Second

// Erasures stores erasures.
type Erasures interface {
	// CreateErasure stores the request, and in the same transaction a line of the audit with its id.
	CreateErasure(ctx context.Context, e ops.Erasure, line ops.AuditEntry) (ops.Erasure, error)
	Erasure(ctx context.Context, id int64) (ops.Erasure, error)
	// Erasures lists erasures, newest first.
	Erasures(ctx context.Context, q ops.ErasureQuery) ([]ops.Erasure, error)
}

// ErasureRunner runs erasures.
type ErasureRunner interface {
	// StartErasure starts the workflow of an erasure, unless it runs.
	StartErasure(ctx context.Context, id int64) error
}

const (
	tagErasures = "Erasures"

	entityErasure ops.Entity = "erasures"
	actionErase   ops.Action = "erase"
)

// ErasureIn is a request to erase.
type ErasureIn struct {
	OrderID    string `json:"order_id,omitempty" minLength:"1" maxLength:"100" example:"2025020100003333" doc:"An order, or an event's own id: its events are erased at once."`
	ExternalID string `json:"external_id,omitempty" minLength:"1" maxLength:"255" example:"customer-4711" doc:"Or the shop's own id of a person, as payloads have it in external_id, user_id or customer_id, plain or as SHA-256: all events are looked through."`
	Storefront string `json:"storefront,omitempty" maxLength:"50" example:"bosley" doc:"Only events of the storefront with this code; an external_id may be another person's elsewhere."`
}

// ErasureView is how far an erasure is. It does not say whom it is about.
type ErasureView struct {
	ID           int64            `json:"id" example:"3" doc:"The erasure."`
	Kind         ops.ErasureKind  `json:"kind" enum:"order,external_id" example:"order" doc:"The kind of subject."`
	State        ops.ErasureState `json:"state" enum:"running,done" example:"done" doc:"Its state. It continues after any restart."`
	SubjectHash  string           `json:"subject_hash" example:"erased:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" doc:"The hash of its id: it replaces the id of an erased order."`
	StorefrontID int64            `json:"storefront_id,omitempty" example:"5" doc:"The storefront whose events it is about; missing where that is all."`
	CreatedBy    string           `json:"created_by" example:"anna" doc:"The login that created it."`
	CreatedAt    time.Time        `json:"created_at" example:"2026-01-15T10:25:01Z" doc:"When it began."`
	EndedAt      *time.Time       `json:"ended_at,omitempty" example:"2026-01-15T10:25:03Z" doc:"When the last event was erased."`
	Total        int64            `json:"total" example:"100000" doc:"Events to look through: those that were there when it began. Of an order those that were found."`
	Scanned      int64            `json:"scanned" example:"100000" doc:"Of those: looked at."`
	Matched      int64            `json:"matched" example:"3" doc:"Of those: to be erased."`
	Erased       int64            `json:"erased" example:"3" doc:"Of those: erased, with the data in their attempts and with their workflows in Temporal."`
	WorkflowURL  string           `json:"workflow_url,omitempty" example:"https://temporal.example.com/namespaces/default/workflows/erase-events:3" doc:"Its workflow in Temporal's Web UI."`
}

type createErasureInput struct{ Body ErasureIn }

type erasureInput struct {
	ID int64 `path:"id" minimum:"1" example:"3" doc:"The erasure."`
}

type erasureOutput struct{ Body ErasureView }

func (h opsHandlers) getErasure(ctx context.Context, in *erasureInput) (*erasureOutput, error) {
	e, err := h.Erasures.Erasure(ctx, in.ID)
	return &erasureOutput{h.erasureView(e)}, gone(err, "erasure")
}

func (h opsHandlers) createErasure(ctx context.Context, in *createErasureInput) (*erasureOutput, error) {
	order, person := strings.TrimSpace(in.Body.OrderID), strings.TrimSpace(in.Body.ExternalID)
	if (order == "") == (person == "") {
		return nil, refuseField(codeMissingField, "order_id", "either order_id or external_id is required, and not both")
	}
	storefront, err := h.storefrontID(ctx, in.Body.Storefront, "storefront")
	if err != nil {
		return nil, err
	}
	line := entry(ctx, actionErase, entityErasure, 0, "")
	e := ops.Erasure{Kind: ops.EraseOrder, Subject: relay.NewSecret(order), StorefrontID: storefront, By: line.By}
	if person != "" {
		e.Kind, e.Subject = ops.EraseExternalID, relay.NewSecret(person)
	}
	line.Changes = append(line.Changes, ops.Change{Field: "kind", To: strconv.AppendQuote(nil, string(e.Kind))},
		ops.Change{Field: "subject_hash", To: strconv.AppendQuote(nil, ops.Erased(e.Subject.Reveal()))})
	if e, err = h.Erasures.CreateErasure(ctx, e, line); err != nil {
		return nil, err
	}
	// If Temporal does not respond, a worker starts it later: the erasure is in the database.
	if h.Eraser.StartErasure(ctx, e.ID) == nil && e.Kind == ops.EraseOrder {
		e, err = h.awaitErasure(ctx, e)
	}
	return &erasureOutput{h.erasureView(e)}, err
}

// awaitErasure waits a moment for an erasure to be done.
func (h opsHandlers) awaitErasure(ctx context.Context, e ops.Erasure) (ops.Erasure, error) {
	for end := time.Now().Add(eraseWait); e.State != ops.ErasureDone && time.Now().Before(end); {
		var err error
		if e, err = h.Erasures.Erasure(ctx, e.ID); err != nil || e.State == ops.ErasureDone {
			return e, err
		}
		select {
		case <-ctx.Done():
			return e, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	return e, nil
}

func (h opsHandlers) erasureView(e ops.Erasure) ErasureView {
	return ErasureView{ID: e.ID, Kind: e.Kind, State: e.State, SubjectHash: e.Hash, StorefrontID: e.StorefrontID, CreatedBy: e.By, CreatedAt: e.CreatedAt,
		EndedAt: timeOrNone(e.EndedAt), Total: e.Total, Scanned: e.Scanned, Matched: e.Matched, Erased: e.Erased, WorkflowURL: h.ErasureURL(e.ID)}
}
