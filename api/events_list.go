package api

import (
	"context"
	"fmt"
	"strings"

	"relay/internal/ops"
	"relay/internal/relay"
)

type listEventsInput struct {
	EventsQuery
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" example:"50" doc:"Page size at most."`
	Cursor string `query:"cursor" maxLength:"300" example:"eyJpIjo1fQ" doc:"next_cursor of the page before."`
}

// EventList is one page of events.
type EventList struct {
	Items      []EventView `json:"items" nullable:"false" doc:"The page, newest first."`
	NextCursor string      `json:"next_cursor,omitempty" example:"eyJpIjo1fQ" doc:"Where to go on; missing at the end. A page may be short, or empty, although more follow: a request scans a bounded number of events."`
}

type eventListOutput struct{ Body EventList }

type getEventInput struct {
	ID     int64  `path:"id" minimum:"1" example:"4711" doc:"The event's row."`
	Reveal string `query:"reveal" hidden:"true"` // of earlier releases
}

type revealEventInput struct {
	ID   int64 `path:"id" minimum:"1" example:"4711" doc:"The event's row."`
	Body struct {
		Note string `json:"note" minLength:"1" maxLength:"500" example:"ticket 4711: the shop asks what it sent" doc:"Why the payload is needed; the audit keeps it. No personal data."`
	}
}

type eventDetailOutput struct{ Body EventDetailView }

type eventInput struct {
	ID int64 `path:"id" minimum:"1" example:"4711" doc:"The event's row."`
}

// RetryView is the response to a retry.
type RetryView struct {
	ID          int64        `json:"id" example:"4711" doc:"The event's row."`
	Retried     bool         `json:"retried" example:"true" doc:"Whether this request began the retry. A second click while it runs changes nothing."`
	Message     string       `json:"message" example:"the event will be retried at once" doc:"The result, as a text."`
	Status      relay.Status `json:"status" example:"pending" doc:"The status of the event now."`
	Generation  int          `json:"generation" example:"1" doc:"How often it has been retried, replayed or reset."`
	WorkflowURL string       `json:"workflow_url,omitempty" example:"https://temporal.example.com/namespaces/default/workflows/deliver-event:4711" doc:"Its workflow in Temporal's Web UI."`
}

type retryOutput struct{ Body RetryView }

func (h opsHandlers) list(ctx context.Context, in *listEventsInput) (*eventListOutput, error) {
	f, err := h.listFilter(ctx, in.EventsQuery)
	if err != nil {
		return nil, err
	}
	after, err := parsePosition(in.Cursor)
	if err != nil {
		return nil, err
	}
	page, err := h.Events.SearchEvents(ctx, f, after, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &eventListOutput{EventList{Items: []EventView{}, NextCursor: positionText(page.Next)}}
	for _, e := range page.Items {
		out.Body.Items = append(out.Body.Items, h.view(e))
	}
	return out, nil
}

func (h opsHandlers) get(ctx context.Context, in *getEventInput) (*eventDetailOutput, error) {
	if in.Reveal != "" {
		return nil, refuseField(codeInvalidParameter, "reveal", fmt.Sprintf(`reading reveals nothing: send POST /admin/v1/events/%d/reveal with {"note": "why"}`, in.ID))
	}
	e, err := h.Events.EventDetail(ctx, in.ID)
	if err != nil {
		return nil, gone(err, "event")
	}
	return &eventDetailOutput{h.detailView(e, false)}, nil
}

// reveal returns the payload only after the audit has its line.
func (h opsHandlers) reveal(ctx context.Context, in *revealEventInput) (*eventDetailOutput, error) {
	note := strings.TrimSpace(in.Body.Note)
	if note == "" {
		return nil, refuseField(codeMissingField, "note", codeMissingField.message())
	}
	e, err := h.Events.EventDetail(ctx, in.ID)
	if err != nil {
		return nil, gone(err, "event")
	}
	if err := h.audit(ctx, actionReveal, entityEvent, in.ID, eventName(e.EventSummary), ops.NoteOf(note)); err != nil {
		return nil, err
	}
	return &eventDetailOutput{h.detailView(e, true)}, nil
}

// eventName is an event for the audit: an order's id beside a type of event says more than the audit needs.
func eventName(e ops.EventSummary) string { return fmt.Sprintf("%s/%d", e.StorefrontCode, e.ID) }

func (h opsHandlers) retry(ctx context.Context, in *eventInput) (*retryOutput, error) {
	r, err := h.Events.RetryEvent(ctx, in.ID, entry(ctx, actionRetry, entityEvent, in.ID, fmt.Sprintf("event %d", in.ID)))
	if err != nil {
		return nil, gone(err, "event")
	}
	v := RetryView{ID: in.ID, Retried: r.Retried, Status: r.Status, Generation: r.Generation, WorkflowURL: h.EventURL(in.ID),
		Message: "the event is set back and will be retried at once"}
	switch {
	case r.Retried:
	case r.Erased:
		return nil, refuse(codeErased)
	case r.Status == relay.StatusDelivered:
		return nil, refuse(codeNotRetryable)
	default:
		v.Message = "nothing to do: the event is on its way already"
	}
	return &retryOutput{v}, nil
}
