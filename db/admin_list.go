package db

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"relay/internal/ops"
)

// List reads one page, in the order of a field and then of the id, so that the order is the same however often it is asked
// for. A filter or sort field that the list does not have is an error.
func (c *Collection[T]) List(ctx context.Context, q ops.ListQuery) (ops.Listing[ops.Record[T]], error) {
	list, err := c.list(ctx, q)
	return list, fail("list "+string(c.kind.entity), err)
}

func (c *Collection[T]) list(ctx context.Context, q ops.ListQuery) (ops.Listing[ops.Record[T]], error) {
	var list ops.Listing[ops.Record[T]]
	sort, ok := c.kind.sorts[q.Sort]
	if !ok {
		return list, fmt.Errorf("no order by %q", q.Sort)
	}
	where, err := c.where(q)
	if err != nil {
		return list, err
	}
	err = c.store.sql.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+c.kind.from+where.sql(), where.args...).Scan(&list.Total)
	if err != nil {
		return list, err
	}
	direction, beyond := "", ">"
	if q.Desc {
		direction, beyond = " DESC", "<"
	}
	if q.After != nil {
		last := sortValue(sort, q.After.Value)
		where.add("("+sort+" "+beyond+" ? OR "+sort+" = ? AND t.id "+beyond+" ?)", last, last, q.After.ID)
	}
	tail := where.sql() + " ORDER BY " + sort + direction + ", t.id" + direction + " LIMIT ?"
	records, texts, err := c.query(ctx, c.store.sql, tail, append(slices.Clone(where.args), q.Limit+1)...)
	if err != nil {
		return list, err
	}
	list.Items = records[:min(len(records), q.Limit)]
	if len(records) > q.Limit {
		last := texts[q.Limit-1]
		list.Next = &ops.Mark{Value: last.text(columnOf(sort)), ID: last.number("id")}
	}
	return list, c.addFlips(ctx, c.store.sql, list.Items)
}

// columnOf is the column that a sort expression orders by, without its table.
func columnOf(expression string) string {
	_, column, _ := strings.Cut(expression, ".")
	return column
}

// sortValue is the value of a mark as the server compares it: a time is no text.
func sortValue(expression, value string) any {
	if strings.HasSuffix(expression, "_at") {
		at := parseTime(value)
		if year := at.UTC().Year(); year < 1 || year > 9999 { // a made-up mark; the driver refuses such a time
			at = time.Time{}
		}
		return at
	}
	return value
}

func (c *Collection[T]) where(q ops.ListQuery) (conditions, error) {
	var where conditions
	for _, field := range slices.Sorted(maps.Keys(q.Filter)) {
		column, ok := c.kind.filters[field]
		if !ok {
			return where, fmt.Errorf("no filter %q", field)
		}
		where.add(column+" = ?", q.Filter[field])
	}
	if q.Search == "" {
		return where, nil
	}
	var terms []string
	var args []any
	pattern := "%" + escapeLike(q.Search) + "%"
	for _, column := range c.kind.search {
		// Also where the column compares by bytes, as codes do.
		terms, args = append(terms, "LOWER("+column+") LIKE LOWER(?)"), append(args, pattern)
	}
	where.add("("+strings.Join(terms, " OR ")+")", args...)
	return where, nil
}
