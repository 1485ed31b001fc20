package activities

import (
	"context"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/activity"

	"relay/internal/relay"
)

// FirstAttempts holds the attempts that were made with the route, within the first workflow task, and their results. A target of the
// route that is not among them is an activity of its own.
type FirstAttempts struct {
	Text     string          `json:"Words"` // for the Web UI
	Attempts []DeliverOutput `json:",omitempty"`
	// Finished is set if the event ended with them.
	Finished *FinishOutput `json:",omitempty"`
}

// first is one execution of ResolveRoute that makes the first attempts.
type first struct {
	*Activities
	row      Row
	route    relay.Route
	outcomes []outcome // of the targets, so far
	left     []string  // why targets are left to activities of their own
	sending  []*attempt
	finished *FinishOutput
}

// first takes the row, resolves the route and attempts every target that has room, all at once. Where all targets end, the event ends with
// the last of them. It may be repeated after a kill at any moment: the rows of the attempts decide what is left to do.
func (a *Activities) first(ctx context.Context, row Row) (ResolveOutput, error) {
	a.Lane.events.Add(1)
	defer a.Lane.events.Add(-1)
	begin, cancel := context.WithTimeout(ctx, beginTimeout)
	defer cancel()
	o, err := a.Store.Begin(begin, row.ID, row.Run)
	switch {
	case o.Taken && isNotFound(err):
		return ResolveOutput{Taken: true, Route: relay.Route{Reason: relay.ReasonUnknownStorefront}}, nil
	case err != nil:
		return ResolveOutput{}, opaque(err)
	case o.Ended != nil:
		return repeated(*o.Ended), nil
	case !o.Taken:
		return ResolveOutput{}, nil
	}
	f := &first{Activities: a, row: row, route: a.resolved(o.Switches, false)}
	for i := range f.route.Targets {
		f.consider(ctx, &f.route.Targets[i], o)
	}
	if len(f.sending) > 0 && late(ctx) {
		f.cancel()
		return ResolveOutput{}, opaque(relay.ErrUnavailable)
	}
	f.send(ctx)
	return ResolveOutput{Taken: true, Route: f.route, First: f.result()}, nil
}

// late reports whether the attempts could be recorded only when the task may have timed out: then it is repeated elsewhere, where their
// records would not be seen, and both would send.
func late(ctx context.Context) bool {
	return time.Since(activity.GetInfo(ctx).ScheduledTime) > recordBy
}

// cancel returns the room of attempts that are not made.
func (f *first) cancel() {
	for _, t := range f.sending {
		t.leave()
	}
}

// repeated is the result for an event that this run has finished: its task was repeated, because its end was not stored.
func repeated(c relay.EventOutcome) ResolveOutput {
	finished := finishOutput(c)
	out := FirstAttempts{Text: "this run had finished the event: " + c.Detail, Finished: &finished}
	var route relay.Route // for its destinations
	for _, end := range c.Ends {
		out.Attempts = append(out.Attempts, DeliverOutput{End: end})
		route.Targets = append(route.Targets, relay.Target{Destination: end.Destination})
	}
	return ResolveOutput{Taken: true, Route: route, First: &out}
}

// consider decides whether a target is attempted now, has ended, or is left to an activity.
func (f *first) consider(ctx context.Context, target *relay.Target, o relay.Opening) {
	d, ok := o.Deliveries[target.Destination]
	t := &attempt{Activities: f.Activities, in: DeliverInput{Row: f.row, Destination: target.Destination}, delivery: d, loaded: time.Now()}
	defer func() {
		if recover() != nil { // as an activity it fails by itself, and not the others with it
			t.panicked(ctx)
			f.leave(target, "the request could not be made")
		}
	}()
	switch {
	case !ok:
		f.leave(target, "its settings cannot be read")
	case target.Made > 0:
		f.follow(t, target)
	default:
		if end := t.decide(ctx); end != nil {
			f.outcomes = append(f.outcomes, t.exit(ctx, *end))
		} else if why, wait := t.enterNow(); wait > 0 {
			f.outcomes = append(f.outcomes, t.exit(ctx, *t.notSent(relay.ReasonLimited, wait)))
		} else if why != "" {
			f.leave(target, why)
		} else {
			f.sending = append(f.sending, t)
		}
	}
}

func (f *first) leave(target *relay.Target, why string) {
	f.left = append(f.left, target.Destination+": in an activity of its own, because "+why)
}

// follow continues from the latest attempt of a target: this task was repeated, or the event was set back. An ended target stays ended. After
// any other attempt, also one with an unknown result, the next one follows after its backoff.
func (f *first) follow(t *attempt, target *relay.Target) {
	earlier := t.earlier()
	end := t.end(earlier.Last, earlier.Cause)
	end.Status = earlier.Status
	switch earlier.Last {
	case relay.Rejected, relay.Unauthorized, relay.Unknown:
		f.outcomes = append(f.outcomes, outcome{end: end})
		return
	case relay.Sending:
		end.Reason = relay.ReasonInterrupted
	}
	wait := f.Policy.Delay(earlier.Made) - earlier.Age
	if earlier.Last == relay.Sending { // its worker may live
		wait = max(wait, exchangeTimeout+completeTimeout-earlier.Age)
	}
	if wait <= 0 || target.Left == 0 {
		f.leave(target, "it was attempted before")
		return
	}
	end.Outcome = relay.Retry
	f.outcomes = append(f.outcomes, outcome{end: end, wait: wait})
	target.Made, target.Left = target.Made-1, target.Left+1 // before the attempt, as of a target that is attempted now
}

// enterNow takes the room that a first attempt needs, or returns why there is none, and how long to wait where that is known.
func (t *attempt) enterNow() (why string, wait time.Duration) {
	if t.delivery.Health.State() != relay.Healthy {
		return "the destination is not healthy", 0
	}
	leaveLane, why := t.Lane.enter(t.limiterKey())
	if why != "" {
		return why, 0
	}
	leave, wait := t.Limiter.enterNow(t.limiterKey(), t.in.ID, t.delivery.Destination.Options.Limits)
	if leave == nil {
		leaveLane()
		return relay.ReasonLimited.Text(), wait
	}
	t.leave = func() { leave(); leaveLane() }
	return "", 0
}

func (f *first) result() *FirstAttempts {
	out := &FirstAttempts{Finished: f.finished}
	slices.SortFunc(f.outcomes, func(a, b outcome) int { return strings.Compare(a.end.Destination, b.end.Destination) })
	var texts []string
	for _, o := range f.outcomes {
		out.Attempts = append(out.Attempts, o.output())
		text := o.end.String()
		if o.wait > 0 {
			text += ", next attempt in " + o.wait.Round(time.Second).String()
		}
		texts = append(texts, text)
	}
	out.Text = strings.Join(append(texts, f.left...), "; ")
	return out
}
