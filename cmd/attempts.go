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
	maxCounted   = 50_000 // keys that are kept while the database is away
)

// attemptStore keeps counts of attempts.
type attemptStore interface {
	AddAttempts(ctx context.Context, counts map[ops.AttemptKey]int64) error
	// NoteAttempts notes when destinations were last attempted; repeating it is safe.
	NoteAttempts(ctx context.Context, last map[ops.AttemptPlace]ops.LastAttempts) error
	AddServiceCounts(ctx context.Context, counts map[time.Time]ops.ServiceCounts) error
}

// attemptCounter counts the attempts of this process for the stats of the admin API, and adds them to the database now and then: no
// attempt costs a statement more.
type attemptCounter struct {
	store attemptStore
	log   *slog.Logger
	now   func() time.Time

	mu     sync.Mutex
	counts map[ops.AttemptKey]int64
	last   map[ops.AttemptPlace]ops.LastAttempts // since the last flush
	served map[time.Time]ops.ServiceCounts
}

func newAttemptCounter(store attemptStore, log *slog.Logger) *attemptCounter {
	return &attemptCounter{store: store, log: log, now: time.Now, counts: map[ops.AttemptKey]int64{},
		last: map[ops.AttemptPlace]ops.LastAttempts{}, served: map[time.Time]ops.ServiceCounts{}}
}

func (a *attemptCounter) attempted(storefront, destination string, r relay.Result, took time.Duration) {
	now := a.now().UTC()
	place, last := ops.AttemptPlace{Storefront: storefront, Destination: destination}, ops.LastAttempts{Attempt: now}
	if r.Outcome == relay.Accepted {
		last.Accepted = now
	}
	key := ops.AttemptKey{Minute: now.Truncate(time.Minute), Storefront: storefront, Destination: destination, Outcome: r.Outcome,
		Status: r.Status, Range: ops.AttemptRange(took)}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.counts[key]++
	a.last[place] = a.last[place].Or(last)
}

// serve adds to the counts of deliveries.
func (a *attemptCounter) serve(c ops.ServiceCounts) {
	at := a.now().UTC().Truncate(ops.ServiceStep)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.served[at] = a.served[at].Plus(c)
}

// run flushes until ctx ends, and once more then.
func (a *attemptCounter) run(ctx context.Context) {
	for ctx.Err() == nil {
		pause(ctx, flushEvery)
		a.flush(context.WithoutCancel(ctx))
	}
}

// flush adds the counts to the database. If that fails, they are kept for the next time, up to maxCounted. A
// lost response may count them twice.
func (a *attemptCounter) flush(ctx context.Context) {
	a.mu.Lock()
	counts, last := a.counts, a.last
	a.counts, a.last = map[ops.AttemptKey]int64{}, map[ops.AttemptPlace]ops.LastAttempts{}
	a.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, flushTimeout)
	defer cancel()
	a.flushServed(ctx)
	if len(counts) == 0 && len(last) == 0 {
		return
	}
	err := a.store.NoteAttempts(ctx, last) // first: it may be repeated
	if err == nil {
		err = a.store.AddAttempts(ctx, counts)
	}
	if err == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for place, l := range last { // no more than there are destinations
		a.last[place] = a.last[place].Or(l)
	}
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

// flushServed does the same with the counts of deliveries: a few rows, however long the database is away.
func (a *attemptCounter) flushServed(ctx context.Context) {
	a.mu.Lock()
	served := a.served
	a.served = map[time.Time]ops.ServiceCounts{}
	a.mu.Unlock()
	err := a.store.AddServiceCounts(ctx, served)
	if err == nil {
		return
	}
	a.log.DebugContext(ctx, "service_levels.delayed", "error", err)
	a.mu.Lock()
	defer a.mu.Unlock()
	for at, c := range served {
		a.served[at] = a.served[at].Plus(c)
	}
}

// countingMeter counts attempts for the stats, and passes them on to the meter of the metrics, if there is one.
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

// Delivered implements activities.Meter.
func (m countingMeter) Delivered(storefront, destination string, after time.Duration) {
	m.attempts.serve(ops.CountDelay(after))
	if m.next != nil {
		m.next.Delivered(storefront, destination, after)
	}
}

// Ended implements activities.Meter.
func (m countingMeter) Ended(storefront, destination string, o relay.Outcome) {
	m.attempts.serve(ops.CountEnd(o))
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
