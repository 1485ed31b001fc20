package db

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"relay/internal/relay"
)

// EventRecord is an event as people look at it, with its attempts in order.
type EventRecord struct {
	ID             int64
	EventID        string
	Type           string
	StorefrontCode string
	Source         string
	Status         relay.Status
	Reason         relay.Reason
	Detail         string
	Generation     int
	RunID          string
	CreatedAt      time.Time
	FinishedAt     time.Time // zero while it has not ended
	Attempts       []AttemptRecord
}

// AttemptRecord is one try as people look at it.
type AttemptRecord struct {
	AttemptID   string
	Generation  int
	Destination string
	Number      int
	Outcome     relay.Outcome
	Reason      relay.Reason
	Status      int // HTTP status of the answer; 0 is none
	StartedAt   time.Time
	Duration    time.Duration
	Method      string
	URL         string
	Body        string // redacted
	Detail      string
}

// EventsOf lists the events of orders, of whichever source, in the order of their rows, with their attempts. At most 1,000
// orders at once.
func (s *Store) EventsOf(ctx context.Context, orderIDs []string) ([]EventRecord, error) {
	if len(orderIDs) == 0 {
		return nil, nil
	}
	in, args := tuples("?", len(orderIDs)), make([]any, 0, 2*len(orderIDs))
	for range 2 {
		for _, id := range orderIDs {
			args = append(args, id)
		}
	}
	rows, err := s.sql.QueryContext(ctx, `SELECT e.id, e.event_id, e.event_type, e.storefront_code, e.source_system, e.status, e.reason,
		e.detail, e.generation, e.run_id, e.created_at, e.finished_at
		FROM (SELECT id FROM marketing_events WHERE order_id IN (`+in+`) UNION
		SELECT id FROM marketing_events WHERE event_id IN (`+in+`)) o
		JOIN marketing_events e ON e.id = o.id ORDER BY e.id`, args...)
	if err != nil {
		return nil, fail("list events", err)
	}
	events, err := scanEvents(rows)
	if err != nil {
		return nil, fail("list events", err)
	}
	for page := range slices.Chunk(events, maxRows) {
		if err := s.addAttempts(ctx, page); err != nil {
			return nil, fail("list attempts", err)
		}
	}
	return events, nil
}

func scanEvents(rows *sql.Rows) ([]EventRecord, error) {
	defer func() { _ = rows.Close() }()
	var events []EventRecord
	for rows.Next() {
		var e EventRecord
		var code, reason, detail, run sql.NullString
		var finished sql.NullTime
		if err := rows.Scan(&e.ID, &e.EventID, &e.Type, &code, &e.Source, &e.Status, &reason, &detail, &e.Generation, &run,
			&e.CreatedAt, &finished); err != nil {
			return nil, err
		}
		e.StorefrontCode, e.Reason, e.Detail = code.String, relay.Reason(reason.String), detail.String
		e.RunID, e.FinishedAt = run.String, finished.Time
		events = append(events, e)
	}
	return events, rows.Err()
}

func (s *Store) addAttempts(ctx context.Context, events []EventRecord) error {
	byID := make(map[int64]*EventRecord, len(events))
	args := make([]any, len(events))
	for i := range events {
		byID[events[i].ID], args[i] = &events[i], events[i].ID
	}
	rows, err := s.sql.QueryContext(ctx, `SELECT marketing_event_id, attempt_id, generation, destination, number, outcome, reason,
		response_status, started_at, duration_us, method, url, request_body, detail
		FROM event_attempts WHERE marketing_event_id IN (`+tuples("?", len(args))+") ORDER BY id", args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id int64
		var a AttemptRecord
		var attempt, destination, outcome, reason, method, url, body, detail sql.NullString
		var status, duration sql.NullInt64
		if err := rows.Scan(&id, &attempt, &a.Generation, &destination, &a.Number, &outcome, &reason, &status, &a.StartedAt, &duration,
			&method, &url, &body, &detail); err != nil {
			return err
		}
		a.AttemptID, a.Destination, a.Outcome, a.Reason = attempt.String, destination.String, relay.Outcome(outcome.String), relay.Reason(reason.String)
		a.Status, a.Duration = int(status.Int64), time.Duration(duration.Int64)*time.Microsecond
		a.Method, a.URL, a.Body, a.Detail = method.String, url.String, body.String, detail.String
		byID[id].Attempts = append(byID[id].Attempts, a)
	}
	return rows.Err()
}
