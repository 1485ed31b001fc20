package api

import (
	"context"
	"time"

	"relay/internal/ops"
)

// failedLook is how far back to look for events that failed at a destination that is healthy.
const failedLook = 30 * 24 * time.Hour

// Destinations reads the health of the storefronts' destinations, and their failed events.
type Destinations interface {
	// UnhealthySince is when the failures began that made a destination unhealthy; zero for a healthy one.
	UnhealthySince(ctx context.Context, storefront int64, destination string) (time.Time, error)
	// ProbeNow lets the next event find out how an unhealthy destination is.
	ProbeNow(ctx context.Context, storefront int64, destination string) error
	// CountEvents counts all events of a filter; CountUpTo as far as ops.CountBound.
	CountEvents(ctx context.Context, f ops.Filter) (int64, error)
	CountUpTo(ctx context.Context, f ops.Filter) (ops.EventCount, error)
}

// Failed counts the events that failed at a destination, in responses to a check and to a write of its settings.
type Failed struct {
	FailedSince *int64    `json:"failed_since,omitempty" example:"12" doc:"In the response to a check and to a write: events that failed because the destination refused the credential, was unhealthy or let their attempts run out, since it became unhealthy; at a healthy one those of the last 30 days. 10000 at most, see failed_more. Missing if counting took longer than a second."`
	FailedMore  bool      `json:"failed_more,omitempty" example:"false" doc:"Whether there are more than failed_since, or may be: counting stops at 10000, and among the newest 25000 events that an index finds."`
	Replay      *ReplayIn `json:"replay,omitempty" doc:"The body for POST /admin/v1/replays that sends exactly those again; missing where there are none."`
}

// failedAt counts the failed events of a destination, and offers their replay: the events that the relay itself sends again
// when it finds the destination recovered.
func failedAt(ctx context.Context, d Destinations, storefront int64, code, destination string) Failed {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	since, err := d.UnhealthySince(ctx, storefront, destination)
	if err != nil {
		return Failed{}
	}
	if since.IsZero() {
		since = time.Now().Add(-failedLook)
	}
	f := ops.RecoveryReplay(storefront, destination, since.UTC().Truncate(time.Second)).Filter
	n, err := d.CountUpTo(ctx, f)
	if err != nil {
		return Failed{} // a count that takes too long is not worth an error
	}
	out := Failed{FailedSince: &n.N, FailedMore: n.More}
	if n.N > 0 || n.More {
		out.Replay = &ReplayIn{Filter: EventFilter{Storefront: code, Status: f.Statuses, Reason: f.Reasons, Destination: destination, FailedAt: destination, From: f.From}}
	}
	return out
}

// rewritten is for a destination whose settings were just written: the cause may be fixed, so the next event
// is the probe, and the response counts the failed ones.
func (a *Admin) rewritten(ctx context.Context, storefront int64, code, destination string) Failed {
	_ = a.Destinations.ProbeNow(ctx, storefront, destination) // the write is done; without this the next probe comes a little later
	return failedAt(ctx, a.Destinations, storefront, code, destination)
}
