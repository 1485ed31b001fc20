package db

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"relay/internal/ops"
)

// A search scans a bounded number of rows, in chunks: a page may be short although more events match.
const (
	searchChunk  = 5_000
	searchChunks = 5
)

// hit is a scanned row and whether it matched.
type hit struct {
	ops.Position
	match bool
}

// scan reads the events that a filter may match, in the order of an index.
type scan struct {
	ranges   []indexRange // one, or one per status
	residual condition
	backward bool
	bounded  bool // the ranges may hold rows that do not match
}

// indexRange is one range of an index.
type indexRange struct {
	from  string // table and index
	where condition
}

const (
	eventsBy   = "marketing_events e FORCE INDEX (ix_marketing_events_"
	byOrder    = "(SELECT id FROM marketing_events WHERE order_id IN (?, ?) UNION SELECT id FROM marketing_events WHERE event_id IN (?, ?)) o JOIN marketing_events e ON e.id = o.id"
	probeLimit = 2_000
)

// plan chooses the index for a filter. The other conditions are checked row by row.
func (s *Store) plan(ctx context.Context, f ops.Filter, backward bool) (scan, error) {
	w := scan{residual: residual(f), backward: backward}
	if f.OrderID != "" {
		first := indexRange{from: byOrder}
		erased := ops.Erased(f.OrderID)
		first.where.args = []any{f.OrderID, erased, f.OrderID, erased}
		between(&w.residual, f)
		if f.StorefrontID != 0 {
			w.residual.and("e.storefront_id = ?", f.StorefrontID)
		}
		statuses(&w.residual, f)
		w.ranges, w.bounded = []indexRange{first}, len(w.residual.terms) > 0
		return w, nil
	}
	var times condition
	between(&times, f)
	byStorefront := condition{[]string{"e.storefront_id = ?"}, []any{f.StorefrontID}}
	storefront := f.StorefrontID != 0
	if storefront && len(f.Statuses) > 0 {
		// Both indexes work; the one with the shorter range is better.
		selective, err := s.isSelective(ctx, f)
		if err != nil {
			return w, err
		}
		storefront = !selective
		if selective {
			w.residual = byStorefront.plus(w.residual)
		}
	}
	switch {
	case storefront:
		statuses(&w.residual, f)
		w.ranges = []indexRange{{eventsBy + "storefront)", byStorefront.plus(times)}}
	case len(f.Statuses) > 0:
		for _, status := range f.Statuses {
			w.ranges = append(w.ranges, indexRange{eventsBy + "status)", condition{[]string{"e.status = ?"}, []any{string(status)}}.plus(times)})
		}
	default:
		w.ranges = []indexRange{{eventsBy + "created)", times}}
	}
	w.bounded = len(w.residual.terms) > 0
	return w, nil
}

// isSelective reports whether the statuses of a filter have few rows.
func (s *Store) isSelective(ctx context.Context, f ops.Filter) (bool, error) {
	var c condition
	statuses(&c, f)
	between(&c, f)
	var n int
	err := s.sql.QueryRowContext(ctx, "SELECT COUNT(*) FROM (SELECT 1 FROM "+eventsBy+"status) WHERE "+c.String()+" LIMIT ?) p",
		append(c.args, probeLimit)...).Scan(&n)
	return n < probeLimit, err
}

func statuses(c *condition, f ops.Filter) {
	if len(f.Statuses) == 0 {
		return
	}
	var args []any
	for _, s := range f.Statuses {
		args = append(args, string(s))
	}
	c.and("e.status IN ("+tuples("?", len(args))+")", args...)
}

func between(c *condition, f ops.Filter) {
	if !f.From.IsZero() {
		c.and("e.created_at >= ?", f.From.UTC())
	}
	if !f.To.IsZero() {
		c.and("e.created_at < ?", f.To.UTC())
	}
}

// residual returns the conditions that no index covers.
func residual(f ops.Filter) condition {
	var c condition
	if len(f.Reasons) > 0 {
		var args []any
		for _, r := range f.Reasons {
			args = append(args, string(r))
		}
		c.and("e.reason IN ("+tuples("?", len(args))+")", args...)
	}
	if f.Kept {
		c.and("e.erased_at IS NULL")
	}
	if f.Type != "" {
		c.and("LOWER(e.event_type) = ?", strings.ToLower(f.Type))
	}
	if f.Source != "" {
		c.and("e.source_system = ?", f.Source)
	}
	if f.Destination != "" {
		c.and("e.ends LIKE ?", `%"destination":"`+escapeLike(f.Destination)+`"%`)
	}
	if f.FailedAt != "" {
		end := `%"destination":"` + escapeLike(f.FailedAt) + `"`
		c.and("e.ends LIKE ? AND e.ends NOT LIKE ?", end+"%", end+`,"outcome":"accepted"%`)
	}
	if f.WaitingAt != "" {
		waitingAt(&c, f.WaitingAt)
	}
	if len(f.AcceptedBy) > 0 {
		var any []string
		for _, d := range f.AcceptedBy {
			any = append(any, "e.ends LIKE ?")
			c.args = append(c.args, `%"destination":"`+escapeLike(d)+`","outcome":"accepted"%`)
		}
		c.terms = append(c.terms, "("+strings.Join(any, " OR ")+")")
	}
	return c
}

// statement selects the next n rows after a position. Each range is limited to n rows, so that little is sorted.
func (w scan) statement(after ops.Position, n int) (string, []any) {
	order, less := " ORDER BY e.created_at, e.id LIMIT ?", ">"
	if w.backward {
		order, less = " ORDER BY e.created_at DESC, e.id DESC LIMIT ?", "<"
	}
	var selects []string
	var args []any
	for _, a := range w.ranges {
		where := a.where
		if !after.IsZero() {
			at := after.At.UTC()
			where = where.plus(condition{[]string{"e.created_at " + less + "= ? AND (e.created_at " + less + " ? OR e.id " + less + " ?)"}, []any{at, at, after.ID}})
		}
		selects = append(selects, "SELECT e.id, e.created_at, ("+w.residual.String()+") AS hit FROM "+a.from+" WHERE "+where.String()+order)
		args = append(append(append(args, w.residual.args...), where.args...), n)
	}
	if len(selects) == 1 {
		return selects[0], args
	}
	sorted := strings.ReplaceAll(order, "e.", "u.")
	return "SELECT u.id, u.created_at, u.hit FROM ((" + strings.Join(selects, ") UNION ALL (") + ")) u" + sorted, append(args, n)
}

// next reads at most the next n rows after a position.
func (w scan) next(ctx context.Context, q querier, after ops.Position, n int) ([]hit, error) {
	query, args := w.statement(after, n)
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var list []hit
	for rows.Next() {
		var f hit
		var at time.Time
		var match sql.NullBool // NULL if a column is NULL
		if err := rows.Scan(&f.ID, &at, &match); err != nil {
			return nil, err
		}
		f.At, f.match = at, match.Bool
		list = append(list, f)
	}
	return list, rows.Err()
}

// page scans until it has n matches, reaches the end, or has scanned the maximum number of rows. The position is the cursor,
// zero at the end.
func (w scan) page(ctx context.Context, q querier, after ops.Position, n int) ([]ops.Position, ops.Position, error) {
	var hits []ops.Position
	for round := range searchChunks {
		chunk := n + 1
		if w.bounded && round > 0 { // the first chunk assumes that most rows match
			chunk = max(chunk, searchChunk)
		} else if w.bounded {
			chunk *= 4
		}
		rows, err := w.next(ctx, q, after, chunk)
		if err != nil {
			return nil, ops.Position{}, err
		}
		for i, row := range rows {
			after = row.Position
			if row.match {
				hits = append(hits, row.Position)
			}
			if len(hits) == n && (i < len(rows)-1 || len(rows) == chunk) {
				return hits, after, nil
			}
		}
		if len(rows) < chunk {
			return hits, ops.Position{}, nil
		}
	}
	return hits, after, nil
}

// SearchEvents lists events, newest first, after a position: at most n, and fewer if matches are rare.
func (s *Store) SearchEvents(ctx context.Context, f ops.Filter, after ops.Position, n int) (ops.EventPage, error) {
	var p ops.EventPage
	w, err := s.plan(ctx, f, true)
	if err != nil {
		return p, wrap("search events", err)
	}
	hits, next, err := w.page(ctx, s.sql, after, n)
	if err != nil {
		return p, wrap("search events", err)
	}
	ids := make([]int64, len(hits))
	for i, h := range hits {
		ids[i] = h.ID
	}
	if p.Items, err = s.Summaries(ctx, ids); err != nil {
		return p, err
	}
	p.Next = next
	return p, wrap("read the warnings of events", s.addWarnings(ctx, p.Items))
}
