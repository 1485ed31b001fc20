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

// errErasedTwin reports that an erased event has come again and was inserted as a new one.
var errErasedTwin = errors.New("an erased event has come again")

// anyErasedSQL reports whether any event was ever erased, in one step of the unique key. If none was, further lookups are
// skipped.
const anyErasedSQL = `SELECT EXISTS (SELECT 1 FROM marketing_events WHERE event_id >= 'erased:' AND event_id < 'erased;')`

func anyErased(ctx context.Context, q querier) (bool, error) {
	var some bool
	err := q.QueryRowContext(ctx, anyErasedSQL).Scan(&some)
	return some, err
}

// erasedTwins returns the rows that held events of these keys until they were erased.
func erasedTwins(ctx context.Context, q querier, keys []eventKey) (map[eventKey]holder, error) {
	some, err := anyErased(ctx, q)
	if err != nil || !some {
		return nil, err
	}
	return hashedTwins(ctx, q, keys)
}

// hashedTwins looks up rows by the hashes of their ids. Types are compared without case, as deliveries compare them.
func hashedTwins(ctx context.Context, q querier, keys []eventKey) (map[eventKey]holder, error) {
	found := map[eventKey]holder{}
	for chunk := range slices.Chunk(keys, maxRows) {
		args, byHash := make([]any, 0, len(chunk)), make(map[eventKey][]eventKey, len(chunk))
		for _, k := range chunk {
			hash := ops.Erased(k.id)
			folded := eventKey{hash, relay.FoldType(k.kind)}
			byHash[folded] = append(byHash[folded], k)
			args = append(args, hash)
		}
		rows, err := q.QueryContext(ctx, `SELECT event_id, event_type, id, storefront_id, storefront_code, status
			FROM marketing_events WHERE event_id IN (`+tuples("?", len(chunk))+")", args...)
		if err != nil {
			return nil, err
		}
		if err := addTwins(rows, byHash, found); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func addTwins(rows *sql.Rows, byHash map[eventKey][]eventKey, found map[eventKey]holder) error {
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
		for _, key := range byHash[keyOf(id, relay.FoldType(kind))] {
			found[key] = h
		}
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

// noneErased checks that the inserted events are new. It looks after the INSERT, which waits for an erasure of the same
// event: before the INSERT, the erasure may not be committed yet.
func (b *batch) noneErased(ctx context.Context, tx *sql.Tx, inserted []int) error {
	twins, err := hashedTwins(ctx, tx, b.keysOf(inserted))
	if err == nil && len(twins) > 0 {
		err = errErasedTwin
	}
	return err
}

// directRow is a row that OMS inserted itself. Ingestion has already checked the API's rows.
type directRow struct {
	id     int64
	key    eventKey // normalised, as the relay stores it
	stored eventKey // as OMS wrote it
	odd    bool     // the two differ
	erased bool     // its status was reset by hand
}

func newDirectRow(id int64, eventID, kind string, erased bool) directRow {
	key := eventKey{strings.TrimSpace(eventID), relay.FoldType(kind)}
	return directRow{id, key, keyOf(eventID, kind), key != eventKey{eventID, kind}, erased}
}

// refuseErased fails those direct rows that hold an event which was erased before, whatever else is wrong with them, and
// erases them too. It returns which.
func refuseErased(ctx context.Context, tx *sql.Tx, direct []directRow) (map[int64]bool, error) {
	refused := map[int64]bool{}
	if len(direct) == 0 {
		return refused, nil
	}
	keys := make([]eventKey, 0, len(direct))
	for _, row := range direct {
		keys = append(keys, row.key)
		if row.stored.id != row.key.id { // an earlier version hashed the id as OMS wrote it
			keys = append(keys, row.stored)
		}
	}
	twins, err := erasedTwins(ctx, tx, keys)
	if err != nil {
		return nil, err
	}
	var failures []failure
	for _, row := range direct {
		_, twin := twins[row.key]
		_, old := twins[row.stored]
		if twin || old || row.erased {
			refused[row.id] = true
			failures = append(failures, failure{row.id, relay.ReasonErased, relay.ReasonErased.Text()})
		}
	}
	if err := failRows(ctx, tx, failures); err != nil {
		return nil, err
	}
	for _, f := range failures {
		if err := eraseRow(ctx, tx, f.id); err != nil {
			return nil, err
		}
	}
	return refused, nil
}

// EraseEvent removes personal data from an ended event and its attempts; the rest of the row stays. An event that has not
// ended is not changed.
func (s *Store) EraseEvent(ctx context.Context, id int64) error {
	return wrap(fmt.Sprintf("erase event %d", id), s.tx(ctx, func(tx *sql.Tx) error { return eraseRow(ctx, tx, id) }))
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
		if order.String == "" { // a direct row names its order by event_id
			order.String = event
		}
		if err := hideEvent(ctx, tx, id, ops.Erased(event), ops.Erased(order.String)); err != nil {
			return err
		}
		for _, known := range []string{event, order.String} {
			if err := forgetFilters(ctx, tx, known, ops.Erased(known)); err != nil {
				return err
			}
		}
	}
	return eraseAttempts(ctx, tx, []int64{id})
}

// hideEvent replaces an event's ids by hashes. If an erased row already has that hash, because the event came again as a
// direct row and was erased once more, the row's number is added to the hash.
func hideEvent(ctx context.Context, tx *sql.Tx, id int64, hash, order string) error {
	for _, event := range []string{hash, fmt.Sprintf("%s:%d", hash, id)} {
		// Without its run, a reset of an old workflow cannot take the row again.
		_, err := tx.ExecContext(ctx, `UPDATE marketing_events SET event_id = ?, order_id = ?, event_payload = '{}', payload_digest = NULL,
			run_id = NULL, erased_at = UTC_TIMESTAMP(6), updated_at = UTC_TIMESTAMP(6) WHERE id = ?`, event, order, id)
		if !isNumber(err, errDuplicate) {
			return err
		}
	}
	return relay.ErrConflict
}

// eraseAttempts removes the request and response data of attempts; the destination, the times and the outcome stay. A URL
// may have an id in its path, and the names of headers and of dropped fields come from the payload.
func eraseAttempts(ctx context.Context, tx *sql.Tx, events []int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE event_attempts SET url = NULL, header_names = NULL, request_body = NULL, request_sha256 = NULL,
		dropped_fields = NULL, warnings = NULL, trace_id = NULL, response_fields = NULL
		WHERE marketing_event_id IN (`+tuples("?", len(events))+")", numbers(events)...)
	return err
}
