package db

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"relay/internal/ops"
	"relay/internal/relay"
)

const (
	keepNotices   = 90        // days after it was sent
	purgeNotices  = 100       // in one look
	maxNoticeWait = time.Hour // that a receiver may ask for
)

// ComposeNotices looks at the present state and stores the notices that it calls for, together with the memory that it has been
// reported: both or neither.
func (s *Store) ComposeNotices(ctx context.Context, rules ops.NoticeRules) error {
	const act = "compose notices"
	seen, err := s.noticeable(ctx, rules)
	if err != nil {
		return wrap(act, err)
	}
	return wrap(act, s.tx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "INSERT INTO notice_state (id, state) VALUES (1, '{}') ON DUPLICATE KEY UPDATE id = id"); err != nil {
			return err
		}
		var before []byte
		if err := tx.QueryRowContext(ctx, "SELECT state FROM notice_state WHERE id = 1 FOR UPDATE").Scan(&before); err != nil {
			return err
		}
		var state ops.NoticeState
		if err := json.Unmarshal(before, &state); err != nil {
			return err
		}
		if err := s.addToLook(ctx, tx, &state, rules, &seen); err != nil {
			return err
		}
		for _, n := range state.Step(seen, rules) {
			if err := insertNotice(ctx, tx, n); err != nil {
				return err
			}
		}
		return saveNoticeState(ctx, tx, before, state)
	}))
}

// addToLook reads what depends on the memory: the notices that are unsent, and the day's counts when they are due.
func (s *Store) addToLook(ctx context.Context, tx *sql.Tx, state *ops.NoticeState, rules ops.NoticeRules, seen *ops.NoticeObservation) error {
	seen.Unsent = map[ops.NoticeKind]bool{}
	rows, err := tx.QueryContext(ctx, "SELECT kind FROM notices WHERE sent_at IS NULL")
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var kind ops.NoticeKind
		if err := rows.Scan(&kind); err != nil {
			return err
		}
		seen.Unsent[kind] = true
	}
	if err := rows.Err(); err != nil || !state.SummaryDue(seen.At, rules) {
		return err
	}
	seen.Day, err = s.noticeDay(ctx)
	return err
}

func insertNotice(ctx context.Context, tx *sql.Tx, n ops.Notice) error {
	body, err := json.Marshal(n)
	if err == nil {
		_, err = tx.ExecContext(ctx, "INSERT INTO notices (kind, body, created_at, next_at) VALUES (?, ?, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6))", string(n.Kind), body)
	}
	return err
}

func saveNoticeState(ctx context.Context, tx *sql.Tx, before []byte, state ops.NoticeState) error {
	after, err := json.Marshal(state)
	if err == nil && !bytes.Equal(before, after) {
		_, err = tx.ExecContext(ctx, "UPDATE notice_state SET state = ? WHERE id = 1", after)
	}
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "DELETE FROM notices WHERE sent_at < UTC_TIMESTAMP(6) - INTERVAL ? DAY ORDER BY sent_at LIMIT ?", keepNotices, purgeNotices)
	return err
}

// DueNotices lists the notices that are to be sent now.
func (s *Store) DueNotices(ctx context.Context) ([]int64, error) {
	const act = "list notices to send"
	rows, err := s.sql.QueryContext(ctx, "SELECT id FROM notices WHERE sent_at IS NULL AND next_at <= UTC_TIMESTAMP(6) ORDER BY id LIMIT 100")
	if err != nil {
		return nil, wrap(act, err)
	}
	defer func() { _ = rows.Close() }()
	var ids []int64
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, wrap(act, err)
		}
		ids = append(ids, id)
	}
	return ids, wrap(act, rows.Err())
}

// Notice reads a notice; relay.ErrNotFound where it has been sent.
func (s *Store) Notice(ctx context.Context, id int64) (ops.Notice, error) {
	act := fmt.Sprintf("read notice %d", id)
	var body []byte
	err := s.sql.QueryRowContext(ctx, "SELECT body FROM notices WHERE id = ? AND sent_at IS NULL", id).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return ops.Notice{}, wrap(act, relay.ErrNotFound)
	}
	var n ops.Notice
	if err == nil {
		err = json.Unmarshal(body, &n)
	}
	n.ID = id
	return n, wrap(act, err)
}

// RecordNotice stores how the attempt to send a notice ended. After a failure it is due again: in half a minute, then after twice
// the time each, up to a quarter of an hour, and not before the receiver wants it.
func (s *Store) RecordNotice(ctx context.Context, id int64, r relay.Result) error {
	act := fmt.Sprintf("record the attempt to send notice %d", id)
	if r.Outcome == relay.Accepted {
		_, err := s.exec(ctx, "UPDATE notices SET attempts = attempts + 1, sent_at = UTC_TIMESTAMP(6), reason = NULL WHERE id = ? AND sent_at IS NULL", id)
		return wrap(act, err)
	}
	_, err := s.exec(ctx, `UPDATE notices SET attempts = attempts + 1, reason = ?,
		next_at = UTC_TIMESTAMP(6) + INTERVAL GREATEST(?, LEAST(900, 15 * POW(2, LEAST(attempts, 10)))) SECOND WHERE id = ? AND sent_at IS NULL`,
		nullText(string(r.Reason)), int(min(r.RetryAfter, maxNoticeWait).Seconds()), id)
	return wrap(act, err)
}

// NoticeStatus reads when the latest notice was sent, and how many wait.
func (s *Store) NoticeStatus(ctx context.Context) (ops.NoticeStatus, error) {
	var r ops.NoticeStatus
	var at sql.NullTime
	var kind, reason sql.NullString
	err := s.sql.QueryRowContext(ctx, `SELECT l.sent_at, l.kind, (SELECT COUNT(*) FROM notices WHERE sent_at IS NULL),
		(SELECT MAX(reason) FROM notices WHERE sent_at IS NULL) FROM (SELECT 1 AS one) o
		LEFT JOIN (SELECT sent_at, kind FROM notices WHERE sent_at IS NOT NULL ORDER BY sent_at DESC, id DESC LIMIT 1) l ON TRUE`).
		Scan(&at, &kind, &r.Unsent, &reason)
	r.LastSent, r.LastKind, r.LastReason = at.Time, ops.NoticeKind(kind.String), relay.Reason(reason.String)
	return r, wrap("read how notices fare", err)
}
