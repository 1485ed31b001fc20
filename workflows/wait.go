package workflows

import (
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"relay/activities"
	"relay/internal/relay"
)

// untilDone retries a step at the database, with the options of ctx, until it succeeds or the delivery is cancelled: an outage of MySQL loses no event.
// The waits are named timers, so that the Web UI shows why a delivery waits.
//
// leave, if it is not nil and returns true, ends the waiting with errContinue.
func untilDone(ctx workflow.Context, step string, leave func(workflow.Context) bool, activity, in, out any) error {
	for wait := firstWait; ; wait = min(2*wait, longestWait) {
		err := workflow.ExecuteLocalActivity(ctx, activity, in).Get(ctx, out)
		if err == nil || temporal.IsCanceledError(err) {
			return err
		}
		timer := workflow.TimerOptions{Summary: step + ": waiting for the database"}
		if err := workflow.NewTimerWithOptions(ctx, wait, timer).Get(ctx, nil); err != nil {
			return err
		}
		if leave != nil && leave(ctx) {
			return errContinue
		}
	}
}

// waits reports whether another attempt follows one that ended with this outcome.
func waits(o relay.Outcome) bool { return o == relay.NotSent || o == relay.Retry }

// pause waits before the next attempt at a destination that could not be sent to. A long history grows slowly if it cannot
// continue as new at once.
func pause(ctx workflow.Context, out activities.DeliverOutput) error {
	if suggested(ctx) {
		out.Wait = max(out.Wait, longestWait)
	}
	timer := workflow.TimerOptions{Summary: out.End.Destination + ": " + out.End.Reason.Text()}
	return workflow.NewTimerWithOptions(ctx, out.Wait, timer).Get(ctx, nil)
}
