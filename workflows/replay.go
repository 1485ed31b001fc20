package workflows

import (
	"context"
	"errors"
	"strconv"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"relay/activities"
	"relay/internal/ops"
)

// Signals and the query of a replay, also for use in the Web UI.
const (
	SignalPause  = "pause"
	SignalResume = "resume"
	SignalCancel = "cancel"
	// SignalLook reports that the row of the replay has changed. The API writes the wanted state there, so that the latest request
	// counts: signals of different names have no order among them.
	SignalLook    = "look"
	QueryProgress = "progress"
)

// ReplayEventsID is the id of the workflow behind a replay.
func ReplayEventsID(replay int64) string { return "replay-events:" + strconv.FormatInt(replay, 10) }

// ReplayEvents sets the events of a replay back to pending, at its rate, and waits until they have ended. It keeps
// nothing but the replay's id: filter, cursor and counts are in the database, so that a new run continues at any time.
func ReplayEvents(ctx workflow.Context, in activities.ReplayInput) error {
	r := &replaying{in: activities.ReplayInput{ID: in.ID}}
	if err := workflow.SetQueryHandler(ctx, QueryProgress, func() (activities.ReplayOutput, error) { return r.last, nil }); err != nil {
		return err
	}
	r.listen(ctx)
	for range replaySteps {
		ended, err := r.turn(ctx)
		if err != nil {
			return r.cancelled(ctx, err)
		}
		if ended {
			return nil
		}
	}
	if err := r.obey(ctx); err != nil { // signals that came with the last step
		return r.cancelled(ctx, err)
	}
	return keepHouse(ctx, ReplayEvents, r.in)
}

// replaying is one run of a replay.
type replaying struct {
	in     activities.ReplayInput
	wanted []ops.ReplayState // by signals, not yet obeyed
	last   activities.ReplayOutput
	drain  time.Duration
	hold   time.Duration
	woken  bool // the row has changed
}

// listen notes what signals want, in their order.
func (r *replaying) listen(ctx workflow.Context) {
	for _, s := range []struct {
		name  string
		state ops.ReplayState
	}{{SignalPause, ops.ReplayPaused}, {SignalResume, ops.ReplayRunning}, {SignalCancel, ops.ReplayCancelled}} {
		workflow.GoNamed(ctx, s.name, func(ctx workflow.Context) {
			signals := workflow.GetSignalChannel(ctx, s.name)
			for signals.Receive(ctx, nil) {
				r.wanted = append(r.wanted, s.state)
			}
		})
	}
	workflow.GoNamed(ctx, SignalLook, func(ctx workflow.Context) {
		signals := workflow.GetSignalChannel(ctx, SignalLook)
		for signals.Receive(ctx, nil) {
			r.woken = true
		}
	})
}

// turn is one step and the wait until the next; true means that the replay has ended.
func (r *replaying) turn(ctx workflow.Context) (bool, error) {
	if err := r.obey(ctx); err != nil {
		return false, err
	}
	began := workflow.Now(ctx)
	r.woken = false
	in := r.in
	in.Size = r.size()
	var out activities.ReplayOutput // a fresh one: what the JSON leaves out must not stay as it was
	if err := workflow.ExecuteActivity(replayOptions(ctx, "starts the next events"), a.StepReplay, in).Get(ctx, &out); err != nil {
		return false, err
	}
	r.last = out
	over := r.last.Walked || r.last.State.Final()
	if over && r.last.InFlight() <= 0 {
		return true, workflow.ExecuteActivity(replayOptions(ctx, "ends the replay"), a.EndReplay, r.in).Get(ctx, nil)
	}
	wait := r.wait(over) - workflow.Now(ctx).Sub(began)
	if wait <= 0 || r.steered() {
		return false, nil
	}
	_, err := workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{
		Timeout:      wait,
		TimerOptions: workflow.TimerOptions{Summary: r.waitsFor(over)},
	}, r.steered)
	return false, err
}

// steered reports whether the replay's state may be another than in the last step.
func (r *replaying) steered() bool { return r.woken || len(r.wanted) > 0 }

// holds reports whether nothing is left to do but to wait until a destination is healthy.
func (r *replaying) holds() bool { return r.last.Now == 0 && r.last.HeldNow == 0 && r.last.Held > 0 }

// waitsFor is the summary of the timer after a step.
func (r *replaying) waitsFor(over bool) string {
	switch {
	case over:
		return "waits for the last events to end"
	case r.last.State == ops.ReplayPaused:
		return "is paused"
	case r.holds():
		return "waits until a destination is healthy"
	}
	return "keeps to its rate"
}

// size is how many events a step may start; the first step learns the rate by starting one.
func (r *replaying) size() int { return max(1, r.last.Rate*int(replayEvery/time.Second)) }

// wait is how long the step that was made may take.
func (r *replaying) wait(over bool) time.Duration {
	switch {
	case over:
		r.drain = min(max(replayDrainFirst, 2*r.drain), replayDrainMost)
		return r.drain
	case r.last.State == ops.ReplayPaused:
		return replayPausedLook
	case r.holds():
		r.hold = min(max(replayHoldFirst, 2*r.hold), replayHoldMost)
		return r.hold
	case r.last.Now == 0 && r.last.HeldNow == 0: // matches are rare: continue the search
		return 0
	}
	r.hold = 0
	return replayEvery
}

// obey stores the states that signals asked for.
func (r *replaying) obey(ctx workflow.Context) error {
	for len(r.wanted) > 0 {
		in := r.in
		in.State = r.wanted[0]
		if err := workflow.ExecuteActivity(replayOptions(ctx, "sets it "+string(in.State)), a.SetReplayState, in).Get(ctx, nil); err != nil {
			return err
		}
		r.wanted = r.wanted[1:]
		r.last.State = in.State
	}
	return nil
}

// cancelled makes the cancelling of the workflow that of the replay; any other error is passed on.
func (r *replaying) cancelled(ctx workflow.Context, err error) error {
	var canceled *temporal.CanceledError
	if !errors.As(err, &canceled) {
		return err
	}
	ctx, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	in := r.in
	in.State = ops.ReplayCancelled
	if e := workflow.ExecuteActivity(replayOptions(ctx, "sets it "+string(in.State)), a.SetReplayState, in).Get(ctx, nil); e != nil {
		return e
	}
	return err
}

// StartReplay starts the workflow of a replay unless it runs.
func (s Starter) StartReplay(ctx context.Context, id int64) error {
	return s.once(ctx, ReplayEventsID(id), "delivers the events of a replay again", ReplayEvents, activities.ReplayInput{ID: id})
}

// WakeReplay makes the workflow of a replay look at its row, and starts one where none runs.
func (s Starter) WakeReplay(ctx context.Context, id int64) error {
	err := s.Client.SignalWorkflow(ctx, ReplayEventsID(id), "", SignalLook, nil)
	var gone *serviceerror.NotFound
	if errors.As(err, &gone) {
		return s.StartReplay(ctx, id)
	}
	return err
}
