package activities

import (
	"context"
	"time"

	"go.temporal.io/sdk/activity"

	"relay/internal/ops"
	"relay/internal/relay"
)

// Replays are the replays in the database, which keeps their cursors: the workflow has none.
type Replays interface {
	// StepReplay sets up to n more events back to pending and moves the cursor, both or neither.
	StepReplay(ctx context.Context, id int64, n int) (ops.ReplayStep, error)
	// HeldProbes lists the unhealthy destinations whose probe is due and for which a replay holds events.
	HeldProbes(ctx context.Context, id int64) ([]relay.UnhealthyDestination, error)
	// ProbeHeld starts one event that a replay holds for an unhealthy destination, as its probe, and reports whether it did.
	ProbeHeld(ctx context.Context, id int64, p relay.Place, next time.Duration) (bool, error)
	// SettleReplay counts up to n of its events that have ended.
	SettleReplay(ctx context.Context, id int64, n int) (ops.ReplayStep, error)
	// SetReplayState stores the state; a final state stays.
	SetReplayState(ctx context.Context, id int64, state ops.ReplayState) error
	// EndReplay writes that all of its events have ended.
	EndReplay(ctx context.Context, id int64) error
}

// StatsStore updates the hourly statistics.
type StatsStore interface {
	// RollUp counts the hours that need it, for about as long as the budget, and says how many those were.
	RollUp(ctx context.Context, budget time.Duration) (int, error)
}

// ReplayInput names a replay, and how many events its next step may start, or its new state.
type ReplayInput struct {
	ID    int64
	Size  int             `json:",omitempty"`
	State ops.ReplayState `json:",omitempty"`
}

// ReplayOutput is the progress of a replay: numbers only, because a filter may hold an order's id.
type ReplayOutput struct {
	State                                        ops.ReplayState
	Matched, Started, Delivered, Failed, Skipped int64
	Walked                                       bool // nothing is left to start
	Rate                                         int
	Now                                          int   // started in this step
	HeldNow                                      int   `json:",omitempty"` // matches found in this step that wait for their destination
	Held                                         int64 `json:",omitempty"` // matches that wait for their destination, once all others have been started
}

// InFlight are events that were started and have not ended.
func (o ReplayOutput) InFlight() int64 { return o.Started - o.Delivered - o.Failed - o.Skipped }

// StepReplay counts the events of a replay that have ended and starts the next. Safe to retry: it continues from
// the stored cursor.
func (a *Activities) StepReplay(ctx context.Context, in ReplayInput) (ReplayOutput, error) {
	for {
		settled, err := a.Replays.SettleReplay(ctx, in.ID, settlePage)
		if err != nil {
			return ReplayOutput{}, opaque(err)
		}
		if settled.Settled < settlePage {
			break
		}
		activity.RecordHeartbeat(ctx)
	}
	step, err := a.Replays.StepReplay(ctx, in.ID, in.Size)
	if err != nil {
		return ReplayOutput{}, opaque(err)
	}
	r := step.Replay
	if r.Held > 0 {
		if err := a.probeHeld(ctx, in.ID); err != nil {
			return ReplayOutput{}, opaque(err)
		}
	}
	if step.Started > 0 {
		a.Log.InfoContext(ctx, "replay.stepped", "replay", in.ID, "started", step.Started, "of", r.Matched, "started_in_all", r.Started)
	}
	held := int64(0)
	if r.Walked {
		held = r.Held
	}
	return ReplayOutput{State: r.State, Matched: r.Matched, Started: r.Started, Delivered: r.Delivered, Failed: r.Failed,
		Skipped: r.Skipped, Walked: step.Walked, Rate: r.Rate, Now: step.Started,
		HeldNow: step.Held, Held: held}, nil
}

// probeHeld lets one event go to each unhealthy destination for which a replay holds events, once the probe there is due.
func (a *Activities) probeHeld(ctx context.Context, id int64) error {
	due, err := a.Replays.HeldProbes(ctx, id)
	for _, sick := range due {
		var probed bool
		if err == nil {
			probed, err = a.Replays.ProbeHeld(ctx, id, sick.Place, a.Policy.ProbeDelay(sick.Probes+1, sick.Reason))
		}
		if probed {
			a.Log.InfoContext(ctx, "destination.probed", "storefront_id", sick.StorefrontID, "destination", sick.Destination, "replay", id)
		}
	}
	return err
}

// SetReplayState pauses, resumes or cancels a replay.
func (a *Activities) SetReplayState(ctx context.Context, in ReplayInput) error {
	a.Log.InfoContext(ctx, "replay.state", "replay", in.ID, "state", in.State)
	return opaque(a.Replays.SetReplayState(ctx, in.ID, in.State))
}

// EndReplay writes that a replay has nothing left to wait for.
func (a *Activities) EndReplay(ctx context.Context, in ReplayInput) error {
	a.Log.InfoContext(ctx, "replay.ended", "replay", in.ID)
	return opaque(a.Replays.EndReplay(ctx, in.ID))
}

// RollUpStats updates the statistics of the hours marked for counting.
func (a *Activities) RollUpStats(ctx context.Context) (int, error) {
	began := time.Now()
	n, err := a.StatsStore.RollUp(ctx, rollUpBudget)
	a.Log.DebugContext(ctx, "stats.counted", "hours", n, "duration_ms", time.Since(began).Milliseconds(), "ok", err == nil)
	return n, opaque(err)
}
