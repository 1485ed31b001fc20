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

// recording is what one caller records at once: the attempts at one destination of an event, or at several.
type recording struct{ attempts []relay.Attempt }

func (r *recording) args() []any {
	var args []any
	for i := range r.attempts {
		args = append(args, recordArgs(&r.attempts[i])...)
	}
	return args
}

func (r *recording) size() int {
	n := 0
	for _, a := range r.attempts {
		n += len(a.Body)
	}
	return n
}

// RecordSending writes the records of attempts before their requests leave, with the outcome sending; or, if nothing is
// sent, with the outcome given. All are written or none. Writing the same attempts again changes nothing. They are committed
// when this returns.
func (s *Store) RecordSending(ctx context.Context, attempts ...relay.Attempt) error {
	if len(attempts) == 0 {
		return nil
	}
	return wrap("record attempt "+attempts[0].AttemptID, s.records.do(ctx, &recording{attempts}))
}

func (s *Store) recordOne(ctx context.Context, r *recording) error {
	_, err := s.execPrepared(ctx, recordSQL+tuples(recordRow, len(r.attempts)), r.args()...)
	if isNumber(err, errDuplicate) { // written before, and the response was lost
		return nil
	}
	return err
}

// recordMany writes attempts with one statement. Large ones go alone: a statement has a largest size.
func (s *Store) recordMany(ctx context.Context, all []*recording) (alone []*recording, err error) {
	var args []any
	rows := 0
	for _, r := range all {
		if r.size() > maxBytes/groupSize {
			alone = append(alone, r)
			continue
		}
		args, rows = append(args, r.args()...), rows+len(r.attempts)
	}
	if rows == 0 {
		return alone, nil
	}
	_, err = s.exec(ctx, recordSQL+tuples(recordRow, rows), args...)
	return alone, err
}

// completing is what one caller completes at once.
type completing struct{ ends []relay.AttemptEnd }

// CompleteAttempts writes how attempts ended. A record that has its end already keeps it.
func (s *Store) CompleteAttempts(ctx context.Context, ends []relay.AttemptEnd) error {
	if len(ends) == 0 {
		return nil
	}
	return wrap("complete attempt "+ends[0].AttemptID, s.ends.do(ctx, &completing{ends}))
}

func (s *Store) completeOne(ctx context.Context, c *completing) error {
	if len(c.ends) > 1 {
		_, err := s.completeMany(ctx, []*completing{c})
		return err
	}
	e := c.ends[0]
	_, err := s.execPrepared(ctx, `UPDATE event_attempts SET reason = ?, duration_us = ?, response_status = ?, trace_id = ?,
		response_fields = ?, outcome = ? WHERE attempt_id = ? AND outcome = 'sending'`, append(endValues(e), e.AttemptID)...)
	return err
}

func (s *Store) completeMany(ctx context.Context, all []*completing) ([]*completing, error) {
	var ends []relay.AttemptEnd
	for _, c := range all {
		ends = append(ends, c.ends...)
	}
	query, args := completeSQL(ends)
	_, err := s.exec(ctx, query, args...)
	return nil, err
}

// completeSQL completes attempts with one statement. The outcome comes last: it decides which rows are completed.
func completeSQL(ends []relay.AttemptEnd) (string, []any) {
	p := newCaseUpdate("attempt_id", len(ends))
	for _, e := range ends {
		p.add(e.AttemptID, endValues(e)...)
	}
	return "UPDATE event_attempts FORCE INDEX (uq_event_attempts_attempt) SET " + p.set(endColumns...) +
		" WHERE attempt_id IN (" + p.keys() + ") AND outcome = 'sending'", p.args()
}

// endColumns are what an attempt is completed with, and endValues their values.
var endColumns = []string{"reason", "duration_us", "response_status", "trace_id", "response_fields", "outcome"}

func endValues(e relay.AttemptEnd) []any {
	return []any{nullText(string(e.Result.Reason)), e.Duration.Microseconds(), nullNumber(e.Result.Status),
		shown(e.Result.TraceID, 255), object(e.Result.Fields), string(e.Result.Outcome)}
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
