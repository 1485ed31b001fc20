package workflows

import (
	"cmp"
	"errors"
	"slices"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"relay/activities"
	"relay/internal/relay"
)

// a names activities for the SDK, which needs only the methods of a nil receiver.
var a *activities.Activities

// DeliverInput is all that Temporal stores of an event.
type DeliverInput struct {
	ID int64 // of the row in marketing_events
	// Searchable is true where the namespace has the search attributes.
	Searchable bool `json:",omitempty"`
	// Continued is set in a run that continues another.
	Continued *Continued `json:",omitempty"`
}

// DeliverEvent delivers one event: it takes the row, follows its route, and writes the event's final status, which is also its
// result. Usually the first attempts, which are made with the route, suffice. A failed delivery ends as a failed
// workflow, so that the Web UI's own filter finds it.
func DeliverEvent(ctx workflow.Context, in DeliverInput) (string, error) {
	d := newDelivery(ctx, in)
	for ; d.routes < maxRoutes; d.routes++ {
		taken, err := d.resolve(ctx)
		if err != nil {
			return "", d.stopped(ctx, err)
		}
		if !taken {
			return "nothing to do: the event is another run's, or gone", nil
		}
		again, err := d.follow(ctx)
		if err != nil {
			return "", d.stopped(ctx, err)
		}
		if again {
			continue
		}
		if recovered, err := d.finish(ctx); !recovered {
			return d.text, err
		}
	}
	return d.giveUp(ctx)
}

// delivery is the state of one run.
type delivery struct {
	in         DeliverInput
	row        activities.Row
	route      relay.Route
	first      firstAttempts
	ends       []relay.DeliveryResult
	unrecorded []relay.AttemptEnd // ends that the database could not take yet
	lost       bool               // this run no longer owns the row
	turnedAway bool               // by the container, for its health: the platforms get the event
	routes     int                // followed to their end
	running    int                // targets under way
	text       string             // the result, as text for the Web UI
}

func newDelivery(ctx workflow.Context, in DeliverInput) *delivery {
	if c := in.Continued; c != nil {
		return &delivery{in: in, row: activities.Row{ID: in.ID, Run: c.Run}, ends: c.Ends, unrecorded: c.Unrecorded,
			turnedAway: c.TurnedAway, routes: c.Routes}
	}
	// A reset keeps this id: the row stays this run's.
	return &delivery{in: in, row: activities.Row{ID: in.ID, Run: workflow.GetInfo(ctx).OriginalRunID}}
}

// resolve takes the row and asks the kill switches for the route.
func (d *delivery) resolve(ctx workflow.Context) (bool, error) {
	in := activities.ResolveInput{Row: d.row, Unrecorded: d.unrecorded, TurnedAway: d.turnedAway, First: d.first.due(ctx, d.in)}
	d.unrecorded = nil // another target may add to it meanwhile
	var out activities.ResolveOutput
	if err := untilDone(routeOptions(ctx, in.First), "route", d.mayContinue, a.ResolveRoute, in, &out); err != nil {
		d.unrecorded = append(d.unrecorded, in.Unrecorded...)
		return false, err
	}
	d.route = out.Route
	return out.Taken, d.attempted(ctx, out.First)
}

// follow delivers to every destination of the route that has not ended yet, concurrently, and reports whether the switches have
// to be asked again: a destination was blocked under way, or its attempts ran out, or a container turned the event away, and
// another may take over.
func (d *delivery) follow(ctx workflow.Context) (bool, error) {
	targets := d.open()
	if len(targets) == 0 {
		return false, nil
	}
	if err := d.tag(ctx, targets); err != nil {
		return false, err
	}
	var again bool
	var failure error
	wg := workflow.NewWaitGroup(ctx)
	d.running = len(targets)
	for _, target := range targets {
		wg.Add(1)
		workflow.Go(ctx, func(ctx workflow.Context) {
			defer wg.Done()
			defer func() { d.running-- }()
			end, err := d.deliver(ctx, target)
			if err != nil {
				failure = err
				return
			}
			d.end(end)
			turnedAway := d.route.FailsOver && end.Destination == relay.SGTM && end.Reason == relay.ReasonUnhealthy
			d.turnedAway = d.turnedAway || turnedAway
			again = again || end.Outcome == relay.Blocked || end.Outcome == relay.Exhausted || turnedAway
		})
	}
	wg.Wait(ctx)
	return again && !d.lost, failure
}

// deliver repeats attempts at one destination until the delivery there has ended.
func (d *delivery) deliver(ctx workflow.Context, target relay.Target) (relay.DeliveryResult, error) {
	last := relay.DeliveryResult{Destination: target.Destination, Outcome: relay.Exhausted, Reason: relay.ReasonExhausted}
	for {
		if target.Left == 0 {
			last.Outcome, last.Reason = relay.Exhausted, relay.ReasonExhausted
			if last.Cause == "" {
				last.Cause, last.Status = target.Cause, target.Status
			}
			return last, nil
		}
		out, err := d.attempt(ctx, target)
		if temporal.IsCanceledError(err) {
			return last, err
		}
		if err != nil {
			end, known := activities.EndOf(err)
			if known && end.Outcome != relay.Retry {
				return end, nil
			}
			last.Status, last.Cause = end.Status, end.Reason
		} else if d.unrecorded = append(d.unrecorded, out.Unrecorded...); !waits(out.End.Outcome) {
			return out.End, nil
		} else if err := pause(ctx, out); err != nil {
			return last, err
		} else if d.mayContinue(ctx) {
			return last, errContinue
		} else if sameRoute(out) {
			continue
		}
		// Attempts were lost with their worker, or nothing could be sent: the rows have the number of attempts left.
		taken, err := d.resolve(ctx)
		if err != nil || !taken {
			return relay.DeliveryResult{Destination: target.Destination, Outcome: relay.Lost}, err
		}
		next, on := d.route.Target(target.Destination)
		if !on {
			return d.off(last), nil
		}
		target = next
	}
}

// attempt makes an attempt, or takes over the first one. Where that failed, the activity counts it and makes the second.
func (d *delivery) attempt(ctx workflow.Context, target relay.Target) (activities.DeliverOutput, error) {
	in := activities.DeliverInput{Row: d.row, Destination: target.Destination, TurnedAway: d.turnedAway}
	if out, made := d.first.take(target.Destination); made {
		if out.End.Outcome != relay.Retry || len(out.Unrecorded) > 0 {
			return out, nil
		}
		in.Failed = &activities.FailedAttempt{End: out.End, Wait: out.Wait}
	}
	var out activities.DeliverOutput
	err := workflow.ExecuteActivity(sendOptions(ctx, target, d.route.Base), a.Deliver, in).Get(ctx, &out)
	return out, err
}

// off is the end of a destination that is no longer on the route; last is its latest failure. A container whose
// attempts ran out was not switched off: it failed, even if the platforms take over.
func (d *delivery) off(last relay.DeliveryResult) relay.DeliveryResult {
	if slices.Contains(d.route.Accepted, last.Destination) {
		return relay.DeliveryResult{Destination: last.Destination, Outcome: relay.Accepted}
	}
	reason := d.route.BlockedBy(last.Destination)
	if reason == relay.ReasonExhausted {
		return last
	}
	return relay.DeliveryResult{Destination: last.Destination, Outcome: relay.Blocked, Reason: reason}
}

// open are the targets that have not ended, or were blocked and are on the route again.
func (d *delivery) open() []relay.Target {
	var targets []relay.Target
	for _, target := range d.route.Targets {
		if i := d.find(target.Destination); i < 0 || d.ends[i].Outcome == relay.Blocked {
			targets = append(targets, target)
		}
	}
	return targets
}

func (d *delivery) find(destination string) int {
	for i, e := range d.ends {
		if e.Destination == destination {
			return i
		}
	}
	return -1
}

func (d *delivery) end(e relay.DeliveryResult) {
	if e.Outcome == relay.Lost {
		d.lost = true
		return
	}
	if i := d.find(e.Destination); i >= 0 {
		d.ends[i] = e
		return
	}
	d.ends = append(d.ends, e)
}

// finish writes the final status, and fails the workflow of a failed event. True reports that it found instead a destination
// that has recovered since the event failed there: then the event is sent there after all.
func (d *delivery) finish(ctx workflow.Context) (bool, error) {
	if d.lost {
		d.text = "nothing to do: the event is another run's"
		return false, nil
	}
	out, err := d.conclude(ctx)
	if err != nil {
		return false, d.cancelled(ctx, err)
	}
	if out.Recovered {
		d.unrecorded = nil // written with the look at the health
		d.reopen()
		return true, nil
	}
	if out.Status == relay.StatusFailed {
		return false, temporal.NewApplicationErrorWithOptions(cmp.Or(out.Detail, out.Reason.Text()), string(out.Reason),
			temporal.ApplicationErrorOptions{NonRetryable: true, Category: temporal.ApplicationErrorCategoryBenign, Details: []any{d.ends}})
	}
	d.text = string(out.Status) + "; " + out.Detail
	return false, nil
}

// conclude writes the final status, unless the event ended with its first attempts.
func (d *delivery) conclude(ctx workflow.Context) (activities.FinishOutput, error) {
	if d.first.finished != nil {
		return *d.first.finished, nil
	}
	in := activities.FinishInput{Row: d.row, Route: d.route, Ends: d.ends, Unrecorded: d.unrecorded}
	var out activities.FinishOutput
	err := untilDone(dbOptions(ctx, "finish"), "finish", nil, a.Finish, in, &out)
	return out, err
}

// reopen forgets the ends that were for a destination's health alone.
func (d *delivery) reopen() {
	d.ends = slices.DeleteFunc(d.ends, func(e relay.DeliveryResult) bool { return e.Reason == relay.ReasonUnhealthy })
	d.turnedAway = false
}

// giveUp ends an event whose switches change faster than its routes.
func (d *delivery) giveUp(ctx workflow.Context) (string, error) {
	d.reopen() // no health decides any more
	d.ends = append(d.ends, relay.DeliveryResult{Destination: "route", Outcome: relay.Rejected, Reason: relay.ReasonTooManyRoutes})
	_, err := d.finish(ctx)
	return d.text, err
}

// stopped is the end of a run that an error stopped: it continues as new, or was cancelled.
func (d *delivery) stopped(ctx workflow.Context, err error) error {
	if errors.Is(err, errContinue) {
		return d.continued(ctx)
	}
	return d.cancelled(ctx, err)
}

// cancelled writes the end of a delivery that was cancelled; any other error is passed on.
func (d *delivery) cancelled(ctx workflow.Context, err error) error {
	var canceled *temporal.CanceledError
	if !errors.As(err, &canceled) {
		return err
	}
	ctx, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	in := activities.FinishInput{Row: d.row, Route: d.route, Ends: d.ends, Unrecorded: d.unrecorded, Cancelled: true}
	var out activities.FinishOutput
	if e := untilDone(dbOptions(ctx, "cancel"), "cancel", nil, a.Finish, in, &out); e != nil {
		return e
	}
	return err
}
