package api

import (
	"context"
	"time"

	"relay/internal/ops"
)

// ServiceView is how well the relay has done, against its objectives.
type ServiceView struct {
	Objective   float64         `json:"objective" example:"0.99" doc:"The share that success and freshness should reach."`
	FreshWithin int             `json:"fresh_within_seconds" example:"60" doc:"A fresh delivery was accepted by its destination within this time after its event was accepted."`
	Windows     []ServiceWindow `json:"windows" nullable:"false" doc:"Up to now, the shortest first."`
}

// ServiceWindow is one span of time up to now.
type ServiceWindow struct {
	Window    string   `json:"window" enum:"1h,24h,30d" example:"24h" doc:"The span, to five minutes."`
	Delivered int64    `json:"delivered" example:"990" doc:"Deliveries of an event to a destination that was accepted."`
	Failed    int64    `json:"failed" example:"10" doc:"Those that failed; skipped ones are in neither."`
	Success   *float64 `json:"success,omitempty" example:"0.99" doc:"delivered by both; missing where none ended."`
	Fresh     int64    `json:"fresh" example:"985" doc:"Accepted in time. Events that a retry or a replay has set back are not counted."`
	Late      int64    `json:"late" example:"5" doc:"Accepted later."`
	Freshness *float64 `json:"freshness,omitempty" example:"0.995" doc:"fresh by both; missing without any."`
}

type serviceOutput struct{ Body ServiceView }

// serviceWindows are the spans over which the service levels are stated.
var serviceWindows = []struct {
	name string
	span time.Duration
}{{"1h", time.Hour}, {"24h", 24 * time.Hour}, {"30d", 30 * 24 * time.Hour}}

func (h opsHandlers) service(ctx context.Context, _ *struct{}) (*serviceOutput, error) {
	now := time.Now()
	since := make([]time.Time, len(serviceWindows))
	for n, w := range serviceWindows {
		since[n] = now.Add(-w.span)
	}
	counts, err := h.Events.ServiceCounts(ctx, since...)
	if err != nil {
		return nil, err
	}
	v := ServiceView{Objective: ops.ServiceObjective, FreshWithin: int(ops.FreshWithin.Seconds())}
	for n, c := range counts {
		v.Windows = append(v.Windows, ServiceWindow{Window: serviceWindows[n].name, Delivered: c.Delivered, Failed: c.Failed, Success: shareOf(c.Delivered, c.Failed),
			Fresh: c.Fresh, Late: c.Late, Freshness: shareOf(c.Fresh, c.Late)})
	}
	return &serviceOutput{v}, nil
}

func shareOf(good, bad int64) *float64 {
	if good+bad == 0 {
		return nil
	}
	share := float64(good) / float64(good+bad)
	return &share
}
