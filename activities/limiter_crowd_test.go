package activities_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"relay/activities"
	"relay/internal/relay"
)

// crowd simulates events that arrive at a limited destination together: each sleeps for the wait that it received,
// a little longer, and returns, as DeliverEvent does.
type crowd struct {
	limiters []*activities.Limiter
	limits   func() relay.Limits
	takes    time.Duration
	slow     func(n int) time.Duration // takes longer, of the attempt that is number n
	gone     func(event int64) bool    // never returns

	mu       sync.Mutex
	order    []int64
	waits    map[int64]int
	inFlight int
	most     int
	first    time.Time
	last     time.Time
}

func (c *crowd) deliver(t *testing.T, event int64) {
	for {
		ctx, cancel := context.WithTimeout(t.Context(), perAttempt)
		leave, wait := c.limiters[rand.IntN(len(c.limiters))].Enter(ctx, 1, "ga4", event, c.limits())
		cancel()
		if wait == 0 {
			c.send(event, leave)
			return
		}
		if c.gone != nil && c.gone(event) {
			return
		}
		c.mu.Lock()
		c.waits[event]++
		c.mu.Unlock()
		time.Sleep(wait + time.Duration(rand.IntN(100))*time.Millisecond)
	}
}

func (c *crowd) send(event int64, leave func()) {
	c.mu.Lock()
	if c.last = time.Now(); c.first.IsZero() {
		c.first = c.last
	}
	c.order = append(c.order, event)
	c.inFlight++
	c.most = max(c.most, c.inFlight)
	takes := c.takes
	if c.slow != nil {
		takes += c.slow(len(c.order))
	}
	c.mu.Unlock()
	time.Sleep(takes)
	c.mu.Lock()
	c.inFlight--
	c.mu.Unlock()
	leave()
}

// run lets n events arrive, as fast as a poller starts them under a capacity.
func (c *crowd) run(t *testing.T, n int) {
	t.Helper()
	c.waits = map[int64]int{}
	var all sync.WaitGroup
	open := make(chan struct{}, n)
	for event := range int64(n) {
		for len(open) >= c.limiters[0].Capacity(1, "ga4", c.limits(), 4*time.Second) {
			time.Sleep(time.Second)
		}
		open <- struct{}{}
		all.Go(func() {
			c.deliver(t, event)
			<-open
		})
		time.Sleep(5 * time.Millisecond)
	}
	all.Wait()
}

// displaced returns the greatest distance of an event from its place in the order of arrival.
func (c *crowd) displaced() int {
	most := 0
	for i, event := range c.order {
		most = max(most, i-int(event), int(event)-i)
	}
	return most
}

func (c *crowd) mostWaits() int {
	most := 0
	for _, n := range c.waits {
		most = max(most, n)
	}
	return most
}
