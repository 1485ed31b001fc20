package db

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"strings"
	"time"

	"relay/internal/relay"
)

// recordSQL and recordRow insert an attempt before its request leaves.
const (
	recordSQL = `INSERT INTO event_attempts (attempt_id, marketing_event_id, generation, destination, number, outcome, reason,
		started_at, duration_us, method, url, header_names, request_body, request_sha256, adapter_version, dropped_fields, warnings,
		response_status, trace_id, response_fields, detail) VALUES `
	recordRow = "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
)

func recordArgs(a *relay.Attempt) []any {
	r := a.Result
	outcome := cmp.Or(r.Outcome, relay.Sending)
	var duration sql.NullInt64
	if outcome != relay.Sending {
		duration = sql.NullInt64{Int64: a.Duration.Microseconds(), Valid: true}
	}
	return []any{a.AttemptID, a.EventID, a.Generation, a.Destination, a.Number, string(outcome), nullText(string(r.Reason)),
		startOf(a.StartedAt), duration, shown(a.Method, 10), shown(a.URL, 2000), list(a.HeaderNames), nullText(a.Body),
		nullText(a.BodySHA256), shown(a.AdapterVersion, 100), list(a.Dropped), list(a.Warnings),
		nullNumber(r.Status), shown(r.TraceID, 255), object(r.Fields), shown(a.Detail, maxText)}
}

// RecordSending writes the record of an attempt before its request leaves, with the outcome sending; or, if nothing is sent,
// with the given outcome. Writing the same attempt again changes nothing. The record is committed when this returns.
func (s *Store) RecordSending(ctx context.Context, a relay.Attempt) error {
	return wrap("record attempt "+a.AttemptID, s.records.do(ctx, &a))
}

func (s *Store) recordOne(ctx context.Context, a *relay.Attempt) error {
	_, err := s.execPrepared(ctx, recordSQL+recordRow, recordArgs(a)...)
	if isNumber(err, errDuplicate) { // written before, but the response was lost
		return nil
	}
	return err
}

// recordMany writes attempts with one statement. Large attempts are written alone, because the size of a statement is
// limited.
func (s *Store) recordMany(ctx context.Context, all []*relay.Attempt) (alone []*relay.Attempt, err error) {
	var args []any
	for _, a := range all {
		if len(a.Body) > maxBytes/groupSize {
			alone = append(alone, a)
			continue
		}
		args = append(args, recordArgs(a)...)
	}
	if len(args) == 0 {
		return alone, nil
	}
	_, err = s.exec(ctx, recordSQL+tuples(recordRow, len(all)-len(alone)), args...)
	return alone, err
}

// CompleteAttempts writes the results of attempts. A record that already has its result keeps it.
func (s *Store) CompleteAttempts(ctx context.Context, ends []relay.AttemptEnd) error {
	for i := range ends {
		if err := s.ends.do(ctx, &ends[i]); err != nil {
			return wrap("complete attempt "+ends[i].AttemptID, err)
		}
	}
	return nil
}

func (s *Store) completeOne(ctx context.Context, e *relay.AttemptEnd) error {
	_, err := s.execPrepared(ctx, `UPDATE event_attempts SET outcome = ?, reason = ?, duration_us = ?, response_status = ?, trace_id = ?,
		response_fields = ? WHERE attempt_id = ? AND outcome = 'sending'`,
		string(e.Result.Outcome), nullText(string(e.Result.Reason)), e.Duration.Microseconds(), nullNumber(e.Result.Status),
		shown(e.Result.TraceID, 255), object(e.Result.Fields), e.AttemptID)
	return err
}

// completeMany completes attempts with one statement. The outcome is assigned last: it decides which rows are completed.
func (s *Store) completeMany(ctx context.Context, all []*relay.AttemptEnd) ([]*relay.AttemptEnd, error) {
	p := newCaseUpdate("attempt_id", len(all))
	for _, e := range all {
		p.add(e.AttemptID, nullText(string(e.Result.Reason)), e.Duration.Microseconds(), nullNumber(e.Result.Status),
			shown(e.Result.TraceID, 255), object(e.Result.Fields), string(e.Result.Outcome))
	}
	_, err := s.exec(ctx, "UPDATE event_attempts FORCE INDEX (uq_event_attempts_attempt) SET "+
		p.set("reason", "duration_us", "response_status", "trace_id", "response_fields", "outcome")+
		" WHERE attempt_id IN ("+p.keys()+") AND outcome = 'sending'", p.args()...)
	return nil, err
}

func startOf(t time.Time) time.Time {
	if t.IsZero() {
		return time.Now()
	}
	return t
}

// shown cuts a text to the size of its column: a text that is only displayed must not fail a delivery. Bytes that are not
// UTF-8 are replaced.
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
