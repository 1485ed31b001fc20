package activities_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"

	"relay/activities"
	"relay/internal/relay"
)

// inboxOnce returns some rows once, then none, and records the released ones.
type inboxOnce struct {
	mu       sync.Mutex
	rows     []relay.PendingDelivery
	claimErr error
	released []int64
	bounded  bool
	done     func()
}

func (i *inboxOnce) Claim(context.Context, int, int) ([]relay.PendingDelivery, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	rows := i.rows
	i.rows = nil
	return rows, i.claimErr
}

func (i *inboxOnce) Release(ctx context.Context, ids []int64) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	defer i.done()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	_, i.bounded = ctx.Deadline()
	i.released = append(i.released, ids...)
	return nil
}

// awayStarter is a Temporal that becomes unavailable: it starts rows with even ids, then the worker's context ends.
type awayStarter struct{ gone context.CancelFunc }

func (s awayStarter) StartDelivery(ctx context.Context, r relay.PendingDelivery) error {
	if r.ID%2 == 0 {
		return nil
	}
	if s.gone != nil {
		s.gone()
		<-ctx.Done()
		return ctx.Err()
	}
	return errors.New("away")
}

// noProbes is a health store without due probes.
type noProbes struct{ activities.HealthStore }

func (noProbes) DueProbes(context.Context, time.Duration) ([]relay.UnhealthyDestination, error) {
	return nil, nil
}

func TestClaimsWhoseStartsFailedAreReleased(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ cancelled, claimFails bool }{
		"Temporal does not respond":                      {},
		"the worker's context has ended with Temporal":   {cancelled: true},
		"another storefront's rows could not be claimed": {claimFails: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			inbox := &inboxOnce{rows: []relay.PendingDelivery{{ID: 1}, {ID: 2}, {ID: 3}, {ID: 4}}, done: cancel}
			if c.claimFails {
				inbox.claimErr = errors.New("locked")
			}
			starter := awayStarter{}
			if c.cancelled {
				starter.gone = cancel
			}
			var suite testsuite.WorkflowTestSuite
			env := suite.NewTestActivityEnvironment()
			env.SetWorkerStopChannel(stopped(ctx))
			a := &activities.Activities{Health: noProbes{}, Inbox: inbox, Starter: starter, PollInterval: time.Hour, Log: slog.New(slog.DiscardHandler)}
			env.RegisterActivity(a)
			poll := func(actx context.Context) error {
				actx, stop := context.WithCancel(actx)
				defer stop()
				context.AfterFunc(ctx, stop)
				_, _ = a.PollInbox(actx, activities.PollInput{})
				return nil
			}
			env.RegisterActivity(poll)
			_, err := env.ExecuteActivity(poll)
			require.NoError(t, err)
			require.ElementsMatch(t, []int64{1, 3}, inbox.released)
			require.True(t, inbox.bounded)
		})
	}
}

// stopped is a channel that closes with ctx.
func stopped(ctx context.Context) chan struct{} {
	c := make(chan struct{})
	context.AfterFunc(ctx, func() { close(c) })
	return c
}
