package db

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"relay/internal/relay"
)

// Bounds of a group.
const (
	groupSize     = 64
	groupTimeout  = 1500 * time.Millisecond // shorter than a delivery's first poll interval
	groupPatience = 20 * time.Millisecond
)

// group commits the writes of several callers together (group commit). The first caller runs alone; callers that arrive
// meanwhile are batched into the next transaction. No caller waits for a batch to fill, and the cost per item falls with the
// load. A call returns when its item is committed or has failed.
type group[T comparable] struct {
	// one writes one item, with the context of its caller.
	one func(context.Context, T) error
	// many writes several items in one transaction, except for those that it returns: they are written alone.
	many func(context.Context, []T) (alone []T, err error)
	// least is the number of items from which on many is cheaper than one.
	least int
	// patience bounds how long callers wait for the running call: a locked row must not delay the others.
	patience time.Duration

	mu      sync.Mutex
	busy    bool
	waiting []*member[T]
}

// member is a waiting caller.
type member[T comparable] struct {
	ctx  context.Context //nolint:containedctx // of a call that waits
	item T
	done chan error
}

func newGroup[T comparable](least int, one func(context.Context, T) error, many func(context.Context, []T) ([]T, error)) *group[T] {
	return &group[T]{one: one, many: many, least: least, patience: groupPatience}
}

// do writes an item and returns its result.
func (g *group[T]) do(ctx context.Context, item T) error {
	g.mu.Lock()
	if !g.busy {
		g.busy = true
		g.mu.Unlock()
		pass := g.handOver()
		defer pass()
		return g.one(ctx, item)
	}
	m := &member[T]{ctx, item, make(chan error, 1)}
	g.waiting = append(g.waiting, m)
	g.mu.Unlock()
	select {
	case err := <-m.done:
		return err
	case <-ctx.Done():
		g.withdraw(m)
		return ctx.Err()
	}
}

// withdraw removes a queued caller. A call that already runs may still commit: the caller cannot know, as with any statement
// whose response is lost.
func (g *group[T]) withdraw(m *member[T]) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting = slices.DeleteFunc(g.waiting, func(w *member[T]) bool { return w == m })
}

// handOver returns a function that starts the waiting callers, at most once: when it is called, or when patience is over.
func (g *group[T]) handOver() func() {
	var once sync.Once
	pass := func() { once.Do(g.next) }
	timer := time.AfterFunc(g.patience, pass)
	return func() {
		timer.Stop()
		pass()
	}
}

// next starts the waiting callers.
func (g *group[T]) next() {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := min(len(g.waiting), groupSize)
	if g.busy = n > 0; !g.busy {
		return
	}
	members := slices.Clone(g.waiting[:n])
	g.waiting = slices.Delete(g.waiting, 0, n)
	go g.runTogether(members)
}

// runTogether serves several callers in one batch. If the batch fails because of one item, each item is written alone and
// has its own result.
func (g *group[T]) runTogether(members []*member[T]) {
	pass := g.handOver()
	defer pass()
	if len(members) < g.least {
		g.runApart(members)
		return
	}
	items := make([]T, len(members))
	for i, m := range members {
		items[i] = m.item
	}
	ctx, cancel := context.WithTimeout(context.Background(), groupTimeout)
	defer cancel()
	left, err := g.many(ctx, items)
	pass()
	if errors.Is(translate(err), relay.ErrUnavailable) && !isContention(err) { // every item would fail alike
		for _, m := range members {
			m.done <- err
		}
		return
	}
	var alone []*member[T]
	for _, m := range members {
		if err != nil || slices.Contains(left, m.item) {
			alone = append(alone, m)
			continue
		}
		m.done <- nil
	}
	g.runApart(alone)
}

// runApart serves callers concurrently, each alone.
func (g *group[T]) runApart(members []*member[T]) {
	var all sync.WaitGroup
	for _, m := range members {
		all.Go(func() { m.done <- g.one(m.ctx, m.item) })
	}
	all.Wait()
}
