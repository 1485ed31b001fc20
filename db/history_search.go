package db

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"relay/internal/ops"
)

// One search looks at so many rows at most, in chunks: a page that is not full by then says where to go on.
const (
	searchChunk  = 5_000
	searchChunks = 5
)

// found is one row that a walk came by.
type found struct {
	ops.Position
	match bool
}

// walk is one way through the events that a filter may match, in the order of an index.
type walk struct {
	arms     []arm // one, or one for each status
	rest     condition
	backward bool
	bounded  bool // the arms may pass rows that do not match
}

// arm is one range of an index.
type arm struct {
	from  string // table and index
	where condition
}

const (
	eventsBy   = "marketing_events e FORCE INDEX (ix_marketing_events_"
	byOrder    = "(SELECT id FROM marketing_events WHERE order_id IN (?, ?) UNION SELECT id FROM marketing_events WHERE event_id IN (?, ?)) o JOIN marketing_events e ON e.id = o.id"
	probeLimit = 2_000
)

// plan chooses the index for a filter. What the index does not answer is looked at row by row.
func (s *Store) plan(ctx context.Context, f ops.Filter, backward bool) (walk, error) {
	w := walk{rest: rest(f), backward: backward}
	if f.OrderID != "" {
		first := arm{from: byOrder}
		erased := ops.Erased(f.OrderID)
		first.where.args = []any{f.OrderID, erased, f.OrderID, erased}
		between(&w.rest, f)
		if f.StorefrontID != 0 {
			w.rest.and("e.storefront_id = ?", f.StorefrontID)
		}
		statuses(&w.rest, f)
		w.arms, w.bounded = []arm{first}, len(w.rest.terms) > 0
		return w, nil
	}
	var times condition
	between(&times, f)
	byStorefront := condition{[]string{"e.storefront_id = ?"}, []any{f.StorefrontID}}
	storefront := f.StorefrontID != 0
	if storefront && len(f.Statuses) > 0 {
		// Either index would do; the one with the shorter range is better. Neither is long where one of them is short.
		few, err := s.few(ctx, f)
		if err != nil {
			return w, err
		}
		storefront = !few
		if few {
			w.rest = byStorefront.plus(w.rest)
		}
	}
	switch {
	case storefront:
		statuses(&w.rest, f)
		w.arms = []arm{{eventsBy + "storefront)", byStorefront.plus(times)}}
	case len(f.Statuses) > 0:
		for _, status := range f.Statuses {
			w.arms = append(w.arms, arm{eventsBy + "status)", condition{[]string{"e.status = ?"}, []any{string(status)}}.plus(times)})
		}
	default:
		w.arms = []arm{{eventsBy + "created)", times}}
	}
	w.bounded = len(w.rest.terms) > 0
	return w, nil
}

// few says whether the statuses of a filter have few rows.
func (s *Store) few(ctx context.Context, f ops.Filter) (bool, error) {
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

// rest is what no index answers.
func rest(f ops.Filter) condition {
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

// statement reads the next n rows after a position. Each arm stops after n of its own, so that nothing is sorted but what
// the arms give.
func (w walk) statement(after ops.Position, n int) (string, []any) {
	order, less := " ORDER BY e.created_at, e.id LIMIT ?", ">"
	if w.backward {
		order, less = " ORDER BY e.created_at DESC, e.id DESC LIMIT ?", "<"
	}
	var selects []string
	var args []any
	for _, a := range w.arms {
		where := a.where
		if !after.IsZero() {
			at := after.At.UTC()
			where = where.plus(condition{[]string{"e.created_at " + less + "= ? AND (e.created_at " + less + " ? OR e.id " + less + " ?)"}, []any{at, at, after.ID}})
		}
		selects = append(selects, "SELECT e.id, e.created_at, ("+w.rest.String()+") AS hit FROM "+a.from+" WHERE "+where.String()+order)
		args = append(append(append(args, w.rest.args...), where.args...), n)
	}
	if len(selects) == 1 {
		return selects[0], args
	}
	sorted := strings.ReplaceAll(order, "e.", "u.")
	return "SELECT u.id, u.created_at, u.hit FROM ((" + strings.Join(selects, ") UNION ALL (") + ")) u" + sorted, append(args, n)
}

// next walks on from a position by at most n rows.
func (w walk) next(ctx context.Context, q querier, after ops.Position, n int) ([]found, error) {
	query, args := w.statement(after, n)
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var list []found
	for rows.Next() {
		var f found
		var at time.Time
		var match sql.NullBool // NULL where a column is
		if err := rows.Scan(&f.ID, &at, &match); err != nil {
			return nil, err
		}
		f.At, f.match = at, match.Bool
		list = append(list, f)
	}
	return list, rows.Err()
}

// page walks on until it has found n matches, has reached the end, or has looked at so many rows. The position is where to
// go on, zero at the end.
func (w walk) page(ctx context.Context, q querier, after ops.Position, n int) ([]ops.Position, ops.Position, error) {
	var hits []ops.Position
	for round := range searchChunks {
		chunk := n + 1
		if w.bounded && round > 0 { // the first chunk hopes that matches are many
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

// SearchEvents lists events, newest first, from a position on: at most n, and fewer where they are far between.
func (s *Store) SearchEvents(ctx context.Context, f ops.Filter, after ops.Position, n int) (ops.EventPage, error) {
	var p ops.EventPage
	w, err := s.plan(ctx, f, true)
	if err != nil {
		return p, fail("search events", err)
	}
	hits, next, err := w.page(ctx, s.sql, after, n)
	if err != nil {
		return p, fail("search events", err)
	}
	ids := make([]int64, len(hits))
	for i, h := range hits {
		ids[i] = h.ID
	}
	if p.Items, err = s.Summaries(ctx, ids); err != nil {
		return p, err
	}
	p.Next = next
	return p, fail("read the warnings of events", s.addWarnings(ctx, p.Items))
}
