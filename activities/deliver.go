package activities

import (
	"context"
	"time"

	"relay/internal/relay"
)

// DeliverInput names one destination of one event. ContainerUnhealthy is as in ResolveInput.
type DeliverInput struct {
	Row
	Destination string
	TurnedAway  bool `json:",omitempty"`
}

// DeliverOutput is an attempt that ended without a Temporal error: accepted, blocked, skipped, lost, or not sent, which is to
// be attempted again after Wait. Unrecorded is an end that the database could not store: the next step writes it.
type DeliverOutput struct {
	End        relay.DeliveryResult
	Wait       time.Duration      `json:",omitempty"`
	Unrecorded []relay.AttemptEnd `json:",omitempty"`
}

// Deliver makes one attempt to deliver an event to a destination: it reads switches and credential, records the attempt,
// sends, and completes the record. A failed attempt is an error: retryable, with the delay of the policy or the vendor, or
// final. An attempt that could not send for a reason of the relay's own is a result (not_sent), and does not count.
func (a *Activities) Deliver(ctx context.Context, in DeliverInput) (DeliverOutput, error) {
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
	return DeliverOutput{End: o.end, Wait: o.wait, Unrecorded: o.unrecorded}, nil
}
