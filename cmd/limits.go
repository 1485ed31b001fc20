package cmd

import (
	"context"
	"crypto/rand"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"relay/activities"
	"relay/db"
	"relay/internal/relay"
)

const (
	// leastHorizon is the time ahead for which events of a limited destination are started. Later ones wait in the inbox, where
	// their order is certain.
	leastHorizon = 2 * time.Second
	mostHorizon  = time.Minute

	// mostAtOnce is the number of events of a storefront with limits that the API starts itself. More would wait for their turns anyway,
	// and a row whose start took longer than its lease is sorted behind those that PollInbox claimed meanwhile.
	mostAtOnce = 10

	// busyWorker is the number of concurrent events above which a worker leaves some to others.
	busyWorker = 8

	limitsEvery = 2 * time.Second  // how old the API's knowledge of limits may be
	aliveEvery  = 10 * time.Second // between two heartbeats of a worker
)

// limiter holds the limits of destinations in this process.
type limiter struct {
	limiter *activities.Limiter
	lane    *activities.Lane
	store   *db.Store
	horizon time.Duration
	shards  int // POLL_SHARDS
	workers atomic.Int64
	polled  atomic.Int64 // starts of PollInbox here

	mu      sync.Mutex
	at      time.Time
	limited map[string]limitedStorefront // by code
}

type limitedStorefront struct {
	id int64
	db.Limited
}

func newLimiter(store *db.Store, pollInterval time.Duration, shards int) *limiter {
	l := &limiter{store: store, shards: shards, lane: &activities.Lane{}, horizon: min(mostHorizon, max(leastHorizon, 2*pollInterval))}
	l.limiter = &activities.Limiter{PerStorefront: activitySlots / 2, Workers: func() int { return int(l.workers.Load()) }}
	return l
}

// eager reports whether the first task of an event that PollInbox starts here stays in this process. Through the queue, other workers receive
// the events for which this one is too busy and, if there are more workers than pollers, their share of the starts.
func (l *limiter) eager() bool {
	workers := max(1, l.workers.Load())
	if workers == 1 {
		return l.lane.HasRoom()
	}
	part := (l.polled.Add(1)*int64(l.shards))%workers < int64(l.shards)
	return part && l.lane.Events() < busyWorker
}

// capacity returns the number of events that a destination accepts within the horizon.
func (l *limiter) capacity(storefront int64, destination string, limits relay.Limits) int {
	return l.limiter.Capacity(storefront, destination, limits, l.horizon)
}

// room returns the number of a storefront's events that the API may start at once. It reads the database only for storefronts with limits.
func (l *limiter) room(ctx context.Context, storefront string) int {
	f, ok := l.of(ctx, storefront)
	if !ok {
		return math.MaxInt
	}
	limit := math.MaxInt
	for destination, limits := range f.Destinations {
		limit = min(limit, l.capacity(f.id, destination, limits))
	}
	n, err := l.store.StartRoom(ctx, f.id, limit)
	if err != nil {
		return 0 // PollInbox starts them
	}
	return min(n, mostAtOnce)
}

// of is a storefront with limits, as known at most limitsEvery ago.
func (l *limiter) of(ctx context.Context, storefront string) (limitedStorefront, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if time.Since(l.at) > limitsEvery {
		if all, err := l.store.Limits(ctx); err == nil {
			l.limited = make(map[string]limitedStorefront, len(all))
			for id, f := range all {
				l.limited[f.Code] = limitedStorefront{id, f}
			}
			l.at = time.Now()
		}
	}
	f, ok := l.limited[storefront]
	return f, ok
}

// live counts this process among the workers that share the limits, until ctx ends.
func (s *service) live(ctx context.Context) {
	id := rand.Text()
	for ctx.Err() == nil {
		n, err := s.store.WorkerAlive(ctx, id)
		if err == nil {
			s.limits.workers.Store(int64(n))
		} else if ctx.Err() == nil {
			s.log.DebugContext(ctx, "worker.alive_unrecorded", "error", err)
		}
		pause(ctx, aliveEvery)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if err := s.store.WorkerGone(ctx, id); err != nil {
		s.log.DebugContext(ctx, "worker.gone_unrecorded", "error", err)
	}
}
