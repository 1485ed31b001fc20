package db

import (
	"context"
	"database/sql"
	"slices"

	"relay/internal/relay"
)

// OMS's own rows come with their event_id and event_type as they were written. Two rows that differ in outer white space or
// in the case of the type alone are one event, though the unique key, which compares bytes, lets both in. One of them is
// delivered, under the name that the API would have stored.

// twinSQL reads the rows that may hold the same events. Types are folded here, not there: collations fold otherwise.
const twinSQL = `SELECT id, event_id, event_type, status, COALESCE(reason, ''), claimed_until > UTC_TIMESTAMP(6)
	FROM marketing_events WHERE event_id IN (`

// twin is another row with the event of a direct row.
type twin struct {
	directRow
	status relay.Status
	reason relay.Reason
	leased bool
}

// precedes reports whether t, not row, is the one to be delivered: it was or is being delivered, it bears the plain name
// already, or it came first. Two claimers that look at the two rows at once decide alike, in whichever order.
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

// twins finds, for those direct rows that are about to start, the row that is delivered in their place. What just failed is
// no such row.
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

// isTwin says that a row was to be renamed and that another writer just committed one with that name: the next look sees it.
func isTwin(err error) bool { return isNumber(err, errDuplicate) }

// rename stores event_id and event_type as the relay knows them, so that all who read the row, and the API's duplicates, meet
// one name.
func (c *claim) rename(ctx context.Context, tx *sql.Tx, starts []relay.PendingDelivery) error {
	odd := make(map[int64]bool)
	for _, r := range c.direct {
		odd[r.id] = r.odd
	}
	starts = slices.DeleteFunc(slices.Clone(starts), func(s relay.PendingDelivery) bool { return !odd[s.ID] })
	for chunk := range slices.Chunk(starts, maxRows) {
		p := newPicks("id", len(chunk))
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
