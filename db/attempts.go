package db

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"strings"
	"time"

	"relay"
)

// RecordSending writes the record of a try before its request leaves, with the outcome sending; or, where nothing is sent,
// with the outcome given. Writing the same attempt again changes nothing.
func (s *Store) RecordSending(ctx context.Context, a relay.Attempt) error {
	r := a.Result
	outcome := cmp.Or(r.Outcome, relay.Sending)
	var duration sql.NullInt64
	if outcome != relay.Sending {
		duration = sql.NullInt64{Int64: a.Duration.Microseconds(), Valid: true}
	}
	_, err := s.execLane(ctx, `INSERT INTO event_attempts (attempt_id, marketing_event_id, generation, destination, number, outcome, reason,
		started_at, duration_us, method, url, header_names, request_body, request_sha256, adapter_version, dropped_fields,
		response_status, trace_id, response_fields, detail) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`,
		a.AttemptID, a.EventID, a.Generation, a.Destination, a.Number, string(outcome), nullText(string(r.Reason)),
		startOf(a.StartedAt), duration, shown(a.Method, 10), shown(a.URL, 2000), list(a.HeaderNames), nullText(a.Body),
		nullText(a.BodySHA256), shown(a.AdapterVersion, 100), list(a.Dropped),
		nullNumber(r.Status), shown(r.TraceID, 255), object(r.Fields), shown(a.Detail, maxText))
	if isNumber(err, errDuplicate) { // written before, and the answer was lost
		return nil
	}
	return fail("record attempt "+a.AttemptID, err)
}

// CompleteAttempts writes how tries ended. A record that has its end already keeps it.
func (s *Store) CompleteAttempts(ctx context.Context, ends []relay.AttemptEnd) error {
	for _, e := range ends {
		_, err := s.execLane(ctx, `UPDATE event_attempts SET outcome = ?, reason = ?, duration_us = ?, response_status = ?, trace_id = ?,
			response_fields = ? WHERE attempt_id = ? AND outcome = 'sending'`,
			string(e.Result.Outcome), nullText(string(e.Result.Reason)), e.Duration.Microseconds(), nullNumber(e.Result.Status),
			shown(e.Result.TraceID, 255), object(e.Result.Fields), e.AttemptID)
		if err != nil {
			return fail("complete attempt "+e.AttemptID, err)
		}
	}
	return nil
}

func startOf(t time.Time) time.Time {
	if t.IsZero() {
		return time.Now()
	}
	return t
}

// shown is a text cut to its column: what is only looked at must not fail a delivery. Bytes beyond UTF-8 are replaced.
func shown(s string, n int) sql.NullString {
	s = strings.ToValidUTF8(s, "�")
	return nullText(cut(s, n))
}

func nullNumber(n int) sql.NullInt64 { return sql.NullInt64{Int64: int64(n), Valid: n != 0} }

func list(names []string) sql.NullString {
	if len(names) == 0 {
		return sql.NullString{}
	}
	b, _ := json.Marshal(names) // strings always marshal
	return shown(string(b), maxText)
}

func object(fields map[string]string) sql.NullString {
	if len(fields) == 0 {
		return sql.NullString{}
	}
	b, _ := json.Marshal(fields) // strings always marshal
	return shown(string(b), maxText)
}
