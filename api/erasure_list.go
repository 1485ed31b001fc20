package api

import (
	"context"

	"relay/internal/ops"
)

type listErasuresInput struct {
	State  ops.ErasureState `query:"state" enum:"running,done" example:"running" doc:"The state."`
	Limit  int              `query:"limit" minimum:"1" maximum:"200" default:"50" example:"50" doc:"Page size at most."`
	Cursor string           `query:"cursor" maxLength:"300" example:"eyJpIjo1fQ" doc:"next_cursor of the page before."`
}

// ErasureList is one page of erasures.
type ErasureList struct {
	Items      []ErasureView `json:"items" nullable:"false" doc:"The page, newest first."`
	NextCursor string        `json:"next_cursor,omitempty" example:"eyJpIjo1fQ" doc:"For the next page; missing on the last one."`
}

type erasureListOutput struct{ Body ErasureList }

func (h opsHandlers) listErasures(ctx context.Context, in *listErasuresInput) (*erasureListOutput, error) {
	q := ops.ErasureQuery{State: in.State, Limit: in.Limit + 1}
	var err error
	if q.Before, err = before(in.Cursor, newestFirst); err != nil {
		return nil, err
	}
	list, err := h.Erasures.Erasures(ctx, q)
	if err != nil {
		return nil, err
	}
	out := &erasureListOutput{ErasureList{Items: []ErasureView{}}}
	list, out.Body.NextCursor = paged(list, in.Limit, newestFirst, func(e ops.Erasure) int64 { return e.ID })
	for _, e := range list {
		out.Body.Items = append(out.Body.Items, h.erasureView(e))
	}
	return out, nil
}
