package activities

import (
	"cmp"
	"slices"
	"time"

	"relay/internal/relay"
)

const (
	// assumedHold is how long an attempt keeps its place, as long as none has ended.
	assumedHold = 250 * time.Millisecond
	// assumedExchange is the estimate for starting events, which cannot be undone.
	assumedExchange = time.Second
	// learnedFrom is the number of ended attempts from which on their duration decides how many events start.
	learnedFrom = 8
	// mostEarly is about the number of events that wait in this process for a later turn.
	mostEarly = 100
	// slack allows turns that a late timer missed to be used later.
	slack = 5 * time.Millisecond
)

// queue holds the attempts that wait before one destination, or before a storefront's share of the worker.
type queue struct {
	limits   relay.Limits // this process's, as the latest attempt brought them
	inFlight int
	present  []*ticket           // waiting in this process, in the order of their events
	asleep   map[int64]time.Time // when events that left are due to return
	next     time.Time           // the earliest next turn at the rate
	latest   time.Time           // the latest turn
	hold     time.Duration       // how long an attempt keeps its place, smoothed; 0 before the first has ended
	ended    int                 // attempts
	closed   time.Time           // until then, as the destination asked
	swept    time.Time
	timed    bool // a timer will serve
}

// ticket is a place in the queue.
type ticket struct {
	event int64
	turn  chan struct{} // closed when the turn has come
	began time.Time     // the turn; zero before
}

func (o *queue) limited() bool { return o.limits.InFlight > 0 || o.limits.PerSecond > 0 }

func (o *queue) add(t *ticket) {
	i, _ := slices.BinarySearchFunc(o.present, t.event, func(t *ticket, event int64) int { return cmp.Compare(t.event, event) })
	o.present = slices.Insert(o.present, i, t)
}

func (o *queue) drop(t *ticket) {
	o.present = slices.DeleteFunc(o.present, func(other *ticket) bool { return other == t })
}

// serve starts attempts in the order of events, and returns the wait until the next one if only the rate delays it.
func (o *queue) serve(now time.Time) time.Duration {
	for len(o.present) > 0 {
		if o.full() {
			return 0 // leave serves
		}
		if o.limits.PerSecond > 0 {
			if o.next.After(now) {
				return o.next.Sub(now)
			}
			o.next = later(o.next, now.Add(-slack)).Add(interval(o.limits.PerSecond))
		}
		t := o.present[0]
		o.present = slices.Delete(o.present, 0, 1)
		t.began, o.latest = now, now
		o.inFlight++
		close(t.turn)
	}
	return 0
}

// delay estimates how long an event waits for its turn: behind all earlier events, present and asleep.
func (o *queue) delay(event int64, now time.Time) time.Duration {
	ahead := 0
	for _, t := range o.present {
		if t.event >= event {
			break
		}
		ahead++
	}
	for e, due := range o.asleep {
		if e < event && due.After(now) { // after that it is present, or at another worker, or cancelled
			ahead++
		}
	}
	step := spacing(o.limits, cmp.Or(o.hold, assumedHold))
	first := max(o.next.Sub(now), o.free(step, now), 0)
	return time.Duration(min(float64(first)+float64(ahead)*float64(step), float64(longestSleep)))
}

// free estimates when the next place becomes free. An attempt that takes longer than others does not change the estimate of those that follow
// it, so it counts once, and not for each event that is ahead.
func (o *queue) free(step time.Duration, now time.Time) time.Duration {
	since := now.Sub(o.latest)
	if since > step && o.full() {
		return min(since/2, exchangeTimeout)
	}
	return step - since
}

func (o *queue) full() bool { return o.limits.InFlight > 0 && o.inFlight >= o.limits.InFlight }

// sleep keeps an event's place while it is away, and returns how long that is. It wakes well before its turn: the estimate may
// be too long, and later events pass an event that is late. One that is early waits for its turn.
func (o *queue) sleep(event int64, now time.Time, delay time.Duration) time.Duration {
	lead := min(longestLead, max(shortestLead, mostEarly*spacing(o.limits, cmp.Or(o.hold, assumedHold))))
	delay = max(shortestSleep, delay-lead)
	o.keep(event, now.Add(delay))
	return delay
}

// keep keeps an event's place in the order until it is due.
func (o *queue) keep(event int64, due time.Time) {
	if o.asleep == nil {
		o.asleep = map[int64]time.Time{}
	}
	o.asleep[event] = due
}

// open reports whether an attempt may begin at once, without passing an attempt that waits.
func (o *queue) open(now time.Time) bool {
	if o.full() || len(o.present) > 0 || o.closed.After(now) || o.limits.PerSecond > 0 && o.next.After(now) {
		return false
	}
	for _, due := range o.asleep {
		if due.After(now) { // after that it is present, or at another worker, or cancelled
			return false
		}
	}
	return true
}

// turnNow is the turn of an attempt at an open queue.
func (o *queue) turnNow(event int64, now time.Time) *ticket {
	t := &ticket{event: event, turn: make(chan struct{})}
	o.add(t)
	o.serve(now)
	return t
}

// wakeUp ends the sleep of an event and reports whether there was one. Once in a while it also ends the sleep of those that
// did not return in time: they were cancelled, or returned at another worker.
func (o *queue) wakeUp(event int64, now time.Time) bool {
	_, slept := o.asleep[event]
	delete(o.asleep, event)
	if len(o.asleep) == 0 || now.Sub(o.swept) < time.Second {
		return slept
	}
	o.swept = now
	for e, due := range o.asleep {
		if due.Before(now) {
			delete(o.asleep, e)
		}
	}
	return slept
}

// learn smooths how long attempts keep their places. One that takes long counts for little: an event that sleeps too long
// loses its place in the order, and one that sleeps too short only waits again.
func (o *queue) learn(took time.Duration) {
	o.ended++
	switch {
	case o.hold == 0:
		o.hold = took
	case took < o.hold:
		o.hold += (took - o.hold) / 4
	default:
		o.hold += (min(took, 2*o.hold) - o.hold) / 4
	}
	o.hold = max(o.hold, time.Microsecond)
}

// holds is how long an attempt keeps its place, for starting more events: as learnt of some, because the first ones open
// connections, or longer if no place has become free for longer than that.
func (o *queue) holds(now time.Time) time.Duration {
	hold := o.hold
	if o.ended < learnedFrom {
		hold = max(hold, assumedExchange)
	}
	if o.full() {
		hold = max(hold, now.Sub(o.latest))
	}
	return hold
}

// idle queues are forgotten, except for what they have learnt of a limited destination.
func (o *queue) idle(now time.Time) bool {
	return o.inFlight == 0 && len(o.present) == 0 && !o.limited() && !o.closed.After(now)
}

// spacing is the time from one turn to the next where attempts keep their places for so long.
func spacing(l relay.Limits, hold time.Duration) time.Duration {
	var step time.Duration
	if l.InFlight > 0 {
		step = hold / time.Duration(l.InFlight)
	}
	if l.PerSecond > 0 {
		step = max(step, interval(l.PerSecond))
	}
	return step
}

func interval(perSecond float64) time.Duration {
	return time.Duration(min(float64(time.Second)/perSecond, float64(24*time.Hour)))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
