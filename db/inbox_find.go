package db

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"relay/internal/relay"
)

// find reads the rows that hold events of the batch. A row without a digest was inserted by OMS itself; its digest is
// computed from its payload.
func (b *batch) find(ctx context.Context, tx *sql.Tx, indexes []int) error {
	return b.findInto(ctx, tx, indexes, b.holders)
}

func (b *batch) findInto(ctx context.Context, tx *sql.Tx, indexes []int, holders map[eventKey]holder) error {
	for chunk := range slices.Chunk(indexes, maxRows) {
		args := make([]any, 0, 2*len(chunk))
		for _, i := range chunk {
			args = append(args, b.keys[i].id, b.keys[i].kind)
		}
		rows, err := tx.QueryContext(ctx, `SELECT event_id, event_type, id, storefront_id, storefront_code, status, payload_digest,
			CASE WHEN payload_digest IS NULL THEN event_payload END
			FROM marketing_events WHERE (event_id, event_type) IN (`+tuples("(?,?)", len(chunk))+")", args...)
		if err != nil {
			return err
		}
		if err := readHolders(rows, holders); err != nil {
			return err
		}
	}
	return nil
}

func readHolders(rows *sql.Rows, holders map[eventKey]holder) error {
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id, kind string
		var storefrontID sql.NullInt64
		var code sql.NullString
		var digest, payload sql.RawBytes
		var h holder
		if err := rows.Scan(&id, &kind, &h.id, &storefrontID, &code, &h.status, &digest, &payload); err != nil {
			return err
		}
		h.storefrontID, h.storefrontCode = storefrontID.Int64, code.String
		if len(digest) == len(h.digest) {
			copy(h.digest[:], digest)
		} else {
			h.digest = sha256.Sum256(payload)
		}
		holders[keyOf(id, kind)] = h
	}
	return rows.Err()
}

// newRow is the first part of an inserted row, up to the digest. source_system and status are the same for all. The digest
// is a hexadecimal literal, so that the statement is text wherever the server displays it (process list, slow log).
const newRow = "(?,?,?,?,?,'" + relay.SourceAPI + "','pending',?,X'"

// insert inserts the rows of one statement.
func (b *batch) insert(ctx context.Context, tx *sql.Tx, indexes []int) error {
	var query strings.Builder
	query.WriteString(`INSERT INTO marketing_events (event_id, storefront_id, storefront_code, event_type, event_payload,
		source_system, status, order_id, payload_digest, claimed_until) VALUES `)
	args := make([]any, 0, 6*len(indexes))
	leased := fmt.Sprintf("UTC_TIMESTAMP(6) + INTERVAL %d MICROSECOND)", b.lease.Microseconds())
	for n, i := range indexes {
		if n > 0 {
			query.WriteByte(',')
		}
		e := &b.events[i]
		query.WriteString(newRow)
		query.WriteString(hex.EncodeToString(e.Digest[:]))
		query.WriteString("',")
		if e.Leased {
			query.WriteString(leased)
		} else {
			query.WriteString("DEFAULT)")
		}
		args = append(args, b.keys[i].id, e.StorefrontID, e.StorefrontCode, b.keys[i].kind, e.Payload, nullText(e.OrderID))
	}
	res, err := tx.ExecContext(ctx, query.String(), args...)
	if err != nil {
		return err
	}
	first, err := res.LastInsertId()
	if err != nil {
		return err
	}
	return b.number(ctx, tx, indexes, first)
}

// number reads the ids of the rows just inserted. An INSERT with a known number of rows receives consecutive ids in the
// order of its rows, on both engines and in every auto-increment mode; the first is LastInsertId. This is verified: the ids
// of one statement only grow, so if the last row has the expected id, all have. Otherwise the ids are read back, which costs
// a third of the insert. The same statement reports whether any event was ever erased; only then is a lookup of erased rows
// needed.
func (b *batch) number(ctx context.Context, tx *sql.Tx, indexes []int, first int64) error {
	last := b.keys[indexes[len(indexes)-1]]
	var id, kind string
	var step int64
	erased := true // unless a lookup finds otherwise
	err := tx.QueryRowContext(ctx, `SELECT event_id, event_type, @@auto_increment_increment, (`+anyErasedSQL+`) FROM marketing_events
		WHERE id = ? + ? * @@auto_increment_increment`, first, len(indexes)-1).Scan(&id, &kind, &step, &erased)
	if err != nil || keyOf(id, kind) != last {
		if err = b.find(ctx, tx, indexes); err != nil {
			return err
		}
	}
	if erased {
		if err := b.noneErased(ctx, tx, indexes); err != nil {
			return err
		}
	}
	for n, i := range indexes {
		b.inserted[i] = true
		if _, found := b.holders[b.keys[i]]; found {
			continue
		}
		e := b.events[i]
		b.holders[b.keys[i]] = holder{id: first + int64(n)*step, storefrontID: e.StorefrontID, storefrontCode: e.StorefrontCode,
			status: relay.StatusPending, digest: e.Digest}
	}
	return nil
}

// tuples returns n copies of one, separated by commas.
func tuples(one string, n int) string {
	return strings.TrimSuffix(strings.Repeat(one+",", n), ",")
}
