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

// twinSQL reads the rows that may hold the same events. Go folds the case of types: collations fold differently. A row that
// was inserted after the statement began is free from a moment later than the statement's time; that is no lease.
const twinSQL = `SELECT id, event_id, event_type, status, COALESCE(reason, ''), claimed_until > UTC_TIMESTAMP(6) + INTERVAL 1 SECOND
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
	switch {
	case t.id == row.id || t.key != row.key || t.reason == relay.ReasonDuplicate:
		return false
	case t.status == relay.StatusProcessing || t.status == relay.StatusDelivered || t.status == relay.StatusPending && t.leased:
		return true
	case !t.odd || !row.odd:
		return !t.odd
	}
	return t.status == relay.StatusPending && t.id < row.id
}

// twins are what a page's rows have among all rows that hold the same events.
type twins struct {
	preceding map[int64]int64 // by a row's id, the row that is delivered in its place
	named     map[int64]bool  // rows whose normalised name belongs to a row that has failed
}

// findTwins looks for twins of the direct rows that are about to start. Rows that have just failed precede no other.
func (c *claim) findTwins(ctx context.Context, tx *sql.Tx, starts []relay.PendingDelivery, bad []failure) (twins, error) {
	about := make(map[int64]bool, len(starts))
	for _, s := range starts {
		about[s.ID] = true
	}
	rows := slices.DeleteFunc(slices.Clone(c.direct), func(r directRow) bool { return !about[r.id] })
	failed := make(map[int64]bool, len(bad))
	for _, f := range bad {
		failed[f.id] = true
	}
	found := twins{map[int64]int64{}, map[int64]bool{}}
	for chunk := range slices.Chunk(rows, maxRows/2) {
		if err := found.read(ctx, tx, chunk, failed); err != nil {
			return twins{}, err
		}
	}
	return found, nil
}

func (found twins) read(ctx context.Context, tx *sql.Tx, direct []directRow, failed map[int64]bool) error {
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
			found.add(t, r, failed[t.id])
		}
	}
	return rows.Err()
}

func (found twins) add(t twin, r directRow, failed bool) {
	switch {
	case t.id == r.id:
	case failed || !t.precedes(r):
		found.named[r.id] = found.named[r.id] || !t.odd
	case found.preceding[r.id] == 0 || t.id < found.preceding[r.id]:
		found.preceding[r.id] = t.id
	}
}

// isTwin reports that a rename met a row of that name which another writer has just committed: the next attempt sees it.
func isTwin(err error) bool { return isNumber(err, errDuplicate) }

// rename stores the normalised event_id and event_type, so that all readers and the API's duplicate check see the same name.
// A row in named keeps its own: the unique key permits the normalised name once.
func (c *claim) rename(ctx context.Context, tx *sql.Tx, starts []relay.PendingDelivery, named map[int64]bool) error {
	odd := make(map[int64]bool)
	for _, r := range c.direct {
		odd[r.id] = r.odd && !named[r.id]
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
