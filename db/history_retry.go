package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"relay/internal/ops"
	"relay/internal/relay"
)

// setBack resets events to pending, free for PollInbox, in a new generation with all its attempts. resend comes first: it
// refers to the new generation, in any order of assignment.
const setBack = `resend = %s, generation = generation + 1, reason = NULL, detail = NULL, ends = NULL, finished_at = NULL,
	claimed_until = DEFAULT, updated_at = UTC_TIMESTAMP(6), status = 'pending'`

// RetryEvent resets a failed or skipped event to pending. Of several concurrent calls, one does. An event that does not
// exist is relay.ErrNotFound. The lines are added to the audit in the same transaction.
func (s *Store) RetryEvent(ctx context.Context, id int64, lines ...ops.AuditEntry) (ops.RetryResult, error) {
	var r ops.RetryResult
	err := s.tx(ctx, func(tx *sql.Tx) error {
		done, err := setBackRows(ctx, tx, []int64{id}, []relay.Status{relay.StatusFailed, relay.StatusSkipped}, nil)
		if err != nil {
			return err
		}
		if r.Retried = len(done) == 1; r.Retried {
			if err := s.writeAudit(ctx, tx, lines...); err != nil {
				return err
			}
		}
		return tx.QueryRowContext(ctx, "SELECT status, generation, erased_at IS NOT NULL FROM marketing_events WHERE id = ?", id).
			Scan(&r.Status, &r.Generation, &r.Erased)
	})
	return r, wrap(fmt.Sprintf("retry event %d", id), err)
}

// setBackRows resets those rows that have one of the statuses to pending, and returns their ids. Destinations of resend
// receive the event again although they have accepted it.
func setBackRows(ctx context.Context, tx *sql.Tx, ids []int64, from []relay.Status, resend []string) ([]int64, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var c condition
	c.and("e.id IN ("+tuples("?", len(ids))+")", numbers(ids)...)
	statuses(&c, ops.Filter{Statuses: from})
	c.and("e.erased_at IS NULL") // there is nothing left to send
	done, hours, err := lockRows(ctx, tx, c)
	if err != nil || len(done) == 0 {
		return nil, err
	}
	expression, args := resendExpression(resend)
	_, err = tx.ExecContext(ctx, "UPDATE marketing_events SET "+fmt.Sprintf(setBack, expression)+" WHERE id IN ("+tuples("?", len(done))+")",
		append(args, numbers(done)...)...)
	if err != nil {
		return nil, err
	}
	return done, markDirty(ctx, tx, hours)
}

// lockRows locks rows in the order of their ids, and returns them with the hours in which they were received.
func lockRows(ctx context.Context, tx *sql.Tx, c condition) ([]int64, []any, error) {
	rows, err := tx.QueryContext(ctx, "SELECT e.id, "+hourOf+" FROM marketing_events e WHERE "+c.String()+" ORDER BY e.id FOR UPDATE", c.args...)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = rows.Close() }()
	var ids []int64
	var hours []any
	for rows.Next() {
		var id int64
		var hour string
		if err := rows.Scan(&id, &hour); err != nil {
			return nil, nil, err
		}
		ids = append(ids, id)
		if !slices.Contains(hours, any(hour)) {
			hours = append(hours, hour)
		}
	}
	return ids, hours, rows.Err()
}

// resendExpression is the new value of the column resend: the old one, with the new generation for these destinations.
func resendExpression(destinations []string) (string, []any) {
	if len(destinations) == 0 {
		return "resend", nil
	}
	var args []any
	for _, d := range destinations {
		args = append(args, `$."`+d+`"`)
	}
	return "JSON_SET(COALESCE(resend, '{}')" + strings.Repeat(", ?, generation + 1", len(args)) + ")", args
}

// ErrBadDestination reports a destination with an impossible name.
var ErrBadDestination = errors.New("a destination's name has only letters, digits, - and _")

// checkDestinations refuses names that would have another meaning in a JSON path.
func checkDestinations(keys []string) error {
	for _, k := range keys {
		odd := func(r rune) bool {
			return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '-'
		}
		if k == "" || strings.ContainsFunc(k, odd) {
			return ErrBadDestination
		}
	}
	return nil
}
