package api_test

import (
	"context"
	"errors"
	"sync"

	"relay/internal/relay"
)

// runner notes what it is told.
type runner struct {
	mu      sync.Mutex
	started []int64
	down    bool
	woken   []int64
	erase   func(ctx context.Context, id int64) error // nil: it does nothing yet
	erasing []int64
	cancel  func(id int64) error // of a delivery; nil: no workflow is open
}

func (r *runner) CancelDelivery(_ context.Context, id int64) error {
	switch {
	case r.down:
		return errors.New("temporal is away")
	case r.cancel == nil:
		return relay.ErrNotFound
	}
	return r.cancel(id)
}

func (r *runner) StartErasure(ctx context.Context, id int64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.down {
		return errors.New("temporal is away")
	}
	r.erasing = append(r.erasing, id)
	if r.erase == nil {
		return nil
	}
	return r.erase(ctx, id)
}

func (r *runner) StartReplay(_ context.Context, id int64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.down {
		return errors.New("temporal is away")
	}
	r.started = append(r.started, id)
	return nil
}

func (r *runner) WakeReplay(_ context.Context, id int64) error {
	if r.down {
		return errors.New("temporal is away")
	}
	r.woken = append(r.woken, id)
	return nil
}
