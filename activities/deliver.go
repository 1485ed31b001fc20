package activities

import (
	"context"
	"time"

	"go.temporal.io/sdk/activity"

	"relay/internal/relay"
)

// DeliverInput names one destination of one event. TurnedAway is as in ResolveInput. Failed is the first attempt, where it was made
// with the route and is to be repeated.
type DeliverInput struct {
	Row
	Destination string
	TurnedAway  bool           `json:",omitempty"`
	Failed      *FailedAttempt `json:",omitempty"`
}

// FailedAttempt is an attempt that another follows after Wait.
type FailedAttempt struct {
	End  relay.DeliveryResult
	Wait time.Duration
}

// DeliverOutput is an attempt that ended without a Temporal error: accepted, blocked, skipped, lost, or not sent, which is to
// be attempted again after Wait. Unrecorded is an end that the database could not store: the next step writes it.
type DeliverOutput struct {
	End        relay.DeliveryResult
	Wait       time.Duration      `json:",omitempty"`
	Unrecorded []relay.AttemptEnd `json:",omitempty"`
	// SameRoute says that the next attempt needs no new route: nothing was sent, and the attempt reads the switches itself.
	SameRoute bool `json:",omitempty"`
}

// Deliver makes one attempt to deliver an event to a destination: it reads switches and credential, records the attempt,
// sends, and completes the record. A failed attempt is an error: retryable, with the delay of the policy or the vendor, or
// final. An attempt that could not send for a reason of the relay's own is a result (not_sent), and does not count.
//
// Where the first attempt has been made, the first execution only reports its failure, so that Temporal counts it, waits as the
// policy says, and shows the second one as the second.
func (a *Activities) Deliver(ctx context.Context, in DeliverInput) (DeliverOutput, error) {
	if in.Failed != nil && activity.GetInfo(ctx).Attempt == 1 && !activity.HasHeartbeatDetails(ctx) {
		// The details outlive a reset of the activity, which begins with execution 1 again: that one is to send at once.
		activity.RecordHeartbeat(ctx, "the first attempt was made with the route")
		return DeliverOutput{}, retry(in.Failed.End, in.Failed.Wait)
	}
	t := &attempt{Activities: a, in: in}
	return t.run(ctx).result()
}

// outcome is how an attempt ended, the one form that the log, the metrics, the row and Temporal are derived from.
type outcome struct {
	end        relay.DeliveryResult
	wait       time.Duration      // before the next attempt
	unrecorded []relay.AttemptEnd // for the next step to write
	field      string             // of the event, where one is the reason
}

// result translates an outcome for Temporal into a retryable error, which the server repeats after the wait, a final error, or
// an output. An outcome with an unrecorded end is always an output, because the workflow has to write that end first.
func (o outcome) result() (DeliverOutput, error) {
	if len(o.unrecorded) == 0 {
		switch o.end.Outcome {
		case relay.Retry:
			return DeliverOutput{}, retry(o.end, o.wait)
		case relay.Exhausted, relay.Rejected, relay.Unauthorized:
			return DeliverOutput{}, failed(o.end)
		}
	}
	return o.output(), nil
}

func (o outcome) output() DeliverOutput {
	return DeliverOutput{End: o.end, Wait: o.wait, Unrecorded: o.unrecorded,
		SameRoute: o.end.Outcome == relay.NotSent && o.end.Reason == relay.ReasonLimited}
}
