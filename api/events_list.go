package api

import (
	"context"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"relay"
)

type listEventsInput struct {
	EventFilter
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" example:"50" doc:"How many at most."`
	Cursor string `query:"cursor" maxLength:"300" example:"eyJpIjo1fQ" doc:"next_cursor of the page before."`
}

// EventList is one page of events.
type EventList struct {
	Items      []EventView `json:"items" nullable:"false" doc:"The page, newest first."`
	NextCursor string      `json:"next_cursor,omitempty" example:"eyJpIjo1fQ" doc:"Where to go on; missing at the end. A page may be short, or empty, although there is more: among millions of events one look goes only so far."`
}

type eventListOutput struct{ Body EventList }

type getEventInput struct {
	ID     int64 `path:"id" minimum:"1" example:"4711" doc:"The event's row."`
	Reveal bool  `query:"reveal" example:"false" doc:"Show the payload whole, with what belongs to persons. Needs a login that may change things, and leaves a line in the audit."`
}

type eventDetailOutput struct{ Body EventDetailView }

type eventInput struct {
	ID int64 `path:"id" minimum:"1" example:"4711" doc:"The event's row."`
}

// RetryView is the answer to a retry.
type RetryView struct {
	ID          int64        `json:"id" example:"4711" doc:"The event's row."`
	Retried     bool         `json:"retried" example:"true" doc:"Whether this request began the retry. A second click while it runs changes nothing."`
	Message     string       `json:"message" example:"the event will be tried again at once" doc:"What happened, for people."`
	Status      relay.Status `json:"status" example:"pending" doc:"Where the event stands now."`
	Generation  int          `json:"generation" example:"1" doc:"How often it has been retried, replayed or reset."`
	WorkflowURL string       `json:"workflow_url,omitempty" example:"https://temporal.example.com/namespaces/default/workflows/deliver-event:4711" doc:"Its workflow in Temporal's Web UI."`
}

type retryOutput struct{ Body RetryView }

func (h opsHandlers) registerEvents(b *book) {
	add(b, reader, huma.Operation{OperationID: "list-events", Method: http.MethodGet, Path: "/admin/v1/events", Tags: []string{tagEvents},
		Summary: "Find events", Errors: []int{http.StatusUnprocessableEntity},
		Description: "Newest first, by the time of receipt. Every page comes soon, however many events there are."}, h.list)
	add(b, reader, huma.Operation{OperationID: "get-event", Method: http.MethodGet, Path: "/admin/v1/events/{id}", Tags: []string{tagEvents},
		Summary: "Read an event with its attempts", Errors: []int{http.StatusNotFound, http.StatusUnprocessableEntity}}, h.get)
	add(b, writer, huma.Operation{OperationID: "retry-event", Method: http.MethodPost, Path: "/admin/v1/events/{id}/retry", Tags: []string{tagEvents},
		Summary: "Deliver a failed or skipped event again", Errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity},
		Description: "The event gets all its tries anew, under the same event_id, at every destination that has not accepted it."}, h.retry)
}

func (h opsHandlers) list(ctx context.Context, in *listEventsInput) (*eventListOutput, error) {
	f, err := h.filter(ctx, in.EventFilter, "")
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
	if in.Reveal && !mayWrite(ctx) {
		return nil, refuse(codeForbidden, "this login may read, but not see what belongs to persons")
	}
	e, err := h.Events.EventDetail(ctx, in.ID)
	if err != nil {
		return nil, gone(err, "event")
	}
	if in.Reveal {
		if err := h.audit(ctx, actionReveal, entityEvent, in.ID, eventName(e.EventSummary)); err != nil {
			return nil, err
		}
	}
	return &eventDetailOutput{h.detailView(e, in.Reveal)}, nil
}

// mayWrite reports whether the admin behind a request may change things.
func mayWrite(ctx context.Context) bool {
	who, ok := ctx.Value(actorContextKey{}).(actor)
	return ok && !who.readOnly
}

// eventName is an event for the audit: an order's id beside a type of event says more than the audit needs.
func eventName(e relay.EventSummary) string { return fmt.Sprintf("%s/%d", e.StorefrontCode, e.ID) }

func (h opsHandlers) retry(ctx context.Context, in *eventInput) (*retryOutput, error) {
	r, err := h.Events.RetryEvent(ctx, in.ID, entry(ctx, actionRetry, entityEvent, in.ID, fmt.Sprintf("event %d", in.ID)))
	if err != nil {
		return nil, gone(err, "event")
	}
	v := RetryView{ID: in.ID, Retried: r.Retried, Status: r.Status, Generation: r.Generation, WorkflowURL: h.EventURL(in.ID),
		Message: "the event is set back and will be tried again at once"}
	switch {
	case r.Retried:
	case r.Erased:
		return nil, refuse(codeErased, "the event was erased: there is nothing left to deliver")
	case r.Status == relay.StatusDelivered:
		return nil, refuse(codeNotRetryable, "the event is delivered; a replay with resend sends it again")
	default:
		v.Message = "nothing to do: the event is on its way already"
	}
	return &retryOutput{v}, nil
}
