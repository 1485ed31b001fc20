package api

import (
	"context"
	"strconv"

	"relay/internal/ops"
	"relay/internal/relay"
)

// EventsQuery picks the events of a list and of a count.
type EventsQuery struct {
	EventFilter
	WaitingAt string `query:"waiting_at" pattern:"^[A-Za-z0-9_-]{1,50}$" example:"sgtm" doc:"A destination at which the delivery of the event has not ended: it is on the wire, or waits for its first or next attempt. Only processing events do."`
}

// listFilter reads the filter of a list or a count.
func (h opsHandlers) listFilter(ctx context.Context, in EventsQuery) (ops.Filter, error) {
	f, err := h.filter(ctx, in.EventFilter, "")
	f.WaitingAt = in.WaitingAt
	if in.WaitingAt != "" && len(f.Statuses) == 0 {
		f.Statuses = []relay.Status{relay.StatusProcessing}
	}
	return f, err
}

type countEventsInput struct{ EventsQuery }

// EventCountView is the number of events that match.
type EventCountView struct {
	Count int64  `json:"count" example:"47" doc:"How many match; 10000 at most."`
	More  bool   `json:"more" example:"false" doc:"Whether there are more, or may be: counting stops at 10000, and among the newest 25000 events that an index finds."`
	Text  string `json:"text" example:"47" doc:"The same as text: 47, or 10,000+."`
}

type countEventsOutput struct{ Body EventCountView }

func (h opsHandlers) count(ctx context.Context, in *countEventsInput) (*countEventsOutput, error) {
	f, err := h.listFilter(ctx, in.EventsQuery)
	if err != nil {
		return nil, err
	}
	n, err := h.Events.CountUpTo(ctx, f)
	v := EventCountView{Count: n.N, More: n.More, Text: grouped(n.N)}
	if n.More {
		v.Text += "+"
	}
	return &countEventsOutput{v}, err
}

// grouped writes a number with a comma between thousands.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
