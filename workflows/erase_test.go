package workflows_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/testsuite"

	"relay/activities"
	"relay/internal/ops"
	"relay/internal/relay"
	"relay/workflows"
)

// archive is an inbox of n events, some of which are to be erased, and their workflows in Temporal.
type archive struct {
	mu       sync.Mutex
	total    int64
	erasure  ops.Erasure
	matches  map[int64]ops.EventState // of events that are to be erased
	open     map[int64]bool           // noted and not finished with
	runs     map[int64]int            // in Temporal
	endsAt   map[int64]time.Time      // of deliveries that were cancelled
	settles  map[int64]time.Time
	fails    int
	now      func() time.Time
	canceled []int64
	stubborn bool // deliveries ignore their cancellation
	killed   []int64
}

func (a *archive) begin() (func(), error) {
	a.mu.Lock()
	if a.fails > 0 {
		a.fails--
		a.mu.Unlock()
		return nil, errors.New("order 4711 is locked")
	}
	return a.mu.Unlock, nil
}

func (a *archive) SearchErasure(_ context.Context, _ int64, n int) (ops.Erasure, error) {
	unlock, err := a.begin()
	if err != nil {
		return ops.Erasure{}, err
	}
	defer unlock()
	for range n {
		if a.erasure.Scanned == a.total {
			break
		}
		a.erasure.Scanned++
		if _, wanted := a.matches[a.erasure.Scanned]; wanted {
			a.open[a.erasure.Scanned] = true
			a.erasure.Matched++
		}
	}
	a.erasure.Walked = a.erasure.Scanned == a.total
	return a.erasure, nil
}

func (a *archive) ErasureItems(_ context.Context, _ int64, n int) ([]ops.EventState, error) {
	unlock, err := a.begin()
	if err != nil {
		return nil, err
	}
	defer unlock()
	var list []ops.EventState
	for id := int64(1); id <= a.total && len(list) < n; id++ {
		if !a.open[id] {
			continue
		}
		e := a.matches[id]
		if at, asked := a.endsAt[id]; asked && !a.now().Before(at) && !e.Status.Final() {
			e.Status = relay.StatusFailed
			a.settles[id] = a.now().Add(20 * time.Second)
		}
		e.ID, e.Settled = id, !a.now().Before(a.settles[id])
		a.matches[id] = e
		list = append(list, e)
	}
	return list, nil
}

func (a *archive) Cancel(_ context.Context, id int64, _ string, c relay.EventOutcome) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	e := a.matches[id]
	e.Status, a.settles[id] = c.Status, a.now().Add(20*time.Second)
	a.matches[id] = e
	return nil
}

func (a *archive) EraseEvent(_ context.Context, id int64) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	e := a.matches[id]
	if !e.Status.Final() {
		return fmt.Errorf("event %d is open", id)
	}
	e.Erased = true
	a.matches[id] = e
	return nil
}

func (a *archive) CloseItems(_ context.Context, _ int64, events []int64) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, id := range events {
		delete(a.open, id)
	}
	a.erasure.Erased += int64(len(events))
	return nil
}

func (a *archive) EndErasure(context.Context, int64) (ops.Erasure, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.erasure.Walked && len(a.open) == 0 {
		a.erasure.State = ops.ErasureDone
	}
	return a.erasure, nil
}

func (a *archive) CancelDelivery(_ context.Context, id int64) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.runs[id] == 0 {
		return relay.ErrNotFound
	}
	if _, asked := a.endsAt[id]; !asked {
		a.canceled = append(a.canceled, id)
		a.endsAt[id] = a.now().Add(3 * time.Second)
		if a.stubborn {
			a.endsAt[id] = a.now().Add(1000 * time.Hour)
		}
	}
	return nil
}

func (a *archive) TerminateDelivery(_ context.Context, id int64) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.killed = append(a.killed, id)
	return nil
}

func (a *archive) DeleteDeliveries(_ context.Context, rows []int64) ([]int64, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var found []int64
	for _, id := range rows {
		if a.runs[id] > 0 {
			found = append(found, id)
			delete(a.runs, id)
		}
	}
	return found, nil
}

type eraseBundle struct {
	*testsuite.TestWorkflowEnvironment
	archive *archive
}

func setupErase(t *testing.T, total int64, matches map[int64]ops.EventState) *eraseBundle {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(quiet{})
	b := &eraseBundle{TestWorkflowEnvironment: suite.NewTestWorkflowEnvironment()}
	b.archive = &archive{total: total, matches: matches, open: map[int64]bool{}, runs: map[int64]int{}, endsAt: map[int64]time.Time{},
		settles: map[int64]time.Time{}, now: b.Now, erasure: ops.Erasure{ID: 7, State: ops.ErasureRunning, Total: total}}
	for id := range matches {
		b.archive.runs[id] = 2
	}
	b.SetTestTimeout(time.Minute)
	b.RegisterWorkflow(workflows.EraseEvents)
	b.RegisterActivity(&activities.Activities{Erasures: b.archive, Deliveries: b.archive, Log: slog.New(slog.DiscardHandler)})
	return b
}

func (b *eraseBundle) run() error {
	b.ExecuteWorkflow(workflows.EraseEvents, activities.EraseInput{ID: 7})
	return b.GetWorkflowError()
}

func TestEraseEvents(t *testing.T) {
	t.Parallel()
	ended := ops.EventState{Status: relay.StatusDelivered}

	t.Run("all that match are erased, with their workflows", func(t *testing.T) {
		t.Parallel()
		matches := map[int64]ops.EventState{}
		for n := int64(1); n <= 120; n++ {
			matches[n*37] = ended
		}
		b := setupErase(t, 5000, matches)
		require.NoError(t, b.run())
		require.Equal(t, []int64{5000, 120, 120}, []int64{b.archive.erasure.Scanned, b.archive.erasure.Matched, b.archive.erasure.Erased})
		require.Empty(t, b.archive.runs)
		for id, e := range b.archive.matches {
			require.True(t, e.Erased, id)
		}
		v, err := b.QueryWorkflow(workflows.QueryProgress)
		require.NoError(t, err)
		var o activities.EraseOutput
		require.NoError(t, v.Get(&o))
		require.Equal(t, activities.EraseOutput{State: ops.ErasureDone, Total: 5000, Scanned: 5000, Matched: 120, Erased: 120}, o)
	})

	t.Run("an open delivery is cancelled, and the erasure waits until no attempt can be running", func(t *testing.T) {
		t.Parallel()
		b := setupErase(t, 3, map[int64]ops.EventState{1: {Status: relay.StatusProcessing, Run: "run"}, 2: {Status: relay.StatusPending}, 3: ended})
		b.archive.runs[2] = 0
		begin := b.Now()
		require.NoError(t, b.run())
		require.Equal(t, []int64{1}, b.archive.canceled)
		require.Equal(t, int64(3), b.archive.erasure.Erased)
		require.GreaterOrEqual(t, b.Now().Sub(begin), 23*time.Second)
		require.Less(t, b.Now().Sub(begin), 2*time.Minute)
		for id, e := range b.archive.matches {
			require.True(t, e.Erased && e.Status.Final(), id)
		}
	})

	t.Run("a delivery whose workflow is lost is ended in the database", func(t *testing.T) {
		t.Parallel()
		b := setupErase(t, 1, map[int64]ops.EventState{1: {Status: relay.StatusProcessing, Run: "run"}})
		b.archive.runs[1] = 0
		require.NoError(t, b.run())
		require.Equal(t, int64(1), b.archive.erasure.Erased)
	})

	t.Run("a delivery that ignores its cancellation is terminated", func(t *testing.T) {
		t.Parallel()
		b := setupErase(t, 1, map[int64]ops.EventState{1: {Status: relay.StatusProcessing, Run: "run"}})
		b.archive.stubborn = true
		begin := b.Now()
		require.NoError(t, b.run())
		require.Equal(t, []int64{1}, b.archive.canceled)
		require.Equal(t, []int64{1}, b.archive.killed)
		require.Equal(t, int64(1), b.archive.erasure.Erased)
		require.GreaterOrEqual(t, b.Now().Sub(begin), 30*time.Second)
		require.Less(t, b.Now().Sub(begin), 3*time.Minute)
	})

	t.Run("an erasure without matches ends", func(t *testing.T) {
		t.Parallel()
		b := setupErase(t, 10_000, nil)
		require.NoError(t, b.run())
		require.Equal(t, ops.ErasureDone, b.archive.erasure.State)
	})

	t.Run("an unavailable database delays it, and its error text stays out of Temporal", func(t *testing.T) {
		t.Parallel()
		b := setupErase(t, 10, map[int64]ops.EventState{4: ended})
		b.archive.fails = 8
		var words []string
		b.SetOnActivityCompletedListener(func(_ *activity.Info, _ converter.EncodedValue, err error) {
			if err != nil {
				words = append(words, err.Error())
			}
		})
		require.NoError(t, b.run())
		require.Equal(t, int64(1), b.archive.erasure.Erased)
		for _, w := range words {
			require.NotContains(t, w, "4711")
		}
	})
}
