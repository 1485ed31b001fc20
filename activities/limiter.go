package activities

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"

	"relay/internal/relay"
)

const (
	// longestStay is how long an attempt waits for its turn within its own activity. A longer wait is a timer of the workflow,
	// which costs a dozen events of its history.
	longestStay = 2 * time.Second
	// shortStay is the bound where the activity has no deadline.
	shortStay = 500 * time.Millisecond
	// afterTurn is what an attempt needs of its activity's time once it has its turn.
	afterTurn = recordTimeout + exchangeTimeout + completeTimeout
	// shortestSleep and longestSleep bound the timer. The upper one lets a raised limit reach events that sleep.
	shortestSleep = time.Second
	longestSleep  = 10 * time.Minute
	// shortestLead and longestLead bound how long before its turn a sleeper wakes, so that no turn passes unused. The upper one
	// is less than longestStay: an event that is on time does not leave again.
	shortestLead = 250 * time.Millisecond
	longestLead  = 1500 * time.Millisecond
)

// Limiter bounds the attempts of one worker process: each destination gets its attempts within its limits, in the order of the
// events, and each storefront keeps within its share of the worker, so that a slow destination leaves room for other
// storefronts. An attempt whose turn is far off keeps its place in the queue, leaves, and returns after the wait that Enter returned.
//
// The queue is this process's. An event that returns at another worker takes its place there by its row's id, so the order
// is kept; its place in the former queue expires. The zero value has no share per storefront and one worker.
type Limiter struct {
	// PerStorefront is how many attempts of one storefront may be in flight; 0 is no limit.
	PerStorefront int
	// Workers is how many worker processes share the limits; nil is one.
	Workers func() int
	// Now is the clock; nil is the real one.
	Now func() time.Time

	mu     sync.Mutex
	queues map[limiterKey]*queue
}

// limiterKey is a destination of a storefront or, without one, the storefront.
type limiterKey struct {
	storefront  int64
	destination string
}

// enter waits for the turn of an event's attempt, and returns the function that ends it; or it returns how long to stay away.
func (g *Limiter) enter(ctx context.Context, key limiterKey, event int64, l relay.Limits) (leave func(), wait time.Duration) {
	share := limiterKey{storefront: key.storefront}
	leaveShare, wait := g.pass(ctx, share, event, relay.Limits{InFlight: g.PerStorefront})
	if wait > 0 {
		return nil, wait
	}
	leaveOne, wait := g.pass(ctx, key, event, g.divide(l))
	if wait > 0 {
		leaveShare()
		return nil, wait
	}
	return func() { leaveOne(); leaveShare() }, 0
}

// enterNow is enter for an attempt that does not wait here. If its turn has not come, leave is nil, and wait is how long to stay away
// where the destination's limit is known to delay it for long. Where it is not known, the event keeps its place in the order for the
// time of its next attempt to enter.
func (g *Limiter) enterNow(key limiterKey, event int64, l relay.Limits) (leave func(), wait time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	share := limiterKey{storefront: key.storefront}
	now, all, one := g.now(), g.at(share), g.at(key)
	all.limits, one.limits = relay.Limits{InFlight: g.PerStorefront}, g.divide(l)
	if all.open(now) && one.open(now) {
		first, second := all.turnNow(event, now), one.turnNow(event, now)
		return func() { g.leave(key, second); g.leave(share, first) }, 0
	}
	if !one.limited() {
		return nil, 0
	}
	if delay := one.delay(event, now); one.ended >= learnedFrom && delay > longestStay && all.open(now) {
		return nil, one.sleep(event, now, delay)
	}
	one.keep(event, now.Add(longestStay))
	return nil, 0
}

// pass takes one queue.
func (g *Limiter) pass(ctx context.Context, key limiterKey, event int64, l relay.Limits) (leave func(), wait time.Duration) {
	stay := stayOf(ctx)
	t, wait := g.join(key, event, l, stay)
	if wait > 0 {
		return nil, wait
	}
	select {
	case <-t.turn: // usually at once
	default:
		if wait = g.await(ctx, key, t, stay); wait > 0 {
			return nil, wait
		}
	}
	return func() { g.leave(key, t) }, 0
}

// await waits for a turn in this process, and returns how long to stay away where it did not come.
func (g *Limiter) await(ctx context.Context, key limiterKey, t *ticket, stay time.Duration) time.Duration {
	timer := time.NewTimer(stay)
	defer timer.Stop()
	var stop <-chan struct{}
	if activity.IsActivity(ctx) {
		stop = activity.GetWorkerStopChannel(ctx)
	}
	select {
	case <-t.turn:
		return 0
	case <-timer.C:
	case <-ctx.Done():
	case <-stop: // another worker continues
	}
	return g.abandon(key, t)
}

// join queues for a turn. It returns how long to stay away where that is longer than stay.
func (g *Limiter) join(key limiterKey, event int64, l relay.Limits, stay time.Duration) (*ticket, time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now, one := g.now(), g.at(key)
	one.limits = l
	if !one.wakeUp(event, now) {
		stay /= 2 // the estimate may be wrong by the other half
	}
	if shut := one.closed.Sub(now); shut > 0 {
		if !one.limited() {
			return nil, shut + jitter(shortestSleep)
		}
		return nil, one.sleep(event, now, shut+one.delay(event, now))
	}
	t := &ticket{event: event, turn: make(chan struct{})}
	one.add(t)
	g.serve(one, now)
	if t.began.IsZero() {
		if delay := one.delay(event, now); delay > stay {
			one.drop(t)
			return nil, one.sleep(event, now, delay)
		}
	}
	return t, 0
}

// abandon leaves the queue, unless the turn came at the last moment.
func (g *Limiter) abandon(key limiterKey, t *ticket) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !t.began.IsZero() {
		return 0
	}
	now, one := g.now(), g.at(key)
	one.drop(t)
	return one.sleep(t.event, now, one.delay(t.event, now))
}

// leave ends an attempt, so that the next one can start.
func (g *Limiter) leave(key limiterKey, t *ticket) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now, one := g.now(), g.at(key)
	one.inFlight--
	one.learn(now.Sub(t.began))
	g.serve(one, now)
	if one.idle(now) {
		delete(g.queues, key)
	}
}

// serve starts the attempts whose turn has come in this process. If only the rate delays the next one, it sets a timer.
func (g *Limiter) serve(one *queue, now time.Time) {
	if again := one.serve(now); again > 0 && !one.timed {
		one.timed = true
		time.AfterFunc(again, func() {
			g.mu.Lock()
			defer g.mu.Unlock()
			one.timed = false
			g.serve(one, g.now())
		})
	}
}

// close starts no attempts at a destination that asked for a pause; those under way continue.
func (g *Limiter) close(key limiterKey, d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	one := g.at(key)
	if until := g.now().Add(d); until.After(one.closed) {
		one.closed = until
	}
}

// Capacity is how many attempts a destination takes within a time under its limits, in all worker processes together. At
// least one, so that its events start.
func (g *Limiter) Capacity(storefront int64, destination string, l relay.Limits, within time.Duration) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	hold := assumedExchange
	if one, ok := g.queues[limiterKey{storefront, destination}]; ok {
		hold = one.holds(g.now())
	}
	return max(1, l.InFlight, int(within/max(spacing(l, hold), time.Microsecond)))
}

// divide is this process's part of the limits of the whole deployment. A process never has less than one place in flight.
func (g *Limiter) divide(l relay.Limits) relay.Limits {
	n := 1
	if g.Workers != nil {
		n = max(1, g.Workers())
	}
	if l.InFlight > 0 {
		l.InFlight = max(1, l.InFlight/n)
	}
	l.PerSecond /= float64(n)
	return l
}

func (g *Limiter) at(key limiterKey) *queue {
	if g.queues == nil {
		g.queues = map[limiterKey]*queue{}
	}
	one, ok := g.queues[key]
	if !ok {
		one = &queue{}
		g.queues[key] = one
	}
	return one
}

func (g *Limiter) now() time.Time {
	if g.Now == nil {
		return time.Now()
	}
	return g.Now()
}

// stayOf is how long an attempt may wait and still have its time for the send.
func stayOf(ctx context.Context) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return shortStay
	}
	return min(longestStay, max(0, time.Until(deadline)-afterTurn))
}

func jitter(d time.Duration) time.Duration { return time.Duration(rand.Int64N(int64(d))) }
