package workflows

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"relay"
)

const (
	burstWorkers = 8    // starts in flight; more only adds latency at the server
	burstQueue   = 2000 // rows that one process promises to start within their lease
	startTimeout = 10 * time.Second
)

// Burst starts the deliveries of rows that this process has just stored, off the request path: at most perStorefront of one
// storefront and 2,000 in all at a time. What it does not take is PollInbox's, as is what it fails to start.
type Burst struct {
	start         func(context.Context, relay.Start) error
	perStorefront int
	log           *slog.Logger
	queue         chan relay.Start
	wg            sync.WaitGroup

	mu       sync.Mutex
	reserved map[string]int
	total    int
	closed   bool
}

// NewBurst begins to work at once; Close ends it.
func NewBurst(start func(context.Context, relay.Start) error, perStorefront int, log *slog.Logger) *Burst {
	b := &Burst{
		start:         start,
		perStorefront: perStorefront,
		log:           log,
		queue:         make(chan relay.Start, burstQueue),
		reserved:      map[string]int{},
	}
	for range burstWorkers {
		b.wg.Go(b.work)
	}
	return b
}

// Reserve says how many of n rows of a storefront will be started here; each of those must come back to Start or Release.
func (b *Burst) Reserve(storefront string, n int) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return 0
	}
	n = max(0, min(n, b.perStorefront-b.reserved[storefront], burstQueue-b.total))
	b.reserved[storefront] += n
	b.total += n
	return n
}

// Start takes reserved rows over. It never blocks: the queue has room for everything that was reserved.
func (b *Burst) Start(rows []relay.Start) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return // their leases end, and PollInbox starts them
	}
	for _, r := range rows {
		b.queue <- r
	}
}

// Release gives back n reservations of a storefront.
func (b *Burst) Release(storefront string, n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.total -= n
	if b.reserved[storefront] -= n; b.reserved[storefront] <= 0 {
		delete(b.reserved, storefront)
	}
}

// Close starts what is queued, or leaves it to PollInbox once ctx ends.
func (b *Burst) Close(ctx context.Context) {
	b.mu.Lock()
	b.closed = true
	close(b.queue)
	b.mu.Unlock()
	done := make(chan struct{})
	go func() {
		b.wg.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

func (b *Burst) work() {
	for r := range b.queue {
		ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
		if err := b.start(ctx, r); err != nil {
			b.log.Warn("delivery.start_failed", "id", r.ID, "error", err)
		}
		cancel()
		b.Release(r.StorefrontCode, 1)
	}
}
