package db

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"relay/internal/ops"
	"relay/internal/relay"
)

const summaryColumns = `e.id, e.event_id, e.order_id, e.event_type, e.storefront_id, e.storefront_code, e.source_system, e.status,
	e.reason, e.detail, e.generation, e.created_at, e.updated_at, e.finished_at, e.erased_at,
	IF(e.status = 'processing', e.waiting_for, NULL), IF(e.status = 'processing', e.next_attempt_at, NULL)`

// summary is one row of summaryColumns.
type summary struct {
	ops.EventSummary
	order, code, reason, detail, waiting sql.NullString
	storefront                           sql.NullInt64
	finished, erased, next               sql.NullTime
}

func (r *summary) dest() []any {
	return []any{&r.ID, &r.EventID, &r.order, &r.Type, &r.storefront, &r.code, &r.Source, &r.Status, &r.reason, &r.detail,
		&r.Generation, &r.CreatedAt, &r.UpdatedAt, &r.finished, &r.erased,
		&r.waiting, &r.next}
}

func (r *summary) event() ops.EventSummary {
	e := r.EventSummary
	e.OrderID, e.StorefrontID, e.StorefrontCode = r.order.String, r.storefront.Int64, r.code.String
	if e.OrderID == "" { // a direct row names its order by event_id
		e.OrderID = e.EventID
	}
	e.Reason, e.Detail, e.FinishedAt = relay.Reason(r.reason.String), r.detail.String, r.finished.Time
	e.ErasedAt, e.WaitingFor, e.NextAttemptAt = r.erased.Time, relay.WaitsFor(r.waiting.String), r.next.Time
	return e
}

// Summaries reads events by their ids, in the order of the ids; unknown ids are left out.
func (s *Store) Summaries(ctx context.Context, ids []int64) ([]ops.EventSummary, error) {
	byID := make(map[int64]ops.EventSummary, len(ids))
	for start := 0; start < len(ids); start += maxRows {
		if err := s.addSummaries(ctx, ids[start:min(start+maxRows, len(ids))], byID); err != nil {
			return nil, wrap("read events", err)
		}
	}
	list := make([]ops.EventSummary, 0, len(ids))
	for _, id := range ids {
		if e, ok := byID[id]; ok {
			list = append(list, e)
		}
	}
	return list, nil
}

func (s *Store) addSummaries(ctx context.Context, ids []int64, to map[int64]ops.EventSummary) error {
	rows, err := s.sql.QueryContext(ctx, "SELECT "+summaryColumns+" FROM marketing_events e WHERE e.id IN ("+tuples("?", len(ids))+")", numbers(ids)...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var r summary
		if err := rows.Scan(r.dest()...); err != nil {
			return err
		}
		to[r.ID] = r.event()
	}
	return rows.Err()
}

func numbers(ids []int64) []any {
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = id
	}
	return args
}

// addWarnings adds the warnings of each event's attempts.
func (s *Store) addWarnings(ctx context.Context, events []ops.EventSummary) error {
	if len(events) == 0 {
		return nil
	}
	byID := make(map[int64]*ops.EventSummary, len(events))
	ids := make([]int64, len(events))
	for i := range events {
		byID[events[i].ID], ids[i] = &events[i], events[i].ID
	}
	rows, err := s.sql.QueryContext(ctx, `SELECT marketing_event_id, warnings FROM event_attempts
		WHERE marketing_event_id IN (`+tuples("?", len(ids))+") AND warnings IS NOT NULL ORDER BY id", numbers(ids)...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id int64
		var stored []byte
		if err := rows.Scan(&id, &stored); err != nil {
			return err
		}
		var warnings []string
		_ = json.Unmarshal(stored, &warnings) // truncated JSON is not shown
		for _, w := range warnings {
			if e := byID[id]; !slices.Contains(e.Warnings, w) {
				e.Warnings = append(e.Warnings, w)
			}
		}
	}
	return rows.Err()
}

// maxOfOrders bounds a list of the events of orders, which have a handful each.
const maxOfOrders = 10_000

// EventsOfOrders lists the events of orders, by order ids or event ids, in the order of their rows. Erased events are found
// by the hashes of their ids. At most 1,000 ids at once.
func (s *Store) EventsOfOrders(ctx context.Context, ids []string) ([]ops.EventSummary, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	in, args := tuples("?", 2*len(ids)), make([]any, 0, 4*len(ids)+1)
	for range 2 {
		for _, id := range ids {
			args = append(args, id, ops.Erased(id))
		}
	}
	rows, err := s.sql.QueryContext(ctx, "SELECT "+summaryColumns+" FROM (SELECT id FROM marketing_events WHERE order_id IN ("+in+`) UNION
		SELECT id FROM marketing_events WHERE event_id IN (`+in+")) o JOIN marketing_events e ON e.id = o.id ORDER BY e.id LIMIT ?",
		append(args, maxOfOrders)...)
	if err != nil {
		return nil, wrap("list the events of orders", err)
	}
	defer func() { _ = rows.Close() }()
	var list []ops.EventSummary
	for rows.Next() {
		var r summary
		if err := rows.Scan(r.dest()...); err != nil {
			return nil, wrap("list the events of orders", err)
		}
		list = append(list, r.event())
	}
	if err := rows.Err(); err != nil {
		return nil, wrap("list the events of orders", err)
	}
	return list, s.markLimited(ctx, list)
}

// EventDetail reads everything about one event; relay.ErrNotFound if it does not exist.
func (s *Store) EventDetail(ctx context.Context, id int64) (ops.EventDetail, error) {
	op := fmt.Sprintf("read event %d", id)
	var r summary
	var payload, ends, resend []byte
	err := s.sql.QueryRowContext(ctx, "SELECT "+summaryColumns+", e.event_payload, e.ends, e.resend FROM marketing_events e WHERE e.id = ?", id).
		Scan(append(r.dest(), &payload, &ends, &resend)...)
	if err != nil {
		return ops.EventDetail{}, wrap(op, err)
	}
	d := ops.EventDetail{EventSummary: r.event(), Payload: payload, Resend: resends(string(resend))}
	_ = json.Unmarshal(ends, &d.Ends) // none, or ours
	one := []ops.EventSummary{d.EventSummary}
	if err := s.markLimited(ctx, one); err != nil {
		return d, err
	}
	d.EventSummary = one[0]
	d.Attempts, err = s.Attempts(ctx, id)
	return d, wrap(op, err)
}

// resends reads the column resend: empty, or written by the relay.
func resends(stored string) map[string]int {
	var m map[string]int
	_ = json.Unmarshal([]byte(stored), &m)
	return m
}

// Attempts reads all attempts of an event, in order.
func (s *Store) Attempts(ctx context.Context, id int64) ([]relay.Attempt, error) {
	rows, err := s.sql.QueryContext(ctx, `SELECT attempt_id, generation, destination, number, outcome, reason, started_at, duration_us,
		method, url, header_names, request_body, request_sha256, adapter_version, dropped_fields, warnings, response_status, trace_id,
		response_fields, detail FROM event_attempts WHERE marketing_event_id = ? ORDER BY id`, id)
	if err != nil {
		return nil, wrap("read attempts", err)
	}
	defer func() { _ = rows.Close() }()
	var list []relay.Attempt
	for rows.Next() {
		a, err := scanAttempt(rows)
		if err != nil {
			return nil, wrap("read attempts", err)
		}
		a.EventID = id
		list = append(list, a)
	}
	return list, wrap("read attempts", rows.Err())
}

func scanAttempt(rows *sql.Rows) (relay.Attempt, error) {
	var a relay.Attempt
	var attempt, destination, outcome, reason, method, url, headers, body, digest, version, dropped, warnings, trace, fields, detail sql.NullString
	var duration, status sql.NullInt64
	err := rows.Scan(&attempt, &a.Generation, &destination, &a.Number, &outcome, &reason, &a.StartedAt, &duration, &method, &url, &headers,
		&body, &digest, &version, &dropped, &warnings, &status, &trace, &fields, &detail)
	if err != nil {
		return a, err
	}
	a.AttemptID, a.Destination, a.Method, a.URL, a.Body = attempt.String, destination.String, method.String, url.String, body.String
	a.BodySHA256, a.AdapterVersion, a.Detail = digest.String, version.String, detail.String
	a.Duration = time.Duration(duration.Int64) * time.Microsecond
	a.Result = relay.Result{Outcome: relay.Outcome(outcome.String), Reason: relay.Reason(reason.String), Status: int(status.Int64), TraceID: trace.String}
	// Truncated JSON, or JSON that the relay did not write, is not shown.
	_ = json.Unmarshal([]byte(headers.String), &a.HeaderNames)
	_ = json.Unmarshal([]byte(dropped.String), &a.Dropped)
	_ = json.Unmarshal([]byte(warnings.String), &a.Warnings)
	_ = json.Unmarshal([]byte(fields.String), &a.Result.Fields)
	return a, nil
}
