package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"relay/internal/ops"
	"relay/internal/relay"
)

// Bounds of counting before a replay begins.
const (
	countTimeout = 8 * time.Second
)

type createReplayInput struct {
	DryRun bool `query:"dry_run" example:"true" doc:"Count only: the events that would be started, by storefront, destination and reason, and those that are too old."`
	Body   ReplayIn
}

type replayOutput struct{ Body ReplayView }

type replayAnswerOutput struct {
	Status int
	Body   ReplayAnswer
}

type replayInput struct {
	ID int64 `path:"id" minimum:"1" example:"3" doc:"The replay."`
}

func (h opsHandlers) getReplay(ctx context.Context, in *replayInput) (*replayOutput, error) {
	r, err := h.Replays.Replay(ctx, in.ID)
	if err != nil {
		return nil, gone(err, "replay")
	}
	return h.replayOutput(ctx, r)
}

// replayOutput is the response with one replay.
func (h opsHandlers) replayOutput(ctx context.Context, r ops.Replay) (*replayOutput, error) {
	views, err := h.replayViews(ctx, []ops.Replay{r})
	if err != nil {
		return nil, err
	}
	return &replayOutput{views[0]}, nil
}

func (h opsHandlers) replayStateTo(state ops.ReplayState, action ops.Action) func(context.Context, *replayInput) (*replayOutput, error) {
	return func(ctx context.Context, in *replayInput) (*replayOutput, error) {
		return h.setReplayState(ctx, in.ID, state, action)
	}
}

func (h opsHandlers) create(ctx context.Context, in *createReplayInput) (*replayAnswerOutput, error) {
	r, err := h.newReplay(ctx, in.Body)
	if err != nil {
		return nil, err
	}
	unhealthy, err := h.unhealthy(ctx, r.Filter)
	if err != nil {
		return nil, err
	}
	if in.DryRun {
		dry, err := h.dryRun(ctx, r)
		return &replayAnswerOutput{http.StatusOK, ReplayAnswer{DryRun: dryRunView(dry), Unhealthy: h.unhealthyViews(unhealthy)}}, err
	}
	if r.Matched, err = h.matched(ctx, r, in.Body); err != nil {
		return nil, err
	}
	action := actionReplay
	if len(r.Resend) > 0 {
		action = actionResend
	}
	changes := []ops.Change{{Field: "matched", To: strconv.AppendInt(nil, r.Matched, 10)}}
	for _, d := range r.Resend {
		changes = append(changes, ops.Change{Field: "resend", To: strconv.AppendQuote(nil, d)})
	}
	line := entry(ctx, action, entityReplay, 0, "replay", changes...)
	r.By = line.By
	if r, err = h.Replays.CreateReplay(ctx, r, line); err != nil {
		return nil, err
	}
	for _, d := range unhealthy { // the replay begins with the probe; without this the probe comes a little later
		_ = h.Events.ProbeNow(ctx, d.StorefrontID, d.Destination)
	}
	// If Temporal does not respond, a worker starts it later: the replay is in the database.
	_ = h.Runner.StartReplay(ctx, r.ID)
	views, err := h.replayViews(ctx, []ops.Replay{r})
	if err != nil {
		return nil, err
	}
	return &replayAnswerOutput{http.StatusCreated, ReplayAnswer{Replay: &views[0], Unhealthy: h.unhealthyViews(unhealthy)}}, nil
}

// newReplay checks the request for a replay.
func (h opsHandlers) newReplay(ctx context.Context, in ReplayIn) (ops.Replay, error) {
	f, err := h.filter(ctx, in.Filter, "filter.")
	if err != nil {
		return ops.Replay{}, err
	}
	r := ops.Replay{Filter: f, Rate: in.Rate, Resend: in.Destinations}
	if r.Rate == 0 {
		r.Rate = ops.DefaultReplayRate
	}
	switch {
	case in.Resend && len(in.Destinations) == 0:
		return r, refuseField(codeMissingField, "destinations", "resend needs destinations: those that get their accepted events again")
	case !in.Resend && len(in.Destinations) > 0:
		return r, refuseField(codeInvalidValue, "destinations", "destinations are for resend only; filter.destination picks events")
	case len(f.Statuses) == 0 && in.Resend:
		r.Filter.Statuses = []relay.Status{relay.StatusDelivered}
	case len(f.Statuses) == 0:
		r.Filter.Statuses = []relay.Status{relay.StatusFailed}
	}
	for _, s := range r.Filter.Statuses {
		if !slices.Contains(r.Statuses(), s) {
			return r, refuseField(codeInvalidValue, "filter.status", "a replay covers failed and skipped events, and with resend delivered ones")
		}
	}
	return r, nil
}

// dryRun counts the events that a replay would start.
func (h opsHandlers) dryRun(ctx context.Context, r ops.Replay) (ops.DryRun, error) {
	ctx, cancel := context.WithTimeout(ctx, countTimeout)
	defer cancel()
	ages := maxAges{h: h, ctx: ctx, setups: map[int64]ops.StorefrontConfig{}, known: map[place]time.Duration{}}
	dry, err := h.Replays.DryRun(ctx, r, ages.of)
	if errors.Is(err, context.DeadlineExceeded) {
		return dry, refuse(codeTooManyEvents)
	}
	return dry, err
}

// matched counts the events that a replay will start. A resend has to confirm the number of the dry run.
func (h opsHandlers) matched(ctx context.Context, r ops.Replay, in ReplayIn) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, countTimeout)
	defer cancel()
	n, err := h.Events.CountEvents(ctx, r.Pick())
	switch {
	case !in.Resend && errors.Is(err, context.DeadlineExceeded):
		return 0, nil // the number is informative; the replay follows its cursor
	case errors.Is(err, context.DeadlineExceeded):
		return 0, refuse(codeTooManyEvents)
	case err != nil:
		return 0, err
	case in.Resend && in.Confirm == nil:
		return 0, refuseField(codeMissingField, "confirm", "a resend needs the number of events of its dry run")
	case in.Confirm != nil && *in.Confirm != n:
		return 0, refuseField(codeConfirmMismatch, "confirm", fmt.Sprintf("the filter matches %d events now; repeat the dry run", n))
	}
	return n, nil
}

// setReplayState sets the state that is wanted of a replay. It is in the row, so that the latest request counts, whatever the workflow
// is doing, and while Temporal is away.
func (h opsHandlers) setReplayState(ctx context.Context, id int64, state ops.ReplayState, action ops.Action) (*replayOutput, error) {
	r, err := h.Replays.SteerReplay(ctx, id, state, entry(ctx, action, entityReplay, id, fmt.Sprintf("replay %d", id)))
	if err != nil {
		return nil, gone(err, "replay")
	}
	return h.steered(ctx, r, r.State == state)
}

// steered makes the workflow of a replay look at its row, and returns the response. ok reports that the row is as it was asked to be;
// otherwise the replay has ended.
func (h opsHandlers) steered(ctx context.Context, r ops.Replay, ok bool) (*replayOutput, error) {
	if !ok {
		return nil, refuseWith(codeReplayEnded, "the replay has ended: "+string(r.State))
	}
	_ = h.Runner.WakeReplay(ctx, r.ID) // where Temporal is away, the workflow sees the row later
	return h.replayOutput(ctx, r)
}
