package api

import (
	"context"
	"time"

	"relay/internal/ops"
)

// BacklogView is what has not ended.
type BacklogView struct {
	At          time.Time          `json:"at" example:"2026-01-15T10:25:01Z" doc:"When it was counted."`
	Pending     int64              `json:"pending" example:"120" doc:"Events whose delivery has not started."`
	Processing  int64              `json:"processing" example:"15" doc:"Events that are being delivered, or wait for a retry."`
	Oldest      *float64           `json:"oldest_pending_seconds,omitempty" example:"3.2" doc:"Age of the oldest pending event; missing without any."`
	More        bool               `json:"more" example:"false" doc:"Whether counting stopped: at a million events, or, of retries, at 10000 processing ones."`
	Storefronts []OpenView         `json:"storefronts" nullable:"false" doc:"The same by storefront: those that have any, by their codes."`
	Unknown     *OpenView          `json:"unknown_storefront,omitempty" doc:"The same of events without a known storefront; missing without any."`
	Retries     []RetryBacklogView `json:"retries" nullable:"false" doc:"Events that wait for a retry, by destination, the most first."`
}

// OpenView is what has not ended of a storefront.
type OpenView struct {
	StorefrontID int64    `json:"storefront_id,omitempty" example:"5" doc:"The storefront's id."`
	Storefront   string   `json:"storefront" example:"bosley" doc:"The storefront's code; empty for unknown_storefront."`
	Pending      int64    `json:"pending" example:"120" doc:"Events whose delivery has not started."`
	Processing   int64    `json:"processing" example:"15" doc:"Events that are being delivered, or wait for a retry."`
	Oldest       *float64 `json:"oldest_pending_seconds,omitempty" example:"3.2" doc:"Age of the oldest pending event; missing without any."`
}

// RetryBacklogView is what waits for a retry at a destination.
type RetryBacklogView struct {
	StorefrontID  int64      `json:"storefront_id,omitempty" example:"5" doc:"The storefront's id."`
	Storefront    string     `json:"storefront" example:"bosley" doc:"The storefront's code."`
	Destination   string     `json:"destination" example:"tiktok" doc:"sgtm, or a platform's code."`
	Events        int64      `json:"events" example:"5" doc:"Events that wait there."`
	NextAttemptAt *time.Time `json:"next_attempt_at,omitempty" example:"2026-01-15T10:26:01Z" doc:"When the first of them is due."`
}

type backlogOutput struct{ Body BacklogView }

func (h opsHandlers) backlog(ctx context.Context, _ *struct{}) (*backlogOutput, error) {
	r, err := h.Events.Backlog(ctx)
	if err != nil {
		return nil, err
	}
	v := BacklogView{At: r.At, More: r.More, Storefronts: []OpenView{}, Retries: []RetryBacklogView{}}
	add := func(o ops.OpenEvents) OpenView {
		view := OpenView{StorefrontID: o.StorefrontID, Storefront: o.StorefrontCode, Pending: o.Pending, Processing: o.Processing}
		if !o.Oldest.IsZero() {
			age := max(0, r.At.Sub(o.Oldest).Seconds())
			view.Oldest = &age
			if v.Oldest == nil || age > *v.Oldest {
				v.Oldest = &age
			}
		}
		v.Pending, v.Processing = v.Pending+o.Pending, v.Processing+o.Processing
		return view
	}
	for _, o := range r.Storefronts {
		v.Storefronts = append(v.Storefronts, add(o))
	}
	if unknown := add(r.Unknown); unknown.Pending+unknown.Processing > 0 {
		v.Unknown = &unknown
	}
	for _, b := range r.Retries {
		v.Retries = append(v.Retries, RetryBacklogView{b.StorefrontID, b.StorefrontCode, b.Destination, b.Events, timeOrNone(b.Next)})
	}
	return &backlogOutput{v}, nil
}
