package db

import (
	"context"
	"database/sql"

	"relay/internal/relay"
)

// takeSQL makes a run the owner of a pending row. A run that was reset takes its own row back, whatever its status: that
// begins a new generation, with all its attempts. MySQL assigns from left to right, standard SQL all at once; the old status
// is read before it is set, so that both mean the same.
const (
	takeSet = `generation = generation + (CASE WHEN status IN ('delivered', 'failed', 'skipped') THEN 1 ELSE 0 END),
		reason = NULL, detail = NULL, ends = NULL, finished_at = NULL,
		waiting_for = IF(status = 'processing', waiting_for, NULL), next_attempt_at = IF(status = 'processing', next_attempt_at, NULL),
		claimed_until = UTC_TIMESTAMP(6) + INTERVAL ` + startLease + ` MICROSECOND, updated_at = UTC_TIMESTAMP(6),
		status = 'processing'`
	takeSQL = "UPDATE marketing_events SET run_id = ?, " + takeSet + " WHERE id = ? AND (status = 'pending' OR run_id = ?)"
	// takeOpenSQL leaves a row that the run has finished as it is.
	takeOpenSQL = takeSQL + " AND status IN ('pending', 'processing')"
)

// finishSQL ends an event that the run owns and that has not ended.
const finishSQL = `UPDATE marketing_events SET status = ?, reason = ?, detail = ?, ends = ?,
	finished_at = UTC_TIMESTAMP(6), updated_at = UTC_TIMESTAMP(6)
	WHERE id = ? AND run_id = ? AND status = 'processing'`

// taking is a run that takes a row.
type taking struct {
	id    int64
	run   string
	open  bool // not a row that the run has finished
	taken bool
}

// takes reports whether a row is to be taken.
func (t *taking) takes(row owner) bool {
	return row.status == relay.StatusPending || row.run == t.run && (!t.open || row.status == relay.StatusProcessing)
}

func (s *Store) takeOne(ctx context.Context, t *taking) error {
	query := takeSQL
	if t.open {
		query = takeOpenSQL
	}
	found, err := s.execPrepared(ctx, query, t.run, t.id, t.run)
	t.taken = found == 1
	return err
}

// takeMany takes several rows in one transaction.
func (s *Store) takeMany(ctx context.Context, all []*taking) (alone []*taking, err error) {
	id := func(t *taking) int64 { return t.id }
	return withLocked(ctx, s, all, id, func(tx *sql.Tx, free []*taking, owners []owner) error {
		p := newCaseUpdate("id", len(free))
		for i, t := range free {
			if t.taken = t.takes(owners[i]); t.taken {
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

// waiting is an event that waits.
type waiting struct {
	id int64
	relay.Waiting
}

// values returns the arguments of waitSQL's placeholders.
func (w *waiting) values() []any {
	after := sql.NullInt64{Int64: w.After.Microseconds(), Valid: w.For != ""}
	return []any{w.InFlight, after, nullText(string(w.For)), after, after}
}

// waitSQL relies on MySQL's assignment from left to right: a column that is compared is assigned last. A lease that has
// expired does not change.
func waitSQL(value func() string) string {
	keep := func() string {
		return "next_attempt_at > UTC_TIMESTAMP(6) AND next_attempt_at < COALESCE(UTC_TIMESTAMP(6) + INTERVAL " + value() + " MICROSECOND, '9999-12-31')"
	}
	return "UPDATE marketing_events FORCE INDEX (PRIMARY) SET claimed_until = IF(" + value() +
		", claimed_until, LEAST(claimed_until, UTC_TIMESTAMP(6))), waiting_for = IF(" + keep() + ", waiting_for, " + value() +
		"), next_attempt_at = IF(" + keep() + ", next_attempt_at, UTC_TIMESTAMP(6) + INTERVAL " + value() + " MICROSECOND)" +
		" WHERE status = 'processing' AND id IN "
}

var waitOneSQL = waitSQL(func() string { return "?" }) + "(?)"

func (s *Store) waitOne(ctx context.Context, w *waiting) error {
	_, err := s.execPrepared(ctx, waitOneSQL, append(w.values(), w.id)...)
	return err
}

// waitMany records several waits in one transaction.
func (s *Store) waitMany(ctx context.Context, all []*waiting) (alone []*waiting, err error) {
	id := func(w *waiting) int64 { return w.id }
	return withLocked(ctx, s, all, id, func(tx *sql.Tx, free []*waiting, _ []owner) error {
		p := newCaseUpdate("id", len(free))
		for _, w := range free {
			p.add(w.id, w.values()...)
		}
		_, err := tx.ExecContext(ctx, waitSQL(p.value)+"("+p.keys()+")", p.args()...)
		return err
	})
}

// finishing is a run that ends.
type finishing struct {
	id         int64
	run        string
	conclusion relay.EventOutcome
	ends       []byte
}

func (f *finishing) args() []any { return append(f.values(), f.id, f.run) }

func (f *finishing) values() []any {
	c := f.conclusion
	return []any{string(c.Status), nullText(string(c.Reason)), nullText(cut(c.Detail, maxText)), string(f.ends)}
}

func (s *Store) finishOne(ctx context.Context, f *finishing) error {
	_, err := s.execPrepared(ctx, finishSQL, f.args()...)
	return err
}

// finishMany ends several events in one transaction.
func (s *Store) finishMany(ctx context.Context, all []*finishing) (alone []*finishing, err error) {
	id := func(f *finishing) int64 { return f.id }
	return withLocked(ctx, s, all, id, func(tx *sql.Tx, free []*finishing, owners []owner) error {
		return finishLocked(ctx, tx, free, owners)
	})
}

// finishLocked ends the events that their runs own and that have not ended.
func finishLocked(ctx context.Context, tx *sql.Tx, free []*finishing, owners []owner) error {
	p := newCaseUpdate("id", len(free))
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
}

// withLocked calls a function, in one transaction, with the items whose rows it could lock. It returns the others, and a
// second item of the same row, to be written alone.
func withLocked[T any](ctx context.Context, s *Store, all []T, id func(T) int64, do func(tx *sql.Tx, free []T, owners []owner) error) (alone []T, err error) {
	err = s.tx(ctx, func(tx *sql.Tx) error {
		locked, err := lockFreeRows(ctx, tx, idsOf(all, id))
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

// owner is the status and the run of a row, which decide who may write it.
type owner struct {
	status relay.Status
	run    string
}

// lockFreeRows locks rows until the transaction ends, and skips rows that are locked by others.
func lockFreeRows(ctx context.Context, tx *sql.Tx, ids []any) (map[int64]owner, error) {
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
