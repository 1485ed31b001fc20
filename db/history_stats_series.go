package db

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"relay/internal/ops"
	"relay/internal/relay"
)

// statsTable returns event_stats with the index that fits: for one storefront's rows, or all rows of some hours.
func statsTable(storefront int64) string {
	if storefront != 0 {
		return "event_stats FORCE INDEX (ix_event_stats_storefront)"
	}
	return "event_stats FORCE INDEX (PRIMARY)"
}

// Series reads counts over time: one statement, or two by storefront.
func (s *Store) Series(ctx context.Context, q ops.SeriesQuery) (ops.SeriesReport, error) {
	const op = "read the stats over time"
	r := ops.SeriesReport{Times: q.Times()}
	lines, err := s.seriesLines(ctx, q, r.Times, &r.AsOf)
	if err == nil && q.By == ops.ByStorefront {
		lines, err = s.nameStorefronts(ctx, lines)
	}
	if err != nil {
		return r, wrap(op, err)
	}
	for _, line := range lines {
		r.Lines = append(r.Lines, *line)
	}
	slices.SortFunc(r.Lines, func(a, b ops.Series) int { return cmp.Or(cmp.Compare(b.Total, a.Total), cmp.Compare(a.Key, b.Key)) })
	r.Omitted = max(0, len(r.Lines)-ops.MaxSeries)
	r.Lines = r.Lines[:len(r.Lines)-r.Omitted]
	return r, nil
}

// countedAt returns when the newest hour was counted; zero before the first.
func (s *Store) countedAt(ctx context.Context) (time.Time, error) {
	var at sql.NullTime
	err := s.sql.QueryRowContext(ctx, fmt.Sprintf(countedSQL, "counted_at")).Scan(&at)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return at.Time, err
}

// seriesSQL returns the statement of a query, whose last row, without a key, has when the newest hour was counted.
func seriesSQL(q ops.SeriesQuery) (string, []any) {
	interval := "hour"
	if q.Step == ops.StepDay {
		interval = "CAST(DATE(hour) AS DATETIME)"
	}
	key := map[ops.Dimension]string{ops.ByOutcome: "outcome", ops.ByReason: "reason", ops.ByDestination: "destination", ops.ByStorefront: "storefront_id"}[q.By]
	c := condition{[]string{"hour >= ? AND hour < ?"}, []any{q.From, q.To}}
	c.equal("storefront_id", q.StorefrontID)
	if q.Destination != "" || q.By != ops.ByDestination {
		c.and("destination = ?", q.Destination)
	} else {
		c.and("destination <> ''")
	}
	if outcomes := seriesOutcomes(q); len(outcomes) > 0 {
		var args []any
		for _, o := range outcomes {
			args = append(args, o)
		}
		c.and("outcome IN ("+tuples("?", len(args))+")", args...)
	}
	return "SELECT " + interval + ", " + key + ", SUM(n) FROM " + statsTable(q.StorefrontID) + " WHERE " + c.String() + " GROUP BY 1, 2 UNION ALL " +
		fmt.Sprintf(countedSQL, "counted_at, NULL, NULL"), c.args
}

// seriesOutcomes returns the outcomes that a query counts. An event is counted as received, and once more by its outcome, so
// only lines by outcome may hold both.
func seriesOutcomes(q ops.SeriesQuery) []string {
	switch {
	case len(q.Outcomes) > 0:
		return q.Outcomes
	case q.By == ops.ByReason:
		return []string{string(relay.StatusFailed), string(relay.StatusSkipped)}
	case q.By == ops.ByStorefront && q.Destination == "":
		return []string{ops.StatReceived}
	}
	return nil
}

func (s *Store) seriesLines(ctx context.Context, q ops.SeriesQuery, times []time.Time, asOf *time.Time) (map[string]*ops.Series, error) {
	query, args := seriesSQL(q)
	rows, err := s.sql.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	lines := map[string]*ops.Series{}
	for rows.Next() {
		var at time.Time
		var named sql.NullString
		var n sql.NullInt64
		if err := rows.Scan(&at, &named, &n); err != nil {
			return nil, err
		}
		key := named.String
		if !named.Valid {
			*asOf = at
			continue
		}
		if lines[key] == nil {
			lines[key] = &ops.Series{Key: key, Values: make([]int64, len(times))}
		}
		lines[key].Values[int(at.Sub(q.From)/q.Step.Length())] += n.Int64
		lines[key].Total += n.Int64
	}
	return lines, rows.Err()
}

// nameStorefronts replaces ids by codes. Ids without a code are counted together.
func (s *Store) nameStorefronts(ctx context.Context, lines map[string]*ops.Series) (map[string]*ops.Series, error) {
	codes, err := s.storefrontCodes(ctx)
	named := map[string]*ops.Series{}
	for key, line := range lines {
		id, _ := strconv.ParseInt(key, 10, 64) // the database's own number
		line.Key = codes[id]
		if named[line.Key] == nil {
			named[line.Key] = line
			continue
		}
		sum := named[line.Key]
		sum.Total += line.Total
		for i, n := range line.Values {
			sum.Values[i] += n
		}
	}
	return named, err
}

// storefrontCodes returns the codes of all storefronts by id.
func (s *Store) storefrontCodes(ctx context.Context) (map[int64]string, error) {
	rows, err := s.sql.QueryContext(ctx, "SELECT id, storefront_id FROM storefronts")
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	codes := map[int64]string{}
	for rows.Next() {
		var id int64
		var code string
		if err := rows.Scan(&id, &code); err != nil {
			return nil, err
		}
		codes[id] = code
	}
	return codes, rows.Err()
}
