package harness

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"relay/db"
	"relay/internal/ops"
)

// BatchResponse is the response to POST /v1/events.
type BatchResponse struct {
	HTTPStatus int         `json:"-"`
	Body       string      `json:"-"` // as received
	Accepted   int         `json:"accepted"`
	Duplicates int         `json:"duplicates"`
	Rejected   int         `json:"rejected"`
	Errors     []ItemError `json:"errors"`
}

// ItemError explains why an item was rejected.
type ItemError struct {
	Index   int    `json:"index"`
	EventID string `json:"event_id"`
	Field   string `json:"field"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Item is one event of a batch.
type Item map[string]any

// Batch is the body of POST /v1/events that OMS would send for these items.
func Batch(items ...Item) []byte {
	body, err := json.Marshal(map[string]any{
		"count": len(items), "data": items, "error": "",
		"next_index": "", "next_url": "", "previous_index": "", "previous_url": "",
	})
	if err != nil {
		panic(err) // cannot fail: the values are literals of tests
	}
	return body
}

// Post posts a batch with the relay's login. A response of any status is no error, unless it is not JSON.
func (r *Relay) Post(ctx context.Context, batch []byte) (BatchResponse, error) {
	status, body, err := r.Do(ctx, http.MethodPost, "/v1/events", batch)
	if err != nil {
		return BatchResponse{}, err
	}
	response := BatchResponse{HTTPStatus: status, Body: string(body)}
	if err := json.Unmarshal(body, &response); err != nil {
		return response, fmt.Errorf("response %d %q: %w", status, body, err)
	}
	return response, nil
}

// Do sends any request with the relay's login and returns status and body.
func (r *Relay) Do(ctx context.Context, method, path string, body []byte) (int, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, r.URL+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	request.SetBasicAuth(r.username, r.password)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, nil, err
	}
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, text, errors.Join(err, response.Body.Close())
}

// ErrNoEvent reports that no row has that order id and type.
var ErrNoEvent = errors.New("no such event")

// Event returns the row of an order's event of one type, with its attempts.
func (s *System) Event(ctx context.Context, orderID, eventType string) (ops.EventDetail, error) {
	events, err := s.Store.EventsOfOrders(ctx, []string{orderID})
	if err != nil {
		return ops.EventDetail{}, err
	}
	for _, e := range events {
		if e.Type == eventType {
			return s.Store.EventDetail(ctx, e.ID)
		}
	}
	return ops.EventDetail{}, fmt.Errorf("%w: %s %s", ErrNoEvent, orderID, eventType)
}

// Events returns the events of at most 1,000 orders, in the order of their rows, with their attempts.
func Events(ctx context.Context, store *db.Store, orderIDs []string) ([]ops.EventDetail, error) {
	events, err := store.EventsOfOrders(ctx, orderIDs)
	if err != nil {
		return nil, err
	}
	details := make([]ops.EventDetail, len(events))
	for i, e := range events {
		if details[i], err = store.EventDetail(ctx, e.ID); err != nil {
			return nil, err
		}
	}
	return details, nil
}

// WaitEvent waits until wanted returns true for the event. If ctx ends first, the error holds the latest state.
func (s *System) WaitEvent(ctx context.Context, orderID, eventType string, wanted func(ops.EventDetail) bool) (ops.EventDetail, error) {
	var last ops.EventDetail
	var state error
	err := poll(ctx, 20*time.Millisecond, func() error {
		e, err := s.Event(ctx, orderID, eventType)
		if err != nil {
			if ctx.Err() != nil && state != nil { // the read was interrupted: its error is not about the event
				return state
			}
			return err
		}
		last = e
		if !wanted(e) {
			state = fmt.Errorf("event %s %s is %s (%s) after %d attempts", orderID, eventType, e.Status, e.Detail, len(e.Attempts))
			return state
		}
		return nil
	})
	return last, err
}

// Final reports, for WaitEvent, that the event has ended.
func Final(e ops.EventDetail) bool { return e.Status.Final() }
