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
	groupTimeout  = 1500 * time.Millisecond // less than what a delivery waits before it looks again
	groupPatience = 20 * time.Millisecond
)

// group does for many callers with one commit what each of them wants done. A caller that finds nobody before it goes at once
// and alone; those who come while it is on its way go together after it. So nobody waits for company, and the more there is to
// do, the less each costs. A caller is answered when what it wanted is committed, or has failed.
type group[T comparable] struct {
	// one does it for one caller, in the caller's time.
	one func(context.Context, T) error
	// many does it for several at once: all or nothing, but for those that it gives back, who go alone.
	many func(context.Context, []T) (alone []T, err error)
	// least is from how many on many is the cheaper way.
	least int
	// patience is how long those behind wait for the one that is on: a row that somebody else has locked must not hold up the
	// others.
	patience time.Duration

	mu      sync.Mutex
	busy    bool
	waiting []*member[T]
}

// member is a caller.
type member[T comparable] struct {
	ctx  context.Context //nolint:containedctx // of a call that waits
	item T
	done chan error
}

func newGroup[T comparable](least int, one func(context.Context, T) error, many func(context.Context, []T) ([]T, error)) *group[T] {
	return &group[T]{one: one, many: many, least: least, patience: groupPatience}
}

// do gives what became of the item.
func (g *group[T]) do(ctx context.Context, item T) error {
	g.mu.Lock()
	if !g.busy {
		g.busy = true
		g.mu.Unlock()
		pass := g.passOn()
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
		g.leave(m)
		return ctx.Err()
	}
}

// leave takes back what has not begun. What is on its way may still be done: the caller cannot know, as with any statement
// whose answer it did not wait for.
func (g *group[T]) leave(m *member[T]) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting = slices.DeleteFunc(g.waiting, func(w *member[T]) bool { return w == m })
}

// passOn lets those who wait go, once: when it is called, or when patience is over.
func (g *group[T]) passOn() func() {
	var once sync.Once
	pass := func() { once.Do(g.next) }
	timer := time.AfterFunc(g.patience, pass)
	return func() {
		timer.Stop()
		pass()
	}
}

// next begins with those who wait.
func (g *group[T]) next() {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := min(len(g.waiting), groupSize)
	if g.busy = n > 0; !g.busy {
		return
	}
	members := slices.Clone(g.waiting[:n])
	g.waiting = slices.Delete(g.waiting, 0, n)
	go g.together(members)
}

// together serves several callers. Where one of them spoils it for the others, each goes alone and gets its own answer.
func (g *group[T]) together(members []*member[T]) {
	pass := g.passOn()
	defer pass()
	if len(members) < g.least {
		g.apart(members)
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
	if errors.Is(translate(err), relay.ErrUnavailable) && !isContention(err) { // it would be so for each of them
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
	g.apart(alone)
}

// apart serves callers side by side.
func (g *group[T]) apart(members []*member[T]) {
	var all sync.WaitGroup
	for _, m := range members {
		all.Go(func() { m.done <- g.one(m.ctx, m.item) })
	}
	all.Wait()
}
