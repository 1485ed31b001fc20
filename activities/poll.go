package activities

import (
	"context"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"relay/internal/relay"
)

// Inbox hands out pending rows under a lease.
type Inbox interface {
	// Claim leases pending rows of one part of the storefronts, fairly between these, and ends those that can never be
	// delivered. With an error it returns what it had claimed before.
	Claim(ctx context.Context, shard, of int) ([]relay.PendingDelivery, error)
	// Release ends leases early.
	Release(ctx context.Context, ids []int64) error
}

// Starter starts the delivery of one row; starting it again is harmless.
type Starter interface {
	StartDelivery(ctx context.Context, s relay.PendingDelivery) error
}

// PollInput is the part of the storefronts that a poller polls for.
type PollInput struct {
	Shard int `json:",omitempty"`
}

// PollOutput reports that the part no longer exists.
type PollOutput struct {
	Over bool `json:",omitempty"`
}

// PollInbox claims pending rows and starts their deliveries until its time is over or its worker stops. It starts
// direct rows, rows beyond START_BURST, and rows whose start was lost in a crash. How many parts there are is this process's setting,
// so that a change needs no agreement: parts may overlap while workers are replaced, which the leases of the rows allow.
func (a *Activities) PollInbox(ctx context.Context, in PollInput) (PollOutput, error) {
	shards := max(1, a.PollShards)
	if in.Shard >= shards {
		return PollOutput{Over: true}, nil
	}
	defer a.polls.Add(-1)
	if a.polls.Add(1); a.pollsTooMuch() && activity.GetInfo(ctx).Attempt == 1 {
		return PollOutput{}, errElsewhere
	}
	deadline, moves := time.Now().Add(pollFor), time.Now().Add(pollMoves)
	stop := activity.GetWorkerStopChannel(ctx)
	defer heartbeat(ctx)()
	pace := newStartLimiter()
	probes := prober{Activities: a}
	for time.Now().Before(deadline) {
		if in.Shard == 0 {
			probes.look(ctx)
		}
		pause := time.Duration(0)
		if n := a.pollOnce(ctx, pace, in.Shard, shards); n == 0 {
			pause = a.PollInterval
		}
		select {
		case <-ctx.Done():
			return PollOutput{}, ctx.Err()
		case <-stop:
			return PollOutput{}, nil
		case <-time.After(pause):
		}
		if time.Now().After(moves) && a.pollsTooMuch() {
			return PollOutput{}, nil
		}
	}
	return PollOutput{}, nil
}

// errElsewhere lets another worker poll. The next execution polls wherever it runs.
var errElsewhere = temporal.NewApplicationErrorWithOptions("this worker has its part of the pollers", "elsewhere",
	temporal.ApplicationErrorOptions{Category: temporal.ApplicationErrorCategoryBenign})

// pollsTooMuch reports whether this process runs more than its part of the pollers.
func (a *Activities) pollsTooMuch() bool {
	workers := 1
	if a.Workers != nil {
		workers = max(1, a.Workers())
	}
	return a.polls.Load() > int64((max(1, a.PollShards)+workers-1)/workers)
}

// pollOnce is one round over the storefronts. It returns how many deliveries it started; with an error that is 0, so that
// the next round waits.
func (a *Activities) pollOnce(ctx context.Context, p *startLimiter, shard, of int) int {
	began := time.Now()
	starts, err := a.Inbox.Claim(ctx, shard, of)
	if a.Meter != nil {
		for _, s := range starts {
			a.Meter.Claimed(s)
		}
	}
	failed := a.startAll(ctx, starts, p) // also what was claimed before an error
	if len(starts) > 0 {
		a.Log.InfoContext(ctx, "inbox.polled", "claimed", len(starts), "started", len(starts)-len(failed), "duration_ms", time.Since(began).Milliseconds())
	}
	if err != nil {
		a.Log.WarnContext(ctx, "inbox.claim_failed", "error", err)
	}
	if len(failed) > 0 {
		a.Log.WarnContext(ctx, "inbox.starts_failed", "failed", len(failed), "of", len(starts))
		a.release(ctx, failed)
	}
	if err != nil || len(failed) > 0 {
		return 0
	}
	return len(starts)
}

// release ends leases early, also after the end of ctx, by which starts fail when Temporal or the worker stops.
func (a *Activities) release(ctx context.Context, ids []int64) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	if err := a.Inbox.Release(ctx, ids); err != nil {
		a.Log.WarnContext(ctx, "inbox.release_failed", "error", err) // the lease ends by itself
	}
}

// startAll starts deliveries, a few at a time, and returns the ids of those that failed to start.
func (a *Activities) startAll(ctx context.Context, starts []relay.PendingDelivery, p *startLimiter) []int64 {
	var (
		mu     sync.Mutex
		failed []int64
		wg     sync.WaitGroup
	)
	for _, s := range starts {
		p.enter()
		wg.Go(func() {
			began := time.Now()
			defer func() { p.leave(time.Since(began)) }()
			ctx, cancel := context.WithTimeout(ctx, startTimeout)
			defer cancel()
			if a.Starter.StartDelivery(ctx, s) != nil {
				mu.Lock()
				failed = append(failed, s.ID)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return failed
}

// heartbeat records a heartbeat every second until the returned function is called. Only a worker that died is silent.
func heartbeat(ctx context.Context) func() {
	ctx, stop := context.WithCancel(ctx)
	go func() {
		for tick := time.NewTicker(time.Second); ; {
			activity.RecordHeartbeat(ctx)
			select {
			case <-ctx.Done():
				tick.Stop()
				return
			case <-tick.C:
			}
		}
	}()
	return stop
}
