package workflows

import (
	"context"
	"log/slog"
	"slices"
	"sync"

	"relay/internal/relay"
)

// StartQueue starts the deliveries of rows that this process has just stored, off the request path: at most perStorefront of one
// storefront and 2,000 in all at a time, the storefronts in turn, so that one event of a quiet storefront does not wait for
// the batch of another. PollInbox starts the rows that it does not accept or fails to start.
type StartQueue struct {
	start         func(context.Context, relay.PendingDelivery) error
	room          func(ctx context.Context, storefront string) int
	perStorefront int
	log           *slog.Logger
	wg            sync.WaitGroup

	mu       sync.Mutex
	wake     *sync.Cond
	waiting  map[string][]queued
	turns    []string // storefronts with rows that wait, the next one first
	busy     map[string]int
	reserved map[string]int
	total    int
	closed   bool
}

// queued is a row that waits for its start. It keeps the values of its context, such as the trace, but not its end: the
// request has its response by then.
type queued struct {
	relay.PendingDelivery
	ctx context.Context
}

// NewStartQueue starts its workers, which Close ends. Room is how many events of a storefront may start now within the limits of
// its destinations; nil is no such limit.
func NewStartQueue(start func(context.Context, relay.PendingDelivery) error, room func(ctx context.Context, storefront string) int, perStorefront int, log *slog.Logger) *StartQueue {
	b := &StartQueue{
		start:         start,
		room:          room,
		perStorefront: perStorefront,
		log:           log,
		waiting:       map[string][]queued{},
		busy:          map[string]int{},
		reserved:      map[string]int{},
	}
	b.wake = sync.NewCond(&b.mu)
	for range startWorkers {
		b.wg.Go(b.work)
	}
	return b
}

// Reserve returns how many of n rows of a storefront will be started here. Each of those must be passed to Start or Release.
func (b *StartQueue) Reserve(ctx context.Context, storefront string, n int) int {
	if b.room != nil {
		n = min(n, b.room(ctx, storefront))
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return 0
	}
	n = max(0, min(n, b.perStorefront-b.reserved[storefront], startQueueLength-b.total))
	b.reserved[storefront] += n
	b.total += n
	return n
}

// Start queues reserved rows. It never blocks, and the end of ctx does not stop the starts.
func (b *StartQueue) Start(ctx context.Context, rows []relay.PendingDelivery) {
	ctx = context.WithoutCancel(ctx)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return // their leases end, and PollInbox starts them
	}
	for _, r := range rows {
		if len(b.waiting[r.StorefrontCode]) == 0 {
			b.turns = append(b.turns, r.StorefrontCode)
		}
		b.waiting[r.StorefrontCode] = append(b.waiting[r.StorefrontCode], queued{r, ctx})
	}
	b.wake.Broadcast()
}

// Release returns n reservations of a storefront.
func (b *StartQueue) Release(storefront string, n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.total -= n
	if b.reserved[storefront] -= n; b.reserved[storefront] <= 0 {
		delete(b.reserved, storefront)
	}
}

// Close starts what is queued, or leaves it to PollInbox once ctx ends.
func (b *StartQueue) Close(ctx context.Context) {
	b.mu.Lock()
	b.closed = true
	b.wake.Broadcast()
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

func (b *StartQueue) work() {
	for {
		r, ok := b.next()
		if !ok {
			return
		}
		ctx, cancel := context.WithTimeout(r.ctx, startTimeout)
		if err := b.start(ctx, r.PendingDelivery); err != nil {
			b.log.WarnContext(ctx, "delivery.start_failed", "id", r.ID, "error", err)
		}
		cancel()
		b.started(r.StorefrontCode)
		b.Release(r.StorefrontCode, 1)
	}
}

// next waits for a row whose storefront has a place, and is false once there will be none.
func (b *StartQueue) next() (queued, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for {
		if i := slices.IndexFunc(b.turns, func(s string) bool { return b.busy[s] < startShare }); i >= 0 {
			return b.take(i), true
		}
		if b.closed && len(b.turns) == 0 {
			return queued{}, false
		}
		b.wake.Wait()
	}
}

// take takes a row of the storefront whose turn is number i, which then moves to the end of the line.
func (b *StartQueue) take(i int) queued {
	storefront := b.turns[i]
	b.turns = slices.Delete(b.turns, i, i+1)
	rows := b.waiting[storefront]
	if len(rows) == 1 {
		delete(b.waiting, storefront)
	} else {
		b.waiting[storefront] = rows[1:]
		b.turns = append(b.turns, storefront)
	}
	b.busy[storefront]++
	return rows[0]
}

func (b *StartQueue) started(storefront string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.busy[storefront]--; b.busy[storefront] == 0 {
		delete(b.busy, storefront)
	}
	b.wake.Broadcast()
}
