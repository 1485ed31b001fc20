package activities

import (
	"sync"
	"time"
)

// startLimiter bounds the starts in flight by their latency (AIMD): one more after limit fast starts, half after a slow one.
type startLimiter struct {
	mu    sync.Mutex
	freed *sync.Cond
	limit int
	busy  int
	quick int // since the limit changed
}

func newStartLimiter() *startLimiter {
	p := &startLimiter{limit: minStarts}
	p.freed = sync.NewCond(&p.mu)
	return p
}

// enter waits for a slot.
func (p *startLimiter) enter() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.busy >= p.limit {
		p.freed.Wait()
	}
	p.busy++
}

// leave returns the slot, and adapts the limit to the time of the start.
func (p *startLimiter) leave(took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.busy--
	switch {
	case took > fastStart:
		p.limit, p.quick = max(minStarts, p.limit/2), 0
	case p.limit < maxStarts:
		if p.quick++; p.quick >= p.limit {
			p.limit, p.quick = p.limit+1, 0
		}
	}
	p.freed.Broadcast()
}
