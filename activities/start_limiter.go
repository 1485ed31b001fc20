package activities

import (
	"sync"
	"time"
)

// startLimiter bounds the starts in flight by how long they take: one more after as many quick ones as there are in flight, half
// of them after a slow one.
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

// enter waits for a place.
func (p *startLimiter) enter() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.busy >= p.limit {
		p.freed.Wait()
	}
	p.busy++
}

// leave gives the place back after a start that took so long.
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
