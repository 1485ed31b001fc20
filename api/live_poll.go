package api

import (
	"context"
	"slices"
	"time"

	"relay/internal/ops"
	"relay/internal/relay"
)

// livePlace is a storefront's destination by its codes.
type livePlace struct{ storefront, destination string }

// poller reads the database, and knows what the streams have sent. It begins anew with the first listener.
type poller struct {
	feed *feed
	stop context.CancelFunc

	// Only the poller's own goroutine writes these, under the feed's lock.
	counts   *liveMessage
	totals   ops.LiveTotals
	counted  time.Time
	ring     []int64 // ids of the newest attempts, in order
	attempts map[int64]liveMessage
	outcomes map[int64]string
	replays  map[int64]string
	running  map[int64]liveMessage
	health   map[livePlace]liveMessage
}

// known is what a new stream begins with. The caller holds the lock.
func (p *poller) known() []liveMessage {
	var list []liveMessage
	if p.counts != nil {
		list = append(list, *p.counts)
	}
	for _, m := range p.health {
		list = append(list, m)
	}
	for _, m := range p.running {
		list = append(list, m)
	}
	for _, id := range p.ring[max(0, len(p.ring)-liveRing):] {
		list = append(list, p.attempts[id])
	}
	return list
}

// run polls until ctx ends. Replays and health take turns, so that a process sends two statements a second.
func (p *poller) run(ctx context.Context) {
	tick := time.NewTicker(p.feed.every)
	defer tick.Stop()
	for n := 0; ; n++ {
		steps := []func(context.Context) error{p.pollCounts, p.pollAttempts}
		if n == 0 || n%2 == 0 {
			steps = append(steps, p.pollReplays)
		}
		if n == 0 || n%2 == 1 {
			steps = append(steps, p.pollHealth)
		}
		for _, step := range steps {
			asking, cancel := context.WithTimeout(ctx, pollTimeout)
			if err := step(asking); err != nil && ctx.Err() == nil {
				p.feed.log.DebugContext(ctx, "live.unread", "error", err)
			}
			cancel()
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// tell runs tell under the lock, unless this poller has been replaced.
func (p *poller) tell(tell func()) {
	p.feed.mu.Lock()
	defer p.feed.mu.Unlock()
	if p.feed.polling == p {
		tell()
	}
}

// pollCounts reads the totals of the day only where they have been counted since.
func (p *poller) pollCounts(ctx context.Context) error {
	f, err := p.feed.store.LiveCounts(ctx)
	if err == nil && (p.counts == nil || !f.CountedAt.Equal(p.counted)) {
		var totals ops.LiveTotals
		if totals, err = p.feed.store.LiveTotals(ctx); err == nil { // otherwise the next poll reads them again
			p.totals, p.counted = totals, f.CountedAt
		}
	}
	if err != nil {
		return err
	}
	m := messageOf(kindFigures, liveCounts(f, p.totals))
	p.tell(func() {
		p.counts = &m
		p.feed.publish(m)
	})
	return nil
}

func (p *poller) pollAttempts(ctx context.Context) error {
	var after int64
	var open []int64
	if n := len(p.ring); n > 0 {
		after = max(0, p.ring[n-1]-liveAgain)
	}
	for _, id := range p.ring {
		if id <= after && p.outcomes[id] == string(relay.Sending) {
			open = append(open, id)
		}
	}
	list, err := p.feed.store.LiveAttempts(ctx, after, open, liveRing+liveAgain)
	if err != nil {
		return err
	}
	slices.Reverse(list) // the oldest first
	p.tell(func() {
		if p.attempts == nil {
			p.attempts = map[int64]liveMessage{}
		}
		for _, a := range list {
			p.tellAttempt(a)
		}
		p.forget()
	})
	return nil
}

// tellAttempt publishes an attempt that is new, or whose end is.
func (p *poller) tellAttempt(a ops.LiveAttempt) {
	was, seen := p.outcomes[a.ID]
	if seen && was == string(a.Outcome) {
		return
	}
	m := messageOf(kindAttempt, liveAttempt(a))
	m.storefront, m.destination, m.outcome = a.Storefront, a.Destination, string(a.Outcome)
	if !seen {
		at, _ := slices.BinarySearch(p.ring, a.ID)
		p.ring = slices.Insert(p.ring, at, a.ID)
	}
	p.outcomes[a.ID], p.attempts[a.ID] = m.outcome, m
	p.feed.publish(m)
}

// forget drops what is beyond the ring and the ids that are read again.
func (p *poller) forget() {
	const keep = liveRing + 2*liveAgain
	for _, id := range p.ring[:max(0, len(p.ring)-keep)] {
		delete(p.outcomes, id)
		delete(p.attempts, id)
	}
	p.ring = slices.Clone(p.ring[max(0, len(p.ring)-keep):])
}

func (p *poller) pollReplays(ctx context.Context) error {
	list, err := p.feed.store.LiveReplays(ctx)
	if err != nil {
		return err
	}
	p.tell(func() {
		told := p.replays
		p.replays, p.running = map[int64]string{}, map[int64]liveMessage{}
		for _, r := range list {
			m := messageOf(kindReplay, liveReplay(r))
			p.replays[r.ID], p.running[r.ID] = string(m.data), m
			if told[r.ID] != string(m.data) {
				p.feed.publish(m)
			}
		}
	})
	return nil
}

func (p *poller) pollHealth(ctx context.Context) error {
	list, err := p.feed.store.LiveHealth(ctx)
	if err != nil {
		return err
	}
	p.tell(func() {
		told := p.health
		p.health = map[livePlace]liveMessage{}
		for _, h := range list {
			at := livePlace{h.Storefront, h.Destination}
			p.health[at] = healthMessage(h)
			if told[at].outcome != p.health[at].outcome {
				p.feed.publish(p.health[at])
			}
		}
		for at := range told {
			if _, ill := p.health[at]; !ill {
				p.feed.publish(healthMessage(ops.LiveHealth{Storefront: at.storefront, Destination: at.destination}))
			}
		}
	})
	return nil
}

// healthMessage has the state as its outcome: a change of the rest is not sent.
func healthMessage(h ops.LiveHealth) liveMessage {
	m := messageOf(kindHealth, liveHealth(h))
	m.storefront, m.destination, m.outcome = h.Storefront, h.Destination, string(h.State())
	return m
}
