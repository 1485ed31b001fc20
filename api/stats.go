package api

import (
	"context"
	"time"

	"relay/internal/ops"
	"relay/internal/relay"
)

// statsWindow is the longest window, and statsDefault that of a request without one.
const (
	statsWindow  = 92 * 24 * time.Hour
	statsDefault = 24 * time.Hour
)

type statsInput struct {
	Storefront string    `query:"storefront" maxLength:"50" example:"bosley" doc:"The storefront's code; all if missing."`
	From       time.Time `query:"from" example:"2026-01-15T00:00:00Z" doc:"Begin of the window, taken to the full hour; 24 hours ago if missing."`
	To         time.Time `query:"to" example:"2026-01-16T00:00:00Z" doc:"End of the window; now if missing. At most 92 days after from."`
}

// StatsView holds the counts of a window.
type StatsView struct {
	From        time.Time         `json:"from" example:"2026-01-15T00:00:00Z" doc:"Begin of the window: a full hour."`
	To          time.Time         `json:"to" example:"2026-01-16T00:00:00Z" doc:"End of the window. Hours that begin before it count whole."`
	AsOf        *time.Time        `json:"as_of,omitempty" example:"2026-01-15T23:59:30Z" doc:"When the newest hour was counted: counts are up to a minute old. Missing before the first count."`
	Storefronts []StorefrontStats `json:"storefronts" nullable:"false" doc:"The counts of each storefront."`
	Unknown     *StorefrontStats  `json:"unknown_storefront,omitempty" doc:"The counts of events without a known storefront: rows of OMS's own whose storefront_code is not resolved or names none, and events of deleted storefronts. Missing if the request names one storefront."`
}

// StorefrontStats counts the outcomes of the events that a storefront received in the window.
type StorefrontStats struct {
	Storefront    string                      `json:"storefront" example:"bosley" doc:"The storefront's code; empty for unknown_storefront."`
	Received      int64                       `json:"received" example:"4000" doc:"Events received in the window."`
	Delivered     int64                       `json:"delivered" example:"3950" doc:"Of those: delivered by now."`
	Failed        map[relay.Reason]int64      `json:"failed" doc:"Of those: failed, by reason."`
	Skipped       map[relay.Reason]int64      `json:"skipped" doc:"Of those: skipped, by reason."`
	Open          int64                       `json:"open" example:"12" doc:"Of those: not ended yet."`
	Retrying      int64                       `json:"retrying" example:"10" doc:"Events of any age that are being delivered or wait for a retry, now; counting stops at 10000."`
	OldestPending *float64                    `json:"oldest_pending_seconds,omitempty" example:"1.5" doc:"Age of the oldest event whose delivery has not started; missing if there is none."`
	Destinations  map[string]DestinationStats `json:"destinations" doc:"Deliveries by destination: sgtm, or a platform's code."`
}

// DestinationStats counts the deliveries of one destination.
type DestinationStats struct {
	Delivered    int64                  `json:"delivered" example:"3950" doc:"Deliveries that were accepted."`
	Failed       map[relay.Reason]int64 `json:"failed" doc:"Deliveries that failed, by reason."`
	Skipped      map[relay.Reason]int64 `json:"skipped" doc:"Deliveries that were not wanted or were blocked by a switch, by reason."`
	Health       string                 `json:"health" enum:"healthy,failing,unhealthy" example:"healthy" doc:"Its health now: failing after failed attempts, unhealthy while the relay sends it nothing but probes."`
	FailingSince *time.Time             `json:"failing_since,omitempty" example:"2026-01-15T10:25:01Z" doc:"Start of its failed attempts."`
}

type statsOutput struct{ Body StatsView }

func (h opsHandlers) stats(ctx context.Context, in *statsInput) (*statsOutput, error) {
	from, to, err := window(in.From, in.To, statsWindow, "must be before to, by 92 days at most")
	if err != nil {
		return nil, err
	}
	id, err := h.storefrontID(ctx, in.Storefront, "storefront")
	if err != nil {
		return nil, err
	}
	r, err := h.Events.Stats(ctx, id, from, to)
	if err != nil {
		return nil, err
	}
	now := time.Now().UTC()
	out := &statsOutput{StatsView{From: r.From, To: r.To, AsOf: timeOrNone(r.AsOf), Storefronts: []StorefrontStats{}}}
	for _, s := range r.Storefronts {
		out.Body.Storefronts = append(out.Body.Storefronts, storefrontStats(s, now))
	}
	if id == 0 {
		unknown := storefrontStats(r.Unknown, now)
		out.Body.Unknown = &unknown
	}
	return out, nil
}

func storefrontStats(s ops.Stats, now time.Time) StorefrontStats {
	v := StorefrontStats{Storefront: s.StorefrontCode, Received: s.Received, Delivered: s.Delivered, Failed: s.Failed, Skipped: s.Skipped,
		Open: s.Open, Retrying: s.Retrying, Destinations: map[string]DestinationStats{}}
	if !s.OldestPending.IsZero() {
		age := max(0, now.Sub(s.OldestPending).Seconds())
		v.OldestPending = &age
	}
	for key, c := range s.Destinations {
		v.Destinations[key] = DestinationStats{Delivered: c.Delivered, Failed: c.Failed, Skipped: c.Skipped, Health: "healthy"}
	}
	for key, health := range s.Health {
		d, ok := v.Destinations[key]
		if !ok {
			d = DestinationStats{Failed: map[relay.Reason]int64{}, Skipped: map[relay.Reason]int64{}}
		}
		d.Health, d.FailingSince = "failing", timeOrNone(health.Since)
		if health.Unhealthy {
			d.Health = "unhealthy"
		}
		v.Destinations[key] = d
	}
	return v
}
