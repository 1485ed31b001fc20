package activities

import (
	"context"
	"errors"
	"time"

	"relay/internal/ops"
	"relay/internal/relay"
)

// HealthStore keeps the health of destinations, one row per storefront and destination, so that all workers agree.
type HealthStore interface {
	// RecordFailure counts a retryable failure, which may make the destination unhealthy.
	RecordFailure(ctx context.Context, storefront int64, destination string, f relay.Failure) error
	// RecordSuccess ends a row of failures. Where it made an unhealthy destination healthy it begins the replay of what
	// failed meanwhile and returns its id, else 0.
	RecordSuccess(ctx context.Context, storefront int64, destination string) (replay int64, err error)
	// Probe reports whether this attempt may probe an unhealthy destination. The next may after the delay.
	Probe(ctx context.Context, storefront int64, destination string, next time.Duration) (bool, error)
	// DueProbes lists unhealthy destinations whose probe is due, each once in the given time.
	DueProbes(ctx context.Context, every time.Duration) ([]relay.Sick, error)
	// StartProbe sets one event that failed at an unhealthy destination back to pending, as its probe, and returns its id; 0
	// where no event failed there, or the probe is not due and not wanted now.
	StartProbe(ctx context.Context, p relay.Place, now bool, next time.Duration, lines ...ops.AuditEntry) (event int64, err error)
	// StorefrontSwitches are the switches of a storefront.
	StorefrontSwitches(ctx context.Context, storefrontID, platformID int64, limit int) ([]relay.Switches, error)
}

// Recovery carries out the replay of what failed while a destination was unhealthy. What it fails to start, every worker
// looks for.
type Recovery interface {
	StartReplay(ctx context.Context, id int64) error
}

// admitted ends an attempt at an unhealthy destination, unless it is a probe or may go on all the same (see persists). What
// it ends is sent again when the destination has recovered.
func (t *try) admitted(ctx context.Context) *ending {
	h := t.delivery.Health
	if !h.Unhealthy || t.probes() || t.persists() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	probe, err := t.Health.Probe(ctx, t.delivery.Event.Storefront.ID, t.in.Destination, t.Policy.ProbeDelay(h.Probes+1, h.Reason))
	if err != nil {
		return &ending{out: t.wait(relay.ReasonDatabaseUnavailable, databaseWait)}
	}
	if probe {
		return nil
	}
	return &ending{err: failed(t.unhealthy(h.Reason, h.Status))}
}

// probes reports whether the relay itself sends this event to find out how the destination is.
func (t *try) probes() bool {
	h := t.delivery.Health
	return h.Unhealthy && h.ProbeEvent == t.in.ID
}

// persists reports whether an attempt is made although the destination is unhealthy: an event that was tried there keeps its
// schedule, so that an outage shorter than the schedule fails nothing. It does not where that helps nothing: the credential
// is refused, or the platforms take over what the container turns away.
func (t *try) persists() bool {
	if t.delivery.Switches.Tries[t.in.Destination].Made == 0 || t.delivery.Health.Reason == relay.ReasonUnauthorized {
		return false
	}
	leg, handsOver := t.resolved(t.delivery.Switches, t.in.TurnedAway), false
	if t.in.Destination == relay.SGTM && leg.HandsOver {
		handsOver = len(t.resolved(t.delivery.Switches, true).Legs) > 0
	}
	return !handsOver
}

// again is how an attempt ends that may be repeated. A probe is one request: its event fails again at once, and the relay
// draws the next.
func (t *try) again(end relay.End) error {
	if !t.probes() {
		return retry(end, t.pause)
	}
	end = t.unhealthy(end.Reason, end.Status)
	if t.Meter != nil && t.delivery.Switches.Tries[t.in.Destination].Made+1 < t.Policy.Tries { // else measure has counted it
		t.Meter.Ended(t.delivery.Event.Storefront.Code, t.in.Destination, end.Outcome)
	}
	return failed(end)
}

// unhealthy is the end of an event at an unhealthy destination, with why its latest attempt failed there.
func (t *try) unhealthy(cause relay.Reason, status int) relay.End {
	end := t.end(relay.Rejected, relay.ReasonUnhealthy).End
	end.Cause, end.Status = cause, status
	return end
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
		err = t.Health.RecordFailure(ctx, storefront.ID, t.in.Destination, t.failure(true))
	case t.result.Outcome == relay.Retry && reason == relay.ReasonThrottled:
		// It lives, and wants less: that slows its other events, too.
		t.Gates.close(t.gate(), max(t.result.RetryAfter, shortestSleep))
	case t.result.Outcome == relay.Retry:
		err = t.Health.RecordFailure(ctx, storefront.ID, t.in.Destination, t.failure(false))
	}
	if t.result.Outcome == relay.Retry {
		err = errors.Join(err, t.Store.Wait(ctx, t.in.ID, t.waiting()))
	}
	if err != nil {
		t.Log.WarnContext(ctx, "try.unheeded", append(t.names(), "error", err)...)
	}
}

// failure is this attempt as it counts for the destination's health.
func (t *try) failure(down bool) relay.Failure {
	return relay.Failure{
		Reason: t.result.Reason,
		Status: t.result.Status,
		Down:   down,
		Lasted: t.Policy.Lasting(t.delivery.Switches.Tries[t.in.Destination].Made),
		Probe:  t.Policy.ProbeDelay(0, t.result.Reason),
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
