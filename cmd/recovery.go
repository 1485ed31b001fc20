package cmd

import (
	"context"
	"time"

	"relay"
	"relay/activities"
)

// recoveryLook is how long before the first failure an event may have been received that failed in the meantime: it may
// have been in retry, for 15 minutes by default.
const recoveryLook = time.Hour

// recovery sends again what failed while a destination was unhealthy: by a replay, at its rate.
type recovery struct{ *service }

func (s *service) recovery() activities.Recovery { return recovery{s} }

// Recover begins a replay of the storefront's events that failed at the destination. It is made even where Temporal does not
// answer: every worker starts what has no workflow.
func (r recovery) Recover(ctx context.Context, storefront relay.Storefront, destination string, since time.Time) error {
	filter := relay.Filter{
		StorefrontID: storefront.ID,
		Statuses:     []relay.Status{relay.StatusFailed},
		Destination:  destination,
		From:         since.Add(-recoveryLook),
	}
	n := r.count(ctx, filter)
	if n == 0 {
		return nil
	}
	replay, err := r.store.CreateReplay(ctx, relay.Replay{Filter: filter, Rate: relay.DefaultReplayRate, Matched: max(0, n), By: "relay"})
	if err != nil {
		return err
	}
	r.log.InfoContext(ctx, "destination.replay", "storefront", storefront.Code, "destination", destination, "replay", replay.ID, "events", n)
	return r.starter(false).StartReplay(ctx, replay.ID)
}

// count is how many events there are to send again, for people to read; -1 where counting takes too long.
func (r recovery) count(ctx context.Context, filter relay.Filter) int64 {
	ctx, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
	defer cancel()
	n, err := r.store.CountEvents(ctx, filter)
	if err != nil {
		return -1
	}
	return n
}
