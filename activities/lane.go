package activities

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Lane bounds the first attempts that are made within workflow tasks of this process, and knows how quickly destinations respond. An
// attempt without room is an activity of its own, which waits in Temporal's fair queue and holds up no task. The zero value is
// ready.
type Lane struct {
	events     atomic.Int64 // whose first attempts are under way
	mu         sync.Mutex
	total      int
	storefront map[int64]int
	responses  map[limiterKey]*responses
}

// enter takes room for an attempt and returns the function that returns it; or why there is none.
func (l *Lane) enter(key limiterKey) (leave func(), why string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch r := l.responses[key]; {
	case r != nil && r.slow(time.Now()):
		return nil, "the destination is slow"
	case l.total >= laneInFlight:
		return nil, "the worker is busy"
	case l.storefront[key.storefront] >= lanePerStore:
		return nil, "other first attempts of the storefront are in flight"
	}
	if l.storefront == nil {
		l.storefront = map[int64]int{}
	}
	l.total++
	l.storefront[key.storefront]++
	return func() { l.leave(key.storefront) }, ""
}

func (l *Lane) leave(storefront int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total--
	if l.storefront[storefront]--; l.storefront[storefront] == 0 {
		delete(l.storefront, storefront)
	}
}

// Events returns how many events have their first attempts under way in this process.
func (l *Lane) Events() int { return int(l.events.Load()) }

// HasRoom reports whether this process has room for the first attempts of another event.
func (l *Lane) HasRoom() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.total < laneInFlight
}

// observe notes how long a destination took to respond, in or outside the lane.
func (l *Lane) observe(key limiterKey, took time.Duration) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.responses == nil {
		l.responses = map[limiterKey]*responses{}
	}
	r := l.responses[key]
	if r == nil {
		r = &responses{}
		l.responses[key] = r
	}
	r.add(took, time.Now())
}

// responses are the latest of one destination.
type responses struct {
	took [responsesKept]time.Duration
	at   [responsesKept]time.Time
	next int
}

func (r *responses) add(took time.Duration, at time.Time) {
	r.took[r.next], r.at[r.next] = took, at
	r.next = (r.next + 1) % responsesKept
}

// slow reports whether more than one in ten of the recent responses took long.
func (r *responses) slow(now time.Time) bool {
	var recent []time.Duration
	for i, at := range r.at {
		if now.Sub(at) < responsesValid {
			recent = append(recent, r.took[i])
		}
	}
	if len(recent) == 0 {
		return false
	}
	slices.Sort(recent)
	return recent[(len(recent)*9+9)/10-1] >= quickResponse
}
