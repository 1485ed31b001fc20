package activities

import (
	"context"
	"time"

	"relay/internal/relay"
)

// Meter counts what becomes of events.
type Meter interface {
	// Claimed is told of an event that PollInbox found.
	Claimed(s relay.Start)
	// Attempted is told of a request that was made, and how long the destination took.
	Attempted(storefront, destination string, r relay.Result, took time.Duration)
	// Ended is told how the delivery to a destination ended.
	Ended(storefront, destination string, o relay.Outcome)
	// Finished is told what an event came to.
	Finished(s relay.Status, r relay.Reason)
}

// measure counts a try that sent, and the delivery where it ended with it.
func (t *try) measure() {
	if t.Meter == nil {
		return
	}
	t.Meter.Attempted(t.delivery.Event.Storefront.Code, t.in.Destination, t.result, t.took)
	outcome := t.result.Outcome
	if outcome == relay.Retry {
		if t.delivery.Switches.Tries[t.in.Destination].Made+1 < t.Policy.Tries {
			return
		}
		outcome = relay.Exhausted
	}
	t.Meter.Ended(t.delivery.Event.Storefront.Code, t.in.Destination, outcome)
}

// stopped writes the line of a try that sent nothing, and counts the delivery where it ended so.
func (t *try) stopped(ctx context.Context, e *ending) (DeliverOutput, error) {
	t.noteWait(ctx, e.out)
	end := e.out.End
	if failure, ok := EndOf(e.err); ok {
		end = failure
	}
	t.Log.InfoContext(ctx, "delivery.decided", append(t.names(), "outcome", end.Outcome, "reason", end.Reason, "field", e.field,
		"wait_ms", e.out.Wait.Milliseconds())...)
	// What was accepted before has been counted, what waits has not ended, and what is lost is another run's.
	ended := end.Outcome != relay.Accepted && end.Outcome != relay.NotSent && end.Outcome != relay.Lost
	if t.Meter != nil && ended {
		t.Meter.Ended(t.delivery.Event.Storefront.Code, t.in.Destination, end.Outcome)
	}
	return e.out, e.err
}
