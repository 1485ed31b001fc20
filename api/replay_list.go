package api

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"relay/internal/ops"
)

const actionRate ops.Action = "rate"

type listReplaysInput struct {
	State  []ops.ReplayState `query:"state" enum:"running,paused,cancelled,done" maxItems:"4" example:"running" doc:"The states, several with commas between."`
	Limit  int               `query:"limit" minimum:"1" maximum:"200" default:"50" example:"50" doc:"Page size at most."`
	Cursor string            `query:"cursor" maxLength:"300" example:"eyJpIjo1fQ" doc:"next_cursor of the page before."`
}

type replayListOutput struct{ Body ReplayList }

type replayRateInput struct {
	ID   int64 `path:"id" minimum:"1" example:"3" doc:"The replay."`
	Body struct {
		Rate int `json:"rate" minimum:"1" maximum:"1000" example:"50" doc:"Events a second."`
	}
}

type replayEventsInput struct {
	ID     int64  `path:"id" minimum:"1" example:"3" doc:"The replay."`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" example:"50" doc:"Page size at most."`
	Cursor string `query:"cursor" maxLength:"300" example:"eyJpIjo1fQ" doc:"next_cursor of the page before."`
}

// newestFirst is the order of lists by id; cursors of other lists are none of it.
const newestFirst = "-id"

// before reads the cursor of a list that is newest first; 0 is its beginning.
func before(text, order string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	c, err := parseCursor(text, order)
	return c.ID, err
}

// paged removes what was read beyond a page, and returns the cursor of the next one.
func paged[T any](list []T, limit int, order string, id func(T) int64) ([]T, string) {
	if len(list) <= limit {
		return list, ""
	}
	return list[:limit], cursor{Sort: order, ID: id(list[limit-1])}.String()
}

func (h opsHandlers) listReplays(ctx context.Context, in *listReplaysInput) (*replayListOutput, error) {
	q := ops.ReplayQuery{States: once(in.State), Limit: in.Limit + 1}
	var err error
	if q.Before, err = before(in.Cursor, newestFirst); err != nil {
		return nil, err
	}
	list, err := h.Replays.Replays(ctx, q)
	if err != nil {
		return nil, err
	}
	out := &replayListOutput{}
	list, out.Body.NextCursor = paged(list, in.Limit, newestFirst, func(r ops.Replay) int64 { return r.ID })
	out.Body.Items, err = h.replayViews(ctx, list)
	return out, err
}

// replayViews shows replays, with the codes of their storefronts.
func (h opsHandlers) replayViews(ctx context.Context, list []ops.Replay) ([]ReplayView, error) {
	views := []ReplayView{}
	var codes map[int64]string
	var err error
	if slices.ContainsFunc(list, func(r ops.Replay) bool { return r.Filter.StorefrontID != 0 }) {
		codes, err = h.Replays.StorefrontCodes(ctx)
	}
	for _, r := range list {
		v := h.replayView(r)
		v.Filter.Storefront = codes[r.Filter.StorefrontID]
		views = append(views, v)
	}
	return views, err
}

func (h opsHandlers) setReplayRate(ctx context.Context, in *replayRateInput) (*replayOutput, error) {
	line := entry(ctx, actionRate, entityReplay, in.ID, fmt.Sprintf("replay %d", in.ID), ops.Change{Field: "rate", To: strconv.AppendInt(nil, int64(in.Body.Rate), 10)})
	r, err := h.Replays.SetReplayRate(ctx, in.ID, in.Body.Rate, line)
	if err != nil {
		return nil, gone(err, "replay")
	}
	return h.steered(ctx, r, r.Rate == in.Body.Rate && !r.State.Final())
}

// replayOrder is that of the events of a replay.
const replayOrder = "-event"

func (h opsHandlers) replayEvents(ctx context.Context, in *replayEventsInput) (*eventListOutput, error) {
	if _, err := h.Replays.Replay(ctx, in.ID); err != nil {
		return nil, gone(err, "replay")
	}
	below, err := before(in.Cursor, replayOrder)
	if err != nil {
		return nil, err
	}
	list, err := h.Replays.ReplayItems(ctx, in.ID, below, in.Limit+1)
	if err != nil {
		return nil, err
	}
	out := &eventListOutput{EventList{Items: []EventView{}}}
	list, out.Body.NextCursor = paged(list, in.Limit, replayOrder, func(e ops.EventSummary) int64 { return e.ID })
	for _, e := range list {
		out.Body.Items = append(out.Body.Items, h.view(e))
	}
	return out, nil
}
