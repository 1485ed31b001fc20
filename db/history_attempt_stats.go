package db

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"time"

	"relay/internal/ops"
	"relay/internal/relay"
)

// minutesOf is a step as the table has it.
func minutesOf(step ops.Step) int { return int(step.Length().Minutes()) }

// AddAttempts adds counts of attempts, by minute, hour and day. Those of a storefront that does not exist are dropped.
func (s *Store) AddAttempts(ctx context.Context, counts map[ops.AttemptKey]int64) error {
	const act = "add counts of attempts"
	var codes []string
	for key := range counts {
		if !slices.Contains(codes, key.Storefront) {
			codes = append(codes, key.Storefront)
		}
	}
	ids, err := s.StorefrontIDs(ctx, codes)
	if err != nil {
		return wrap(act, err)
	}
	rows := attemptRows(counts, ids)
	for chunk := range slices.Chunk(rows, maxRows) {
		var args []any
		for _, r := range chunk {
			args = append(args, r.minutes, r.at, r.storefront, cut(r.Destination, 50), string(r.Outcome), r.Status, r.Range, r.n)
		}
		_, err := s.exec(ctx, "INSERT INTO attempt_stats (minutes, at, storefront_id, destination, outcome, status, le_ms, n) VALUES "+
			tuples("(?,?,?,?,?,?,?,?)", len(chunk))+" ON DUPLICATE KEY UPDATE n = n + VALUES(n)", args...)
		if err != nil {
			return wrap(act, err)
		}
	}
	return nil
}

type attemptRow struct {
	ops.AttemptKey
	minutes    int
	at         time.Time
	storefront int64
	n          int64
}

// attemptRows are the rows of counts, in the order of the key, so that several workers do not wait for one another in a circle.
func attemptRows(counts map[ops.AttemptKey]int64, ids map[string]int64) []attemptRow {
	sums := map[attemptRow]int64{}
	for key, n := range counts {
		id, known := ids[key.Storefront]
		if !known {
			continue
		}
		at := key.Minute
		key.Minute = time.Time{}
		for _, step := range ops.AttemptSteps() {
			sums[attemptRow{AttemptKey: key, minutes: minutesOf(step), at: step.Begin(at), storefront: id}] += n
		}
	}
	var rows []attemptRow
	for row, n := range sums {
		row.n = n
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b attemptRow) int {
		return cmp.Or(cmp.Compare(a.minutes, b.minutes), a.at.Compare(b.at), cmp.Compare(a.storefront, b.storefront), cmp.Compare(a.Destination, b.Destination),
			cmp.Compare(a.Outcome, b.Outcome), cmp.Compare(a.Status, b.Status), cmp.Compare(a.Range, b.Range))
	})
	return rows
}

func attemptStatsSQL(q ops.AttemptsQuery) (string, []any) {
	index := "PRIMARY"
	if q.StorefrontID != 0 {
		index = "ix_attempt_stats_storefront"
	}
	c := condition{[]string{"minutes = ? AND at >= ? AND at < ?"}, []any{minutesOf(q.Step), q.From, q.To}}
	c.equal("storefront_id", q.StorefrontID)
	c.equal("destination", q.Destination)
	return "SELECT s.storefront_id, a.destination, a.outcome, a.status, a.le_ms, a.n FROM (SELECT storefront_id, destination, outcome, status, le_ms, SUM(n) AS n" +
		" FROM attempt_stats FORCE INDEX (" + index + ") WHERE " + c.String() + " GROUP BY 1, 2, 3, 4, 5) a LEFT JOIN storefronts s ON s.id = a.storefront_id", c.args
}

// AttemptStats reads counts of attempts by storefront and destination, those with the most failures first, and the sum of all. Those of storefronts that are gone are in the sum alone.
func (s *Store) AttemptStats(ctx context.Context, q ops.AttemptsQuery) (ops.AttemptStats, []ops.AttemptStats, error) {
	const act = "read counts of attempts"
	total := ops.NewAttemptStats("", "")
	query, args := attemptStatsSQL(q)
	rows, err := s.sql.QueryContext(ctx, query, args...)
	if err != nil {
		return total, nil, wrap(act, err)
	}
	defer func() { _ = rows.Close() }()
	found := map[[2]string]*ops.AttemptStats{}
	for rows.Next() {
		var code sql.NullString
		var destination string
		var outcome relay.Outcome
		var status, le int
		var n int64
		if err := rows.Scan(&code, &destination, &outcome, &status, &le, &n); err != nil {
			return total, nil, wrap(act, err)
		}
		total.Add(outcome, status, le, n)
		if !code.Valid {
			continue
		}
		place := [2]string{code.String, destination}
		if found[place] == nil {
			stats := ops.NewAttemptStats(code.String, destination)
			found[place] = &stats
		}
		found[place].Add(outcome, status, le, n)
	}
	var list []ops.AttemptStats
	for _, stats := range found {
		list = append(list, *stats)
	}
	slices.SortFunc(list, func(a, b ops.AttemptStats) int {
		return cmp.Or(cmp.Compare(b.Failed(), a.Failed()), cmp.Compare(b.N, a.N), cmp.Compare(a.Storefront, b.Storefront), cmp.Compare(a.Destination, b.Destination))
	})
	return total, list, wrap(act, rows.Err())
}

// PurgeAttemptStats deletes n of the counts of attempts that are older than they are kept: counts by minute after a day, when those
// by hour and by day remain.
func (s *Store) PurgeAttemptStats(ctx context.Context, n int) (int64, error) {
	if err := s.purgeServiceCounts(ctx, n); err != nil {
		return 0, err
	}
	var gone int64
	for _, step := range ops.AttemptSteps() {
		var rows int64
		err := s.tx(ctx, func(tx *sql.Tx) (err error) { // READ COMMITTED: it locks the rows that it deletes, and no gap
			query, args := purgeCountsSQL(step, int64(n)-gone)
			rows, err = deleted(tx.ExecContext(ctx, query, args...))
			return err
		})
		if err != nil {
			return gone, wrap("purge counts of attempts", err)
		}
		if gone += rows; gone == int64(n) {
			break
		}
	}
	return gone, nil
}

func purgeCountsSQL(step ops.Step, n int64) (string, []any) {
	before := time.Now().UTC().Add(-ops.KeepAttempts(step) - step.Length())
	return "DELETE FROM attempt_stats WHERE minutes = ? AND at < ? ORDER BY minutes, at LIMIT ?", []any{minutesOf(step), before, n}
}
