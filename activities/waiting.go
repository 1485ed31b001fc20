package activities

import (
	"context"
	"time"

	"relay/internal/relay"
)

// noteTimeout bounds a note that is for people only.
const noteTimeout = 500 * time.Millisecond

// waiting is the wait that follows a failed attempt; none follows the last one, nor a probe.
func (t *try) waiting() relay.Waiting {
	if t.probes() || t.delivery.Switches.Tries[t.in.Destination].Made+1 >= t.Policy.Tries {
		return relay.Waiting{}
	}
	return relay.Waiting{For: relay.WaitsForRetry, After: t.pause}
}

// noteWait records what an attempt waits for that could not be sent. It keeps counting as in flight, so that no more events
// of its storefront start than can be sent. Where the database is away, the event waits all the same.
func (t *try) noteWait(ctx context.Context, out DeliverOutput) {
	if out.End.Outcome != relay.NotSent {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTimeout)
	defer cancel()
	w := relay.Waiting{For: out.End.Reason.WaitsFor(), After: out.Wait, InFlight: true}
	if err := t.Store.Wait(ctx, t.in.ID, w); err != nil {
		t.Log.DebugContext(ctx, "attempt.wait_unrecorded", append(t.names(), "error", err)...)
	}
}
