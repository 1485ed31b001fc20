package activities

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"relay"
)

const (
	// shortWait is what a try waits for its turn within its own time; a longer wait is the workflow's.
	shortWait = 500 * time.Millisecond
	// fullWait, and up to as much again, is what a try waits that found no place.
	fullWait = time.Second
)

// Gates hold what one worker process sends at a time: to each destination within its limits, and for each storefront within
// its share of the worker, so that a slow destination leaves room for the others' events. The zero value has no share to
// keep.
type Gates struct {
	// PerStorefront is how many tries of one storefront may be in flight; 0 is no limit.
	PerStorefront int
	// Now is the clock; nil is the real one.
	Now func() time.Time

	mu    sync.Mutex
	gates map[gateKey]*gate
}

// gateKey is a destination of a storefront or, without one, the storefront.
type gateKey struct {
	storefront  int64
	destination string
}

type gate struct {
	inFlight int
	limiter  *rate.Limiter
	closed   time.Time // until then, as the destination asked
}

// enter lets a try through, after a short wait if need be, and gives the function that ends it; or it says how long to stay
// away.
func (g *Gates) enter(ctx context.Context, key gateKey, l relay.Limits) (leave func(), wait time.Duration) {
	delay, wait := g.admit(key, l)
	if wait > 0 {
		return nil, wait
	}
	leave = func() { g.leave(key) }
	if delay > 0 {
		select {
		case <-time.After(delay):
		case <-ctx.Done():
		}
	}
	return leave, 0
}

func (g *Gates) admit(key gateKey, l relay.Limits) (delay, wait time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	all, one := g.at(gateKey{storefront: key.storefront}), g.at(key)
	switch {
	case one.closed.After(now):
		return 0, one.closed.Sub(now) + jitter(fullWait)
	case g.PerStorefront > 0 && all.inFlight >= g.PerStorefront, l.InFlight > 0 && one.inFlight >= l.InFlight:
		return 0, fullWait + jitter(fullWait)
	}
	if l.PerSecond > 0 {
		if delay, wait = one.turn(now, l.PerSecond); wait > 0 {
			return 0, wait
		}
	}
	all.inFlight++
	one.inFlight++
	return delay, 0
}

// turn takes a turn at a rate: after a short delay, or not now.
func (g *gate) turn(now time.Time, perSecond float64) (delay, wait time.Duration) {
	if g.limiter == nil {
		g.limiter = rate.NewLimiter(rate.Limit(perSecond), 1)
	} else if g.limiter.Limit() != rate.Limit(perSecond) {
		g.limiter.SetLimitAt(now, rate.Limit(perSecond))
	}
	r := g.limiter.ReserveN(now, 1)
	if delay = r.DelayFrom(now); delay > shortWait {
		r.CancelAt(now)
		return 0, delay + jitter(fullWait)
	}
	return delay, 0
}

func (g *Gates) leave(key gateKey) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, k := range []gateKey{{storefront: key.storefront}, key} {
		one := g.at(k)
		one.inFlight--
		if one.inFlight == 0 && one.limiter == nil && one.closed.Before(g.now()) {
			delete(g.gates, k)
		}
	}
}

// close keeps tries away from a destination that asked for it, those already on their way excepted.
func (g *Gates) close(key gateKey, d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	one := g.at(key)
	if until := g.now().Add(d); until.After(one.closed) {
		one.closed = until
	}
}

func (g *Gates) at(key gateKey) *gate {
	if g.gates == nil {
		g.gates = map[gateKey]*gate{}
	}
	one, ok := g.gates[key]
	if !ok {
		one = &gate{}
		g.gates[key] = one
	}
	return one
}

func (g *Gates) now() time.Time {
	if g.Now == nil {
		return time.Now()
	}
	return g.Now()
}

func jitter(d time.Duration) time.Duration { return time.Duration(rand.Int64N(int64(d))) }
