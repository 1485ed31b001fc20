package db

import (
	"context"
	"database/sql"
	"slices"

	"relay/internal/relay"
)

// Direct rows have event_id and event_type as OMS wrote them. Two rows that differ only in outer white space or in the case
// of the type are one event, although the unique key, which compares bytes, permits both. One of them is delivered, under
// the name that the API would have stored.

// twinSQL reads the rows that may hold the same events. Go folds the case of types: collations fold differently.
const twinSQL = `SELECT id, event_id, event_type, status, COALESCE(reason, ''), claimed_until > UTC_TIMESTAMP(6)
	FROM marketing_events WHERE event_id IN (`

// twin is another row that holds the event of a direct row.
type twin struct {
	directRow
	status relay.Status
	reason relay.Reason
	leased bool
}

// precedes reports whether t is delivered rather than row: it has been or is being delivered, it already has the normalised
// name, or it came first. Two claimers that see the two rows at the same time decide alike, in either order.
func (t twin) precedes(row directRow) bool {
	plain := func(r directRow) bool { return r.key == r.stored }
	switch {
	case t.id == row.id || t.key != row.key || t.reason == relay.ReasonDuplicate:
		return false
	case t.status == relay.StatusProcessing || t.status == relay.StatusDelivered || t.status == relay.StatusPending && t.leased:
		return true
	case plain(t.directRow) || plain(row):
		return plain(t.directRow)
	}
	return t.status == relay.StatusPending && t.id < row.id
}

// twins finds, for direct rows that are about to start, the row that is delivered in their place. Rows that have just failed
// are no twins.
func (c *claim) twins(ctx context.Context, tx *sql.Tx, starts []relay.PendingDelivery, bad []failure) (map[int64]int64, error) {
	about := make(map[int64]bool, len(starts))
	for _, s := range starts {
		about[s.ID] = true
	}
	rows := slices.DeleteFunc(slices.Clone(c.direct), func(r directRow) bool { return !about[r.id] })
	failed := make(map[int64]bool, len(bad))
	for _, f := range bad {
		failed[f.id] = true
	}
	found := map[int64]int64{}
	for chunk := range slices.Chunk(rows, maxRows/2) {
		if err := addPreceding(ctx, tx, chunk, failed, found); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func addPreceding(ctx context.Context, tx *sql.Tx, direct []directRow, failed map[int64]bool, found map[int64]int64) error {
	byKey := make(map[eventKey][]directRow, len(direct))
	var args []any
	for _, r := range direct {
		byKey[r.key] = append(byKey[r.key], r)
		args = append(args, r.key.id)
		if r.stored.id != r.key.id {
			args = append(args, r.stored.id)
		}
	}
	rows, err := tx.QueryContext(ctx, twinSQL+tuples("?", len(args))+")", args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var t twin
		var id int64
		var event, kind string
		if err := rows.Scan(&id, &event, &kind, &t.status, &t.reason, &t.leased); err != nil {
			return err
		}
		t.directRow = newDirectRow(id, event, kind, false)
		for _, r := range byKey[t.key] {
			if first, ok := found[r.id]; !failed[t.id] && t.precedes(r) && (!ok || t.id < first) {
				found[r.id] = t.id
			}
		}
	}
	return rows.Err()
}

// isTwin reports that a rename met a row of that name which another writer has just committed: the next attempt sees it.
func isTwin(err error) bool { return isNumber(err, errDuplicate) }

// rename stores the normalised event_id and event_type, so that all readers and the API's duplicate check see the same name.
func (c *claim) rename(ctx context.Context, tx *sql.Tx, starts []relay.PendingDelivery) error {
	odd := make(map[int64]bool)
	for _, r := range c.direct {
		odd[r.id] = r.odd
	}
	starts = slices.DeleteFunc(slices.Clone(starts), func(s relay.PendingDelivery) bool { return !odd[s.ID] })
	for chunk := range slices.Chunk(starts, maxRows) {
		p := newCaseUpdate("id", len(chunk))
		for _, s := range chunk {
			p.add(s.ID, s.EventID, s.Type)
		}
		_, err := tx.ExecContext(ctx, "UPDATE marketing_events SET "+p.set("event_id", "event_type")+" WHERE id IN ("+p.keys()+")", p.args()...)
		if err != nil {
			return err
		}
	}
	return nil
}
