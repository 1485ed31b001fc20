package workflows_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"relay/activities"
	"relay/internal/ops"
	"relay/internal/relay"
	"relay/workflows"
)

// replays is one replay of a number of events, each of which ends some time after its start.
type replays struct {
	mu      sync.Mutex
	replay  ops.Replay
	gaps    int // steps that find nothing although there is more
	fails   int // calls that fail
	takes   time.Duration
	open    []time.Time // when the events in flight will end
	now     func() time.Time
	starts  []time.Time // of each event
	ended   bool
	history []ops.ReplayState
	healthy time.Time // until then every match is held
	probes  int
}

func (r *replays) begin() (func(), error) {
	r.mu.Lock()
	if r.fails > 0 {
		r.fails--
		r.mu.Unlock()
		return nil, errors.New("order 4711 is locked")
	}
	return r.mu.Unlock, nil
}

func (r *replays) StepReplay(_ context.Context, _ int64, n int) (ops.ReplayStep, error) {
	unlock, err := r.begin()
	if err != nil {
		return ops.ReplayStep{}, err
	}
	defer unlock()
	step := ops.ReplayStep{}
	if r.replay.State == ops.ReplayRunning {
		switch {
		case r.gaps > 0:
			r.gaps--
		case r.now().Before(r.healthy):
			step.Held = min(n, int(r.replay.Matched-r.replay.Held))
			r.replay.Held += int64(step.Held)
			r.replay.Walked = r.replay.Held == r.replay.Matched
		default:
			r.replay.Held = 0
			step.Started = min(n, int(r.replay.Matched-r.replay.Started))
			r.replay.Started += int64(step.Started)
			r.replay.Walked = r.replay.Started == r.replay.Matched
		}
	}
	for range step.Started {
		r.starts = append(r.starts, r.now())
		r.open = append(r.open, r.now().Add(r.takes))
	}
	step.Walked, step.Replay = r.replay.Walked && r.replay.Held == 0, r.replay
	return step, nil
}

func (r *replays) HeldProbes(context.Context, int64) ([]relay.UnhealthyDestination, error) {
	return []relay.UnhealthyDestination{{Place: relay.Place{StorefrontID: 1, Destination: "meta"}}}, nil
}

func (r *replays) ProbeHeld(context.Context, int64, relay.Place, time.Duration) (bool, error) {
	r.probes++
	return true, nil
}

func (r *replays) SettleReplay(_ context.Context, _ int64, n int) (ops.ReplayStep, error) {
	unlock, err := r.begin()
	if err != nil {
		return ops.ReplayStep{}, err
	}
	defer unlock()
	settled := 0
	for settled < n && len(r.open) > 0 && !r.open[0].After(r.now()) {
		r.open = r.open[1:]
		settled++
	}
	r.replay.Delivered += int64(settled)
	return ops.ReplayStep{Settled: settled, Replay: r.replay}, nil
}

func (r *replays) SetReplayState(_ context.Context, _ int64, state ops.ReplayState) error {
	unlock, err := r.begin()
	if err != nil {
		return err
	}
	defer unlock()
	if !r.replay.State.Final() {
		r.replay.State = state
	}
	r.history = append(r.history, state)
	return nil
}

func (r *replays) EndReplay(context.Context, int64) error {
	unlock, err := r.begin()
	if err != nil {
		return err
	}
	defer unlock()
	r.ended = true
	return nil
}

type replayBundle struct {
	*testsuite.TestWorkflowEnvironment
	replays *replays
}

func setupReplay(t *testing.T, matched int64) *replayBundle {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(quiet{})
	b := &replayBundle{TestWorkflowEnvironment: suite.NewTestWorkflowEnvironment()}
	b.replays = &replays{replay: ops.Replay{ID: 7, State: ops.ReplayRunning, Rate: 20, Matched: matched}, takes: 3 * time.Second, now: b.Now}
	b.SetTestTimeout(2 * time.Minute)
	b.RegisterWorkflow(workflows.ReplayEvents)
	b.RegisterActivity(&activities.Activities{Replays: b.replays, Log: slog.New(slog.DiscardHandler)})
	return b
}

// run executes the workflow, and its continuations as new.
func (b *replayBundle) run(t *testing.T) error {
	t.Helper()
	b.ExecuteWorkflow(workflows.ReplayEvents, activities.ReplayInput{ID: 7})
	require.True(t, b.IsWorkflowCompleted())
	return b.GetWorkflowError()
}

func TestReplayEvents(t *testing.T) {
	t.Parallel()

	t.Run("1,000 events are started at 20 a second, and the replay waits for their ends", func(t *testing.T) {
		t.Parallel()
		b := setupReplay(t, 1000)
		begin := b.Now()
		require.NoError(t, b.run(t))
		require.True(t, b.replays.ended)
		require.Len(t, b.replays.starts, 1000)
		took := b.replays.starts[999].Sub(begin)
		require.GreaterOrEqual(t, took, 48*time.Second)
		require.LessOrEqual(t, took, 56*time.Second)
		require.Equal(t, int64(1000), b.replays.replay.Delivered)
	})

	t.Run("a long one continues as new, with its id only", func(t *testing.T) {
		t.Parallel()
		b := setupReplay(t, 1_000_000)
		err := b.run(t)
		var next *workflow.ContinueAsNewError
		require.ErrorAs(t, err, &next)
		require.LessOrEqual(t, len(next.Input.GetPayloads()[0].GetData()), 20)
		require.Greater(t, b.replays.replay.Started, int64(10_000))
		require.False(t, b.replays.ended)
	})

	t.Run("distant matches are searched without waiting", func(t *testing.T) {
		t.Parallel()
		b := setupReplay(t, 10)
		b.replays.gaps = 100
		begin := b.Now()
		require.NoError(t, b.run(t))
		require.LessOrEqual(t, b.replays.starts[0].Sub(begin), 5*time.Second)
	})

	t.Run("a pause holds it until it is resumed", func(t *testing.T) {
		t.Parallel()
		b := setupReplay(t, 200)
		begin := b.Now()
		b.RegisterDelayedCallback(func() { b.SignalWorkflow(workflows.SignalPause, nil) }, 3*time.Second)
		b.RegisterDelayedCallback(func() {
			v, err := b.QueryWorkflow(workflows.QueryProgress)
			require.NoError(t, err)
			var o activities.ReplayOutput
			require.NoError(t, v.Get(&o))
			require.Equal(t, ops.ReplayPaused, o.State)
			require.Equal(t, int64(200), o.Matched)
			require.Less(t, o.Started, int64(200))
		}, time.Hour)
		b.RegisterDelayedCallback(func() { b.SignalWorkflow(workflows.SignalResume, nil) }, 2*time.Hour)
		require.NoError(t, b.run(t))
		require.Equal(t, []ops.ReplayState{ops.ReplayPaused, ops.ReplayRunning}, b.replays.history)
		require.Len(t, b.replays.starts, 200)
		require.GreaterOrEqual(t, b.replays.starts[199].Sub(begin), 2*time.Hour)
	})

	t.Run("a changed row is read at once", func(t *testing.T) {
		t.Parallel()
		b := setupReplay(t, 200)
		begin := b.Now()
		set := func(state ops.ReplayState, after time.Duration) {
			b.RegisterDelayedCallback(func() {
				b.replays.mu.Lock()
				b.replays.replay.State = state
				b.replays.mu.Unlock()
				b.SignalWorkflow(workflows.SignalLook, nil)
			}, after)
		}
		set(ops.ReplayPaused, 3*time.Second)
		set(ops.ReplayRunning, time.Hour+time.Second)
		require.NoError(t, b.run(t))
		require.Empty(t, b.replays.history, "the workflow writes only requested states")
		require.Len(t, b.replays.starts, 200)
		last := b.replays.starts[199].Sub(begin)
		require.GreaterOrEqual(t, last, time.Hour)
		require.LessOrEqual(t, last, time.Hour+20*time.Second, "it does not sleep out its pause")
	})

	t.Run("events of an unhealthy destination wait, with probes, until it is healthy", func(t *testing.T) {
		t.Parallel()
		b := setupReplay(t, 200)
		begin := b.Now()
		b.replays.healthy = begin.Add(time.Hour)
		require.NoError(t, b.run(t))
		require.True(t, b.replays.ended)
		require.Len(t, b.replays.starts, 200)
		require.LessOrEqual(t, b.replays.starts[0].Sub(begin), time.Hour+31*time.Second)
		require.Positive(t, b.replays.probes)
		require.Less(t, b.replays.probes, 200, "it looks twice a minute")
	})

	t.Run("a cancelled one starts no more, and still counts the started events", func(t *testing.T) {
		t.Parallel()
		b := setupReplay(t, 100_000)
		b.replays.takes = 10 * time.Minute
		b.RegisterDelayedCallback(func() { b.SignalWorkflow(workflows.SignalCancel, nil) }, 10*time.Second)
		require.NoError(t, b.run(t))
		require.True(t, b.replays.ended)
		require.Less(t, len(b.replays.starts), 400)
		require.Equal(t, int64(len(b.replays.starts)), b.replays.replay.Delivered)
	})

	t.Run("a workflow that is cancelled cancels its replay", func(t *testing.T) {
		t.Parallel()
		b := setupReplay(t, 100_000)
		b.RegisterDelayedCallback(b.CancelWorkflow, 10*time.Second)
		require.Error(t, b.run(t))
		require.Equal(t, ops.ReplayCancelled, b.replays.replay.State)
	})

	t.Run("an unavailable database delays it", func(t *testing.T) {
		t.Parallel()
		b := setupReplay(t, 100)
		b.replays.fails = 8
		require.NoError(t, b.run(t))
		require.Equal(t, int64(100), b.replays.replay.Delivered)
	})
}
