package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"

	"relay"
)

// errErasedTwin says that an event which was erased has come again, and was taken for a new one.
var errErasedTwin = errors.New("an erased event has come again")

// anyErased reports whether any event was ever erased: one step in the unique key, which spares the others a look where none was.
const anyErasedSQL = `SELECT EXISTS (SELECT 1 FROM marketing_events WHERE event_id >= 'erased:' AND event_id < 'erased;')`

func anyErased(ctx context.Context, q querier) (bool, error) {
	var some bool
	err := q.QueryRowContext(ctx, anyErasedSQL).Scan(&some)
	return some, err
}

// erasedTwins are the rows that held, until they were erased, events of these keys.
func erasedTwins(ctx context.Context, q querier, keys []eventKey) (map[eventKey]holder, error) {
	some, err := anyErased(ctx, q)
	if err != nil || !some {
		return nil, err
	}
	found := map[eventKey]holder{}
	for chunk := range slices.Chunk(keys, maxRows) {
		args, byHash := make([]any, 0, 2*len(chunk)), make(map[eventKey]eventKey, len(chunk))
		for _, k := range chunk {
			hash := eventKey{relay.Erased(k.id), k.kind}
			byHash[hash] = k
			args = append(args, hash.id, hash.kind)
		}
		rows, err := q.QueryContext(ctx, `SELECT event_id, event_type, id, storefront_id, storefront_code, status
			FROM marketing_events WHERE (event_id, event_type) IN (`+tuples("(?,?)", len(chunk))+")", args...)
		if err != nil {
			return nil, err
		}
		if err := addTwins(rows, byHash, found); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func addTwins(rows *sql.Rows, byHash map[eventKey]eventKey, found map[eventKey]holder) error {
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id, kind string
		var storefront sql.NullInt64
		var code sql.NullString
		h := holder{erased: true}
		if err := rows.Scan(&id, &kind, &h.id, &storefront, &code, &h.status); err != nil {
			return err
		}
		h.storefrontID, h.storefrontCode = storefront.Int64, code.String
		found[byHash[keyOf(id, kind)]] = h
	}
	return rows.Err()
}

func (b *batch) keysOf(indexes []int) []eventKey {
	keys := make([]eventKey, len(indexes))
	for n, i := range indexes {
		keys[n] = b.keys[i]
	}
	return keys
}

// findErased reads the rows that held events of the batch before they were erased.
func (b *batch) findErased(ctx context.Context, tx *sql.Tx, indexes []int) error {
	twins, err := erasedTwins(ctx, tx, b.keysOf(indexes))
	for key, h := range twins {
		if _, held := b.holders[key]; !held {
			b.holders[key] = h
		}
	}
	return err
}

// noneErased makes sure that what was inserted is really new. It looks after the INSERT, which waits for an erasure of the
// same event: before it, the erasure may not be committed.
func (b *batch) noneErased(ctx context.Context, tx *sql.Tx, inserted []int) error {
	twins, err := erasedTwins(ctx, tx, b.keysOf(inserted))
	if err == nil && len(twins) > 0 {
		err = errErasedTwin
	}
	return err
}

// refuseErased ends those direct rows that hold an event which was erased before, and erases them, too. It gives the others.
// direct are the keys of direct rows, by id: of the API's rows, ingestion has seen to it.
func refuseErased(ctx context.Context, tx *sql.Tx, starts []relay.Start, direct map[int64]eventKey) ([]relay.Start, error) {
	if len(direct) == 0 {
		return starts, nil
	}
	twins, err := erasedTwins(ctx, tx, slices.Collect(maps.Values(direct)))
	if err != nil || len(twins) == 0 {
		return starts, err
	}
	var kept []relay.Start
	for _, start := range starts {
		key, isDirect := direct[start.ID]
		if _, erased := twins[key]; !erased || !isDirect {
			kept = append(kept, start)
			continue
		}
		if err := failRows(ctx, tx, []failure{{start.ID, relay.ReasonErased, relay.ReasonErased.Words()}}); err != nil {
			return nil, err
		}
		if err := eraseRow(ctx, tx, start.ID); err != nil {
			return nil, err
		}
	}
	return kept, nil
}

// EraseEvent takes what an ended event, and its attempts, hold of a person; that there was one stays. Of one that has not
// ended it takes nothing.
func (s *Store) EraseEvent(ctx context.Context, id int64) error {
	return fail(fmt.Sprintf("erase event %d", id), s.tx(ctx, func(tx *sql.Tx) error { return eraseRow(ctx, tx, id) }))
}

func eraseRow(ctx context.Context, tx *sql.Tx, id int64) error {
	var event string
	var order sql.NullString
	var erased bool
	err := tx.QueryRowContext(ctx, `SELECT event_id, order_id, erased_at IS NOT NULL FROM marketing_events
		WHERE id = ? AND status NOT IN ('pending', 'processing') FOR UPDATE`, id).Scan(&event, &order, &erased)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	if !erased {
		if order.Valid {
			order.String = relay.Erased(order.String)
		}
		if err := hideEvent(ctx, tx, id, relay.Erased(event), order); err != nil {
			return err
		}
	}
	return eraseAttempts(ctx, tx, []int64{id})
}

// hideEvent puts hashes in the place of an event's ids. The hash of its own is taken where it had come again as a direct row
// and was erased once more: then the row's number makes it one of its own.
func hideEvent(ctx context.Context, tx *sql.Tx, id int64, hash string, order sql.NullString) error {
	for _, event := range []string{hash, fmt.Sprintf("%s:%d", hash, id)} {
		// Without its run, no reset of an old workflow takes it again.
		_, err := tx.ExecContext(ctx, `UPDATE marketing_events SET event_id = ?, order_id = ?, event_payload = '{}', payload_digest = NULL,
			run_id = NULL, erased_at = UTC_TIMESTAMP(6), updated_at = UTC_TIMESTAMP(6) WHERE id = ?`, event, order, id)
		if !isNumber(err, errDuplicate) {
			return err
		}
	}
	return relay.ErrConflict
}

// eraseAttempts takes what attempts hold of what was sent and answered; that they were made, and how they ended, stays.
func eraseAttempts(ctx context.Context, tx *sql.Tx, events []int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE event_attempts SET request_body = NULL, request_sha256 = NULL, trace_id = NULL, response_fields = NULL
		WHERE marketing_event_id IN (`+tuples("?", len(events))+")", numbers(events)...)
	return err
}
