package api

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"relay/internal/ops"
	"relay/internal/relay"
)

// StatusView is how an event fares, for OMS.
type StatusView struct {
	EventID        string         `json:"event_id" example:"2025020100003333" doc:"The event's id, unique with its type."`
	OrderID        string         `json:"order_id" example:"2025020100003333" doc:"The order."`
	EventType      string         `json:"event_type" example:"purchase_completed" doc:"The type of the event."`
	StorefrontCode string         `json:"storefront_code" example:"bosley" doc:"The storefront's code."`
	Status         relay.Status   `json:"status" enum:"pending,processing,delivered,failed,skipped" example:"delivered" doc:"Its status. Delivered, failed and skipped are final unless the event is retried."`
	Reason         relay.Reason   `json:"reason,omitempty" example:"exhausted" doc:"Why, for programs; of failed and skipped events."`
	Detail         string         `json:"detail,omitempty" example:"sgtm: no attempts left (exhausted), last response 503" doc:"How each delivery ended, in words."`
	WaitingFor     relay.WaitsFor `json:"waiting_for,omitempty" enum:"retry,limit,credential,database" example:"retry" doc:"The reason for the wait before its next attempt: retry is the time after a failed one, limit its turn at a limited destination, credential one that decrypts, database the relay's own. Missing if it does not wait."`
	NextAttemptAt  *time.Time     `json:"next_attempt_at,omitempty" example:"2026-01-15T10:26:01Z" doc:"When its next attempt is due, the earliest of its destinations. Missing where nothing is waited for, or no time is known."`
	CreatedAt      time.Time      `json:"created_at" example:"2026-01-15T10:25:01Z" doc:"When it was received."`
	FinishedAt     *time.Time     `json:"finished_at,omitempty" example:"2026-01-15T10:25:03Z" doc:"When it ended; missing while it has not."`
	ErasedAt       *time.Time     `json:"erased_at,omitempty" example:"2026-02-15T10:40:03Z" doc:"When its data was erased; it is still found by its ids. Missing unless it was."`
}

// StatusList is how events fare.
type StatusList struct {
	Items   []StatusView `json:"items" nullable:"false" doc:"The events, in the order in which they were received. An order may have several."`
	Unknown []string     `json:"unknown" nullable:"false" example:"[]" doc:"Of the ids asked for, those of which there is no event."`
}

type statusOutput struct{ Body StatusList }

type orderStatusInput struct {
	OrderID string `query:"order_id" required:"true" minLength:"1" maxLength:"100" example:"2025020100003333" doc:"The order, or an event's own id."`
}

type manyStatusInput struct {
	Body struct {
		IDs []string `json:"ids" minItems:"1" maxItems:"1000" nullable:"false" example:"[\"2025020100003333\"]" doc:"Orders, or events' own ids; 1000 at most."`
	}
}

func (h opsHandlers) statusOfOrder(ctx context.Context, in *orderStatusInput) (*statusOutput, error) {
	return h.status(ctx, []string{in.OrderID})
}

func (h opsHandlers) statusOfOrders(ctx context.Context, in *manyStatusInput) (*statusOutput, error) {
	return h.status(ctx, in.Body.IDs)
}

func (h opsHandlers) status(ctx context.Context, ids []string) (*statusOutput, error) {
	wanted := spelled(ids)
	events, err := h.Events.EventsOfOrders(ctx, wanted)
	if err != nil {
		return nil, err
	}
	out := &statusOutput{StatusList{Items: []StatusView{}, Unknown: []string{}}}
	known := map[string]bool{}
	asked := make(map[string]string, len(wanted)) // by the hash that replaces an erased id
	for _, id := range wanted {
		asked[ops.Erased(id)] = id
	}
	for _, e := range events {
		e.OrderID, e.EventID = cmp.Or(asked[e.OrderID], e.OrderID), cmp.Or(asked[e.EventID], e.EventID)
		known[strings.TrimRight(e.OrderID, " ")], known[strings.TrimRight(e.EventID, " ")] = true, true
		out.Body.Items = append(out.Body.Items, StatusView{EventID: e.EventID, OrderID: e.OrderID, EventType: e.Type, StorefrontCode: e.StorefrontCode,
			Status: e.Status, Reason: e.Reason, Detail: e.Detail, WaitingFor: e.WaitingFor, NextAttemptAt: timeOrNone(e.NextAttemptAt), CreatedAt: e.CreatedAt, FinishedAt: timeOrNone(e.FinishedAt), ErasedAt: timeOrNone(e.ErasedAt)})
	}
	for _, id := range ids {
		if !known[strings.TrimRight(id, " ")] && !known[strings.TrimSpace(id)] && !known[id] {
			known[id] = true // once is enough
			out.Body.Unknown = append(out.Body.Unknown, id)
		}
	}
	return out, nil
}

// spelled are ids as they were sent, and as ingestion stores them: without outer white space. A direct row may have some.
func spelled(ids []string) []string {
	all := slices.Clone(ids)
	for _, id := range ids {
		if trimmed := strings.TrimSpace(id); trimmed != id {
			all = append(all, trimmed)
		}
	}
	return all
}
