package cmd

import (
	"context"
	"log/slog"
	"maps"
	"sync"
	"time"

	"relay/activities"
	"relay/internal/ops"
	"relay/internal/relay"
)

const (
	flushEvery   = 10 * time.Second
	flushTimeout = 5 * time.Second
	purgeAfter   = 30     // flushes
	purgeRounds  = 10     // statements at most, so that a backlog goes within hours and nothing waits for it
	maxCounted   = 50_000 // keys that are kept while the database is away
)

// attemptStore keeps counts of attempts.
type attemptStore interface {
	AddAttempts(ctx context.Context, counts map[ops.AttemptKey]int64) error
	PurgeAttemptStats(ctx context.Context) (more bool, err error)
}

// attemptCounter counts the attempts of this process for the stats of the admin API, and adds them to the database now and then: no
// attempt costs a statement more.
type attemptCounter struct {
	store attemptStore
	log   *slog.Logger
	now   func() time.Time

	mu     sync.Mutex
	counts map[ops.AttemptKey]int64
}

func newAttemptCounter(store attemptStore, log *slog.Logger) *attemptCounter {
	return &attemptCounter{store: store, log: log, now: time.Now, counts: map[ops.AttemptKey]int64{}}
}

func (a *attemptCounter) attempted(storefront, destination string, r relay.Result, took time.Duration) {
	key := ops.AttemptKey{Minute: a.now().UTC().Truncate(time.Minute), Storefront: storefront, Destination: destination, Outcome: r.Outcome,
		Status: r.Status, Range: ops.AttemptRange(took)}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.counts[key]++
}

// run flushes until ctx ends, and once more then.
func (a *attemptCounter) run(ctx context.Context) {
	for n := 1; ctx.Err() == nil; n++ {
		pause(ctx, flushEvery)
		a.flush(context.WithoutCancel(ctx))
		if n%purgeAfter == 0 && ctx.Err() == nil {
			a.purge(ctx)
		}
	}
}

// flush adds the counts to the database. Where that fails they are kept for the next time, as long as they are not too many. A
// lost response may count them twice.
func (a *attemptCounter) flush(ctx context.Context) {
	a.mu.Lock()
	counts := a.counts
	a.counts = map[ops.AttemptKey]int64{}
	a.mu.Unlock()
	if len(counts) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, flushTimeout)
	defer cancel()
	err := a.store.AddAttempts(ctx, counts)
	if err == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(counts)+len(a.counts) > maxCounted {
		a.log.WarnContext(ctx, "attempt_stats.lost", "keys", len(counts), "error", err)
		return
	}
	a.log.DebugContext(ctx, "attempt_stats.delayed", "error", err)
	for key, n := range a.counts {
		counts[key] += n
	}
	a.counts = maps.Clone(counts)
}

func (a *attemptCounter) purge(ctx context.Context) {
	for range purgeRounds {
		more, err := a.store.PurgeAttemptStats(ctx)
		if err != nil {
			a.log.DebugContext(ctx, "attempt_stats.unpurged", "error", err)
		}
		if err != nil || !more {
			return
		}
	}
}

// countingMeter counts attempts for the stats, beside what the meter of the metrics counts, if there is one.
type countingMeter struct {
	next     activities.Meter
	attempts *attemptCounter
}

// Claimed implements activities.Meter.
func (m countingMeter) Claimed(s relay.PendingDelivery) {
	if m.next != nil {
		m.next.Claimed(s)
	}
}

// Attempted implements activities.Meter.
func (m countingMeter) Attempted(storefront, destination string, r relay.Result, took time.Duration) {
	m.attempts.attempted(storefront, destination, r, took)
	if m.next != nil {
		m.next.Attempted(storefront, destination, r, took)
	}
}

// Ended implements activities.Meter.
func (m countingMeter) Ended(storefront, destination string, o relay.Outcome) {
	if m.next != nil {
		m.next.Ended(storefront, destination, o)
	}
}

// Finished implements activities.Meter.
func (m countingMeter) Finished(s relay.Status, r relay.Reason) {
	if m.next != nil {
		m.next.Finished(s, r)
	}
}
