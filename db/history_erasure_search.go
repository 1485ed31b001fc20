package db

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"

	"relay/internal/ops"
	"relay/internal/relay"
)

// erasing is a row of event_erasures.
type erasing struct {
	ops.Erasure
	cursor, last int64
}

// SearchErasure scans the next n events, stores those to erase, and moves the cursor in the same transaction: no event is
// missed, even if the process is killed.
func (s *Store) SearchErasure(ctx context.Context, id int64, n int) (ops.Erasure, error) {
	var e erasing
	err := s.tx(ctx, func(tx *sql.Tx) error {
		var err error
		e.Erasure, err = s.scanErasure(tx.QueryRowContext(ctx, "SELECT "+erasureColumns+", cursor_id, last_id FROM event_erasures WHERE id = ? FOR UPDATE", id),
			&e.cursor, &e.last)
		if err != nil || e.Walked {
			return err
		}
		if !e.Subject.IsSet() {
			return relay.ErrUnreadable
		}
		find := e.byOrder
		if e.Kind == ops.EraseExternalID {
			find = e.byPerson
		}
		found, err := find(ctx, tx, n)
		if err != nil {
			return err
		}
		if len(found) > 0 {
			args := make([]any, 0, 2*len(found))
			for _, event := range found {
				args = append(args, id, event)
			}
			if _, err := tx.ExecContext(ctx, "INSERT INTO event_erasure_items (erasure_id, marketing_event_id) VALUES "+tuples("(?,?)", len(found)), args...); err != nil {
				return err
			}
		}
		e.Matched += int64(len(found))
		_, err = tx.ExecContext(ctx, "UPDATE event_erasures SET walked = ?, cursor_id = ?, total = ?, scanned = ?, matched = ? WHERE id = ?",
			e.Walked, e.cursor, max(e.Total, e.Scanned), e.Scanned, e.Matched, id)
		return err
	})
	return e.Erasure, wrap(fmt.Sprintf("search for erasure %d", id), err)
}

// byOrder finds all events of an order, including erased ones, and removes its id from the filters of replays.
func (e *erasing) byOrder(ctx context.Context, tx *sql.Tx, _ int) ([]int64, error) {
	order := e.Subject.Reveal()
	rows, err := tx.QueryContext(ctx, `SELECT e.id, e.event_id, COALESCE(e.order_id, e.event_id) FROM (SELECT id FROM marketing_events WHERE order_id IN (?, ?)
		UNION SELECT id FROM marketing_events WHERE event_id IN (?, ?)) o JOIN marketing_events e ON e.id = o.id WHERE `+e.ofStorefront()+" ORDER BY e.id",
		order, e.Hash, order, e.Hash)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var found []int64
	for rows.Next() {
		var id int64
		var event, its string
		if err := rows.Scan(&id, &event, &its); err != nil {
			return nil, err
		}
		// An older table may compare without case.
		for _, text := range []string{event, its} {
			if text = strings.TrimRight(text, " "); text == strings.TrimRight(order, " ") || text == e.Hash {
				found = append(found, id)
				break
			}
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	e.Walked, e.Scanned = true, int64(len(found))
	return found, forgetFilters(ctx, tx, order, e.Hash)
}

func forgetFilters(ctx context.Context, tx *sql.Tx, order, hash string) error {
	old, err := json.Marshal(order)
	if err != nil {
		return err
	}
	const name = `"order_id":`
	_, err = tx.ExecContext(ctx, "UPDATE event_replays SET filter = REPLACE(filter, ?, ?) WHERE filter LIKE ?",
		name+string(old), name+`"`+hash+`"`, "%"+escapeLike(name+string(old))+"%")
	return err
}

// ofStorefront is the condition of an erasure for one storefront. A direct row may not have its storefront's id yet.
func (e *erasing) ofStorefront() string {
	if e.StorefrontID == 0 {
		return "1 = 1"
	}
	return fmt.Sprintf("(e.storefront_id = %d OR e.storefront_id IS NULL AND e.storefront_code = (SELECT s.storefront_id FROM storefronts s WHERE s.id = %d))",
		e.StorefrontID, e.StorefrontID)
}

// byPerson scans the payloads of the next n events. The server filters out payloads that cannot contain the id: it is not in
// the text, and the text has no escaped characters.
func (e *erasing) byPerson(ctx context.Context, tx *sql.Tx, n int) ([]int64, error) {
	var until sql.NullInt64
	var seen int64
	err := tx.QueryRowContext(ctx, `SELECT MAX(p.id), COUNT(*) FROM (SELECT id FROM marketing_events WHERE id > ? AND id <= ? ORDER BY id LIMIT ?) p`,
		e.cursor, e.last, n).Scan(&until, &seen)
	if err != nil {
		return nil, err
	}
	after := e.cursor
	e.Scanned += seen
	e.Walked = seen < int64(n)
	if !until.Valid {
		return nil, nil
	}
	e.cursor = until.Int64
	person := e.Subject.Reveal()
	patterns := []any{after, until.Int64, `%\\%`}
	for _, form := range ops.ExternalIDForms(person) {
		patterns = append(patterns, "%"+escapeLike(form)+"%")
	}
	rows, err := tx.QueryContext(ctx, `SELECT e.id, e.event_payload FROM marketing_events e WHERE e.id > ? AND e.id <= ? AND e.erased_at IS NULL
		AND (e.event_payload LIKE ? OR LOWER(e.event_payload) LIKE ? OR LOWER(e.event_payload) LIKE ?) AND `+e.ofStorefront(), patterns...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var found []int64
	for rows.Next() {
		var id int64
		var payload []byte
		if err := rows.Scan(&id, &payload); err != nil {
			return nil, err
		}
		if ops.HasExternalID(payload, person) {
			found = append(found, id)
		}
	}
	return found, rows.Err()
}
