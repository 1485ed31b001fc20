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

// List reads one page, in the order of a field and then of the id, so that the order is stable. An unknown filter or sort
// field is an error.
func (c *Collection[T, R, P]) List(ctx context.Context, q ops.ListQuery) (ops.Page[ops.Record[T]], error) {
	list, err := c.list(ctx, q)
	return list, wrap("list "+string(c.table.entity), err)
}

func (c *Collection[T, R, P]) list(ctx context.Context, q ops.ListQuery) (ops.Page[ops.Record[T]], error) {
	var list ops.Page[ops.Record[T]]
	sort, ok := c.table.sorts[q.Sort]
	if !ok {
		return list, fmt.Errorf("unknown sort field %q", q.Sort)
	}
	where, err := c.where(q)
	if err != nil {
		return list, err
	}
	total, err := c.join(c.store.bun.NewSelect().Model((*R)(nil))).Where(where.String(), where.args...).Count(ctx)
	if err != nil {
		return list, err
	}
	list.Total = int(total)
	direction, beyond := "", ">"
	if q.Desc {
		direction, beyond = " DESC", "<"
	}
	if q.After != nil {
		last := sortValue(sort, q.After.Value)
		where.and("("+sort+" "+beyond+" ? OR "+sort+" = ? AND t.id "+beyond+" ?)", last, last, q.After.ID)
	}
	var rows []R
	err = c.query(c.store.sql, &rows).Where(where.String(), where.args...).OrderExpr(sort + direction + ", t.id" + direction).
		Limit(int64(q.Limit) + 1).Scan(ctx)
	if err != nil {
		return list, err
	}
	if len(rows) > q.Limit {
		rows = rows[:q.Limit]
		list.Next = c.pageKey(&rows[q.Limit-1], sort)
	}
	list.Items, err = c.records(ctx, c.store.sql, rows)
	return list, err
}

// pageKey returns the keyset position of a page's last row: the value of the sort field, and the id.
func (c *Collection[T, R, P]) pageKey(row P, sort string) *ops.PageKey {
	_, column, _ := strings.Cut(sort, ".")
	return &ops.PageKey{Value: fieldText(c.schema().FieldMap[column], row), ID: row.common().ID}
}

// sortValue returns the value of a page key as the server compares it: a time is not a text.
func sortValue(column, value string) any {
	if !strings.HasSuffix(column, "_at") {
		return value
	}
	at, _ := time.Parse(time.RFC3339Nano, value)
	if year := at.UTC().Year(); year < 1 || year > 9999 { // a forged page key; the server has no such time
		return time.Time{}
	}
	return at
}

func (c *Collection[T, R, P]) where(q ops.ListQuery) (condition, error) {
	var where condition
	for _, field := range slices.Sorted(maps.Keys(q.Filter)) {
		column, ok := c.table.filters[field]
		if !ok {
			return where, fmt.Errorf("unknown filter %q", field)
		}
		where.and(column+" = ?", q.Filter[field])
	}
	where.contains(q.Search, c.table.search...)
	return where, nil
}
