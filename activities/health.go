package activities

import (
	"context"
	"errors"

	"relay"
)

// HealthStore keeps the health of destinations, one row per storefront and destination, so that all workers agree.
type HealthStore interface {
	// RecordFailure counts a retryable failure; with down, the destination is unhealthy whatever the count.
	RecordFailure(ctx context.Context, storefront int64, destination string, reason relay.Reason, down bool) error
	// RecordSuccess ends a row of failures. Where it made an unhealthy destination healthy it begins the replay of what
	// failed meanwhile and gives its id, else 0.
	RecordSuccess(ctx context.Context, storefront int64, destination string) (replay int64, err error)
	// Probe says whether this try may find out how an unhealthy destination is: one each relay.ProbeEvery may.
	Probe(ctx context.Context, storefront int64, destination string) (bool, error)
}

// Recovery carries out the replay of what failed while a destination was unhealthy. What it fails to start, every worker
// looks for.
type Recovery interface {
	StartReplay(ctx context.Context, id int64) error
}

// admitted ends a try at an unhealthy destination at once, unless it is the one that finds out how it is: nothing hammers,
// and no workflow waits. What failed so is sent again when the destination has recovered.
func (t *try) admitted(ctx context.Context) *ending {
	if !t.delivery.Health.Unhealthy {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	probe, err := t.Health.Probe(ctx, t.delivery.Event.Storefront.ID, t.in.Destination)
	if err != nil {
		return &ending{out: t.wait(relay.ReasonDatabaseUnavailable, databaseWait)}
	}
	if probe {
		return nil
	}
	return &ending{err: failed(t.caused(relay.Rejected, relay.ReasonUnhealthy))}
}

// heed draws the conclusions of a try for others: for its destination's health, and for the events that wait behind this
// one. It is a service to later tries; where the database is away, they find out by themselves.
func (t *try) heed(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), completeTimeout)
	defer cancel()
	storefront, reason := t.delivery.Event.Storefront, t.result.Reason
	var err error
	switch {
	case t.result.Outcome == relay.Accepted && t.delivery.Health.Failures > 0:
		err = t.recover(ctx, storefront)
	case t.result.Outcome == relay.Unauthorized:
		err = t.Health.RecordFailure(ctx, storefront.ID, t.in.Destination, reason, true)
	case t.result.Outcome == relay.Retry && reason == relay.ReasonThrottled:
		// It lives, and wants less: that slows its other events, too.
		t.Gates.close(t.gate(), max(t.result.RetryAfter, shortestSleep))
	case t.result.Outcome == relay.Retry:
		err = t.Health.RecordFailure(ctx, storefront.ID, t.in.Destination, reason, false)
	}
	if t.result.Outcome == relay.Retry {
		err = errors.Join(err, t.Store.Wait(ctx, t.in.ID, t.waiting()))
	}
	if err != nil {
		t.Log.WarnContext(ctx, "try.unheeded", append(t.names(), "error", err)...)
	}
}

func (t *try) recover(ctx context.Context, storefront relay.Storefront) error {
	replay, err := t.Health.RecordSuccess(ctx, storefront.ID, t.in.Destination)
	if err != nil || replay == 0 {
		return err
	}
	t.Log.InfoContext(ctx, "destination.recovered", append(t.names(), "replay", replay)...)
	return t.Recovery.StartReplay(ctx, replay)
}

func (t *try) gate() gateKey {
	return gateKey{storefront: t.delivery.Event.Storefront.ID, destination: t.in.Destination}
}
