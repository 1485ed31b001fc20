package api

import (
	"context"
	"errors"
	"fmt"
	"time"

	"relay/internal/ops"
	"relay/internal/relay"
)

const (
	actionCancel ops.Action = "cancel"

	// cancelWait is how long a response waits for a delivery to end, which takes one step of its workflow.
	cancelWait  = 5 * time.Second
	cancelEvery = 100 * time.Millisecond
)

// CancelStore ends events that no run delivers.
type CancelStore interface {
	EventState(ctx context.Context, id int64) (ops.EventState, error)
	// CancelPending ends an event that no run has taken, and with it adds lines to the audit: both or neither. It returns the
	// state that the event had.
	CancelPending(ctx context.Context, id int64, c relay.EventOutcome, lines ...ops.AuditEntry) (ops.EventState, error)
	// Cancel ends an event that the run has taken and does not deliver any more.
	Cancel(ctx context.Context, id int64, run string, c relay.EventOutcome) error
}

// DeliveryCanceller asks deliveries to end.
type DeliveryCanceller interface {
	// CancelDelivery asks an event's workflow to end; relay.ErrNotFound where none is open.
	CancelDelivery(ctx context.Context, row int64) error
}

// CancelView is the response to a cancellation.
type CancelView struct {
	ID          int64        `json:"id" example:"4711" doc:"The event's row."`
	Cancelled   bool         `json:"cancelled" example:"true" doc:"Whether the event has ended. Otherwise its delivery was asked to, and ends with its next step."`
	Message     string       `json:"message" example:"the event is cancelled" doc:"The result, as a text."`
	Status      relay.Status `json:"status" example:"failed" doc:"The status of the event now; its reason is cancelled."`
	WorkflowURL string       `json:"workflow_url,omitempty" example:"https://temporal.example.com/namespaces/default/workflows/deliver-event:4711" doc:"Its workflow in Temporal's Web UI."`
}

type cancelOutput struct{ Body CancelView }

// cancelled is how a cancelled event ends.
var cancelled = relay.EventOutcome{Status: relay.StatusFailed, Reason: relay.ReasonCancelled, Detail: relay.ReasonCancelled.Text()}

func (h opsHandlers) cancel(ctx context.Context, in *eventInput) (*cancelOutput, error) {
	line := entry(ctx, actionCancel, entityEvent, in.ID, fmt.Sprintf("event %d", in.ID))
	was, err := h.Cancels.CancelPending(ctx, in.ID, cancelled, line)
	if err != nil {
		return nil, gone(err, "event")
	}
	now := ops.EventState{Status: cancelled.Status}
	switch {
	case was.Status.Final():
		return nil, refuseWith(codeEventEnded, "the event has ended: "+string(was.Status))
	case was.Status == relay.StatusProcessing:
		if now, err = h.stop(ctx, was, line); err != nil {
			return nil, err
		}
	}
	v := CancelView{ID: in.ID, Cancelled: now.Status.Final(), Status: now.Status, WorkflowURL: h.EventURL(in.ID), Message: "the event is cancelled"}
	if !v.Cancelled {
		v.Message = "its delivery was asked to end, and ends with its next step"
	}
	return &cancelOutput{v}, nil
}

// stop asks the delivery of an event to end, and waits for that a moment. Where no workflow delivers it any more, the event
// ends here. The audit has its line before: a client that leaves, or a database that fails, would otherwise leave a cancelled
// event without one.
func (h opsHandlers) stop(ctx context.Context, was ops.EventState, line ops.AuditEntry) (ops.EventState, error) {
	if err := h.Events.RecordAudit(ctx, line); err != nil {
		return was, fmt.Errorf("audit: %w", err)
	}
	asking, done := context.WithTimeout(ctx, cancelWait)
	err := h.Canceller.CancelDelivery(asking, was.ID)
	done()
	switch {
	case errors.Is(err, relay.ErrNotFound):
		if err := h.Cancels.Cancel(ctx, was.ID, was.Run, cancelled); err != nil {
			return was, err
		}
	case ctx.Err() != nil:
		return was, ctx.Err()
	case err != nil:
		return was, refuse(codeTemporalUnavailable).becauseOf(err).after(retryAfter)
	}
	for end := time.Now().Add(cancelWait); ; {
		now, err := h.Cancels.EventState(ctx, was.ID)
		if err != nil || now.Status.Final() || time.Now().After(end) {
			return now, err
		}
		select {
		case <-ctx.Done():
			return now, ctx.Err()
		case <-time.After(cancelEvery):
		}
	}
}
