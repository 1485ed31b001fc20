package api

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"

	"relay/internal/ops"
)

// List is one page of a list.
type List[V any] struct {
	Items      []V    `json:"items" doc:"The page."`
	Total      int    `json:"total" example:"2" doc:"How many there are on all pages."`
	NextCursor string `json:"next_cursor,omitempty" example:"eyJpIjo1fQ" doc:"For the next page; missing on the last one."`
}

type listOutput[V any] struct{ Body List[V] }

// pageParams are the parameters of every list.
type pageParams struct {
	limit  int
	cursor string
	sort   string
}

// cursor is the key at which a page ended. Clients send it back unread.
type cursor struct {
	Sort  string `json:"s,omitempty"`
	Value string `json:"v,omitempty"`
	ID    int64  `json:"i"`
}

func (c cursor) String() string {
	b, _ := json.Marshal(c) // texts and a number always marshal
	return base64.RawURLEncoding.EncodeToString(b)
}

func parseCursor(s, sort string) (cursor, error) {
	var c cursor
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err == nil {
		err = json.Unmarshal(b, &c)
	}
	if err != nil || c.ID < 1 || c.Sort != sort {
		return c, refuseField(codeInvalidParameter, "cursor", "the cursor is not one of this list in this order")
	}
	return c, nil
}

// query asks for the page that the parameters name. filters are by field; an empty one matches everything.
func (p pageParams) query(filters map[string]string, search string) (ops.ListQuery, error) {
	q := ops.ListQuery{Filter: map[string]any{}, Search: search, Limit: p.limit}
	q.Sort, q.Desc = strings.CutPrefix(p.sort, "-")
	if !q.Desc {
		q.Sort = p.sort
	}
	for field, value := range filters {
		switch value {
		case "":
		case "true", "false":
			q.Filter[field] = value == "true"
		default:
			q.Filter[field] = value
		}
	}
	if p.cursor != "" {
		c, err := parseCursor(p.cursor, p.sort)
		if err != nil {
			return q, err
		}
		q.After = &ops.PageKey{Value: c.Value, ID: c.ID}
	}
	return q, nil
}

// lister is the parameters of a resource's list.
type lister interface {
	listQuery() (ops.ListQuery, error)
}

// listRoute is the row for the list of a resource; L is its parameters.
func listRoute[L any, T, View, Input, Patch any](r resource[T, View, Input, Patch], plural string) route {
	list := func(ctx context.Context, in *L) (*listOutput[View], error) {
		q, err := any(in).(lister).listQuery()
		if err != nil {
			return nil, err
		}
		found, err := r.items.List(ctx, q)
		if err != nil {
			return nil, err
		}
		out := &listOutput[View]{List[View]{Items: []View{}, Total: found.Total}}
		for _, rec := range found.Items {
			out.Body.Items = append(out.Body.Items, r.view(rec))
		}
		if found.Next != nil {
			sort := q.Sort
			if q.Desc {
				sort = "-" + sort
			}
			out.Body.NextCursor = cursor{sort, found.Next.Value, found.Next.ID}.String()
		}
		return out, nil
	}
	return route{reader, http.MethodGet, r.path(""), typed(list), doc{id: "list-" + string(r.entity), tag: r.tag, summary: "List " + plural,
		errors: badInput, text: "Pages are addressed by cursor, so that additions in the meantime neither repeat nor hide an entry."}}
}
