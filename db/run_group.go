package db

import (
	"context"
	"database/sql"

	"relay"
)

// takeSQL gives a pending row to a run, and gives a run that was reset its own row back, whatever became of it: then a new
// generation begins, with all its tries. The old status is read before it is set: MySQL assigns from left to right, the
// standard all at once, and this order means the same to both.
const (
	takeSet = `generation = generation + (CASE WHEN status IN ('delivered', 'failed', 'skipped') THEN 1 ELSE 0 END),
		reason = NULL, detail = NULL, ends = NULL, finished_at = NULL,
		claimed_until = UTC_TIMESTAMP(6) + INTERVAL ` + startLease + ` MICROSECOND, updated_at = UTC_TIMESTAMP(6),
		status = 'processing'`
	takeSQL = "UPDATE marketing_events SET run_id = ?, " + takeSet + " WHERE id = ? AND (status = 'pending' OR run_id = ?)"
)

// finishSQL ends an event that is the run's own and not finished already.
const finishSQL = `UPDATE marketing_events SET status = ?, reason = ?, detail = ?, ends = ?,
	finished_at = UTC_TIMESTAMP(6), updated_at = UTC_TIMESTAMP(6)
	WHERE id = ? AND run_id = ? AND status = 'processing'`

// taking is a run that wants a row.
type taking struct {
	id    int64
	run   string
	taken bool
}

func (s *Store) takeOne(ctx context.Context, t *taking) error {
	found, err := s.execLane(ctx, takeSQL, t.run, t.id, t.run)
	t.taken = found == 1
	return err
}

// takeMany gives several rows to their runs in one transaction.
func (s *Store) takeMany(ctx context.Context, all []*taking) (alone []*taking, err error) {
	id := func(t *taking) int64 { return t.id }
	return withFree(ctx, s, all, id, func(tx *sql.Tx, free []*taking, owners []owner) error {
		p := newPicks("id", len(free))
		for i, t := range free {
			if t.taken = owners[i].status == relay.StatusPending || owners[i].run == t.run; t.taken {
				p.add(t.id, t.run)
			}
		}
		if len(p.key) == 0 {
			return nil
		}
		_, err := tx.ExecContext(ctx, "UPDATE marketing_events FORCE INDEX (PRIMARY) SET "+p.set("run_id")+", "+takeSet+
			" WHERE id IN ("+p.keys()+")", p.args()...)
		return err
	})
}

// endLeaseSQL leaves a lease that is over as it is.
const endLeaseSQL = `UPDATE marketing_events FORCE INDEX (PRIMARY) SET claimed_until = UTC_TIMESTAMP(6)
	WHERE status = 'processing' AND claimed_until > UTC_TIMESTAMP(6) AND id IN `

func (s *Store) endLeaseOne(ctx context.Context, id *int64) error {
	_, err := s.execLane(ctx, endLeaseSQL+"(?)", *id)
	return err
}

// endLeaseMany ends several leases in one transaction.
func (s *Store) endLeaseMany(ctx context.Context, all []*int64) (alone []*int64, err error) {
	id := func(id *int64) int64 { return *id }
	return withFree(ctx, s, all, id, func(tx *sql.Tx, free []*int64, _ []owner) error {
		_, err := tx.ExecContext(ctx, endLeaseSQL+"("+tuples("?", len(free))+")", idsOf(free, id)...)
		return err
	})
}

// finishing is a run that ends.
type finishing struct {
	id         int64
	run        string
	conclusion relay.Conclusion
	ends       []byte
}

func (f *finishing) args() []any { return append(f.values(), f.id, f.run) }

func (f *finishing) values() []any {
	c := f.conclusion
	return []any{string(c.Status), nullText(string(c.Reason)), nullText(cut(c.Detail, maxText)), string(f.ends)}
}

func (s *Store) finishOne(ctx context.Context, f *finishing) error {
	_, err := s.execLane(ctx, finishSQL, f.args()...)
	return err
}

// finishMany ends several events in one transaction.
func (s *Store) finishMany(ctx context.Context, all []*finishing) (alone []*finishing, err error) {
	id := func(f *finishing) int64 { return f.id }
	return withFree(ctx, s, all, id, func(tx *sql.Tx, free []*finishing, owners []owner) error {
		p := newPicks("id", len(free))
		for i, f := range free {
			if owners[i].status == relay.StatusProcessing && owners[i].run == f.run {
				p.add(f.id, f.values()...)
			}
		}
		if len(p.key) == 0 {
			return nil
		}
		_, err := tx.ExecContext(ctx, "UPDATE marketing_events FORCE INDEX (PRIMARY) SET "+p.set("status", "reason", "detail", "ends")+
			", finished_at = UTC_TIMESTAMP(6), updated_at = UTC_TIMESTAMP(6) WHERE id IN ("+p.keys()+")", p.args()...)
		return err
	})
}

// withFree does something, in one transaction, for those whose rows nobody else has locked. The others go alone, as does a
// second one that wants the same row.
func withFree[T any](ctx context.Context, s *Store, all []T, id func(T) int64, do func(tx *sql.Tx, free []T, owners []owner) error) (alone []T, err error) {
	err = s.tx(ctx, func(tx *sql.Tx) error {
		locked, err := lockFree(ctx, tx, idsOf(all, id))
		if err != nil {
			return err
		}
		alone = nil
		var free []T
		var owners []owner
		for _, one := range all {
			row, ok := locked[id(one)]
			if !ok {
				alone = append(alone, one)
				continue
			}
			delete(locked, id(one))
			free, owners = append(free, one), append(owners, row)
		}
		if len(free) == 0 {
			return nil
		}
		return do(tx, free, owners)
	})
	return alone, err
}

func idsOf[T any](all []T, id func(T) int64) []any {
	ids := make([]any, len(all))
	for i, one := range all {
		ids[i] = id(one)
	}
	return ids
}

// owner is what decides whose a row is.
type owner struct {
	status relay.Status
	run    string
}

// lockFree locks rows, as far as nobody else has, until the transaction ends.
func lockFree(ctx context.Context, tx *sql.Tx, ids []any) (map[int64]owner, error) {
	rows, err := tx.QueryContext(ctx, "SELECT id, status, run_id FROM marketing_events FORCE INDEX (PRIMARY) WHERE id IN ("+
		tuples("?", len(ids))+") ORDER BY id FOR UPDATE SKIP LOCKED", ids...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	owners := map[int64]owner{}
	for rows.Next() {
		var id int64
		var o owner
		var run sql.NullString
		if err := rows.Scan(&id, &o.status, &run); err != nil {
			return nil, err
		}
		o.run = run.String
		owners[id] = o
	}
	return owners, rows.Err()
}
