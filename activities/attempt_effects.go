package activities

import (
	"context"
	"errors"
	"time"

	"relay/internal/relay"
)

// The effects of an attempt beyond its own row: on the health and the limit of its destination, on the wait of its event, on the
// metrics and the log.

// checkHealth ends an attempt at an unhealthy destination, unless it is a probe or may be made all the same (see persists). The
// replay after the recovery sends its event again.
func (t *attempt) checkHealth(ctx context.Context) *outcome {
	h := t.delivery.Health
	if !h.Unhealthy || t.probes() || t.persists() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	probe, err := t.Health.Probe(ctx, t.delivery.Event.Storefront.ID, t.in.Destination, t.Policy.ProbeDelay(h.Probes+1, h.Reason))
	if err != nil {
		return t.notSent(relay.ReasonDatabaseUnavailable, databaseWait)
	}
	if probe {
		return nil
	}
	return &outcome{end: t.unhealthy(h.Reason, h.Status)}
}

// probes reports whether the relay sends this event to test an unhealthy destination.
func (t *attempt) probes() bool {
	h := t.delivery.Health
	return h.Unhealthy && h.ProbeEvent == t.in.ID
}

// persists reports whether an attempt is made although the destination is unhealthy: an event that was attempted there keeps its
// schedule, so that an outage shorter than the schedule fails nothing. Two cases do not, because it could not help: a refused
// credential, and a container whose events the platforms take over.
func (t *attempt) persists() bool {
	if t.earlier().Made == 0 || t.delivery.Health.Reason == relay.ReasonUnauthorized {
		return false
	}
	route, handsOver := t.resolved(t.delivery.Switches, t.in.TurnedAway), false
	if t.in.Destination == relay.SGTM && route.FailsOver {
		handsOver = len(t.resolved(t.delivery.Switches, true).Targets) > 0
	}
	return !handsOver
}

// failedProbe is the end of a probe that could be repeated. A probe is one request: its event fails again at once, and the
// relay draws the next one.
func (t *attempt) failedProbe(end relay.DeliveryResult) relay.DeliveryResult {
	end = t.unhealthy(end.Reason, end.Status)
	if t.Meter != nil && !t.last() { // else measure has counted it
		t.Meter.Ended(t.delivery.Event.Storefront.Code, t.in.Destination, end.Outcome)
	}
	return end
}

// unhealthy is the end of an event at an unhealthy destination, with the cause of the latest failure there.
func (t *attempt) unhealthy(cause relay.Reason, status int) relay.DeliveryResult {
	end := t.end(relay.Rejected, relay.ReasonUnhealthy)
	end.Cause, end.Status = cause, status
	return end
}

// updateHealth records the effect of an attempt on the destination's health and limit, and what its event waits for. Best
// effort: without the database, later attempts record their own effects.
func (t *attempt) updateHealth(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), completeTimeout)
	defer cancel()
	storefront := t.delivery.Event.Storefront
	var err error
	switch {
	case t.result.Outcome == relay.Accepted && t.delivery.Health.Failures > 0:
		err = t.recover(ctx, storefront)
	case t.result.Outcome == relay.Unauthorized:
		err = t.Health.RecordFailure(ctx, storefront.ID, t.in.Destination, t.failure(true))
	case t.result.Outcome == relay.Retry && t.result.Reason == relay.ReasonThrottled:
		// The destination works, and asks for fewer requests: that also delays its other events.
		t.Limiter.close(t.limiterKey(), max(t.result.RetryAfter, shortestSleep))
	case t.result.Outcome == relay.Retry:
		err = t.Health.RecordFailure(ctx, storefront.ID, t.in.Destination, t.failure(false))
	}
	if t.result.Outcome == relay.Retry {
		err = errors.Join(err, t.Store.Wait(ctx, t.in.ID, t.waiting()))
	}
	if err != nil {
		t.Log.WarnContext(ctx, "attempt.effects_unrecorded", append(t.names(), "error", err)...)
	}
}

// failure is this attempt as it counts for the destination's health.
func (t *attempt) failure(down bool) relay.Failure {
	return relay.Failure{
		Reason: t.result.Reason,
		Status: t.result.Status,
		Down:   down,
		Lasted: t.Policy.Lasting(t.earlier().Made),
		Probe:  t.Policy.ProbeDelay(0, t.result.Reason),
	}
}

// recover records a success after failures, which may start the replay of what failed meanwhile.
func (t *attempt) recover(ctx context.Context, storefront relay.Storefront) error {
	replay, err := t.Health.RecordSuccess(ctx, storefront.ID, t.in.Destination)
	if err != nil || replay == 0 {
		return err
	}
	t.Log.InfoContext(ctx, "destination.recovered", append(t.names(), "replay", replay)...)
	return t.Recovery.StartReplay(ctx, replay)
}

func (t *attempt) limiterKey() limiterKey {
	return limiterKey{storefront: t.delivery.Event.Storefront.ID, destination: t.in.Destination}
}

// waiting is the wait that follows a failed attempt; none follows the last one, nor a probe.
func (t *attempt) waiting() relay.Waiting {
	if t.probes() || t.last() {
		return relay.Waiting{}
	}
	return relay.Waiting{For: relay.WaitsForRetry, After: t.pause}
}

// recordWait records what an event waits for that could not be sent. It keeps counting as in flight, so that no more events of
// its storefront start than can be sent. Best effort: without the database, the event waits all the same.
func (t *attempt) recordWait(ctx context.Context, o outcome) {
	if o.end.Outcome != relay.NotSent {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTimeout)
	defer cancel()
	w := relay.Waiting{For: o.end.Reason.WaitsFor(), After: o.wait, InFlight: true}
	if err := t.Store.Wait(ctx, t.in.ID, w); err != nil {
		t.Log.DebugContext(ctx, "attempt.wait_unrecorded", append(t.names(), "error", err)...)
	}
}

// setBy names the user who set the switch that blocked the attempt, and when. Empty if unknown.
func (t *attempt) setBy(ctx context.Context, reason relay.Reason) string {
	if t.SwitchLog == nil {
		return ""
	}
	f, err := t.SwitchLog.SwitchChange(ctx, t.delivery.Switches.Storefront.ID, t.in.Destination, reason)
	if err != nil || f.By == "" {
		return ""
	}
	return " (set by " + f.By + " at " + f.At.UTC().Format(time.RFC3339) + ")"
}

// measure counts an attempt that sent, and the delivery if it ended with it.
func (t *attempt) measure() {
	if t.Meter == nil {
		return
	}
	storefront := t.delivery.Event.Storefront.Code
	t.Meter.Attempted(storefront, t.in.Destination, t.result, t.took)
	if t.result.Outcome == relay.Accepted && t.delivery.Generation == 0 { // one that was set back is late for another reason
		t.Meter.Delivered(storefront, t.in.Destination, t.delivery.Event.Now.Sub(t.delivery.Event.CreatedAt)+time.Since(t.loaded))
	}
	outcome := t.result.Outcome
	if outcome == relay.Retry {
		if !t.last() {
			return
		}
		outcome = relay.Exhausted
	}
	t.Meter.Ended(storefront, t.in.Destination, outcome)
}

// exit logs and counts an attempt that ended before sending.
func (t *attempt) exit(ctx context.Context, o outcome) outcome {
	t.recordWait(ctx, o)
	t.Log.InfoContext(ctx, "delivery.decided", append(t.names(), "outcome", o.end.Outcome, "reason", o.end.Reason, "field", o.field,
		"wait_ms", o.wait.Milliseconds())...)
	// An accepted event has been counted before, a waiting one has not ended, and a lost one is another run's.
	ended := o.end.Outcome != relay.Accepted && o.end.Outcome != relay.NotSent && o.end.Outcome != relay.Lost
	if t.Meter != nil && ended {
		t.Meter.Ended(t.delivery.Event.Storefront.Code, t.in.Destination, o.end.Outcome)
	}
	return o
}
