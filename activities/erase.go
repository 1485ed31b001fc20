package activities

import (
	"context"
	"errors"
	"time"

	"go.temporal.io/sdk/activity"

	"relay/internal/ops"
	"relay/internal/relay"
)

// Erasures are the erasures in the database, which keeps all of their state.
type Erasures interface {
	// SearchErasure looks at the next n events and notes those that are to be erased.
	SearchErasure(ctx context.Context, id int64, n int) (ops.Erasure, error)
	// ErasureItems are noted events that are not finished with, up to n.
	ErasureItems(ctx context.Context, id int64, n int) ([]ops.EventState, error)
	// Cancel ends an open event that the run has taken, or no run has.
	Cancel(ctx context.Context, id int64, run string, c relay.EventOutcome) error
	// EraseEvent erases the personal data of an ended event.
	EraseEvent(ctx context.Context, id int64) error
	// CloseItems counts events as finished with.
	CloseItems(ctx context.Context, id int64, events []int64) error
	// EndErasure writes that nothing is left to do, where that is so, and forgets what was looked for.
	EndErasure(ctx context.Context, id int64) (ops.Erasure, error)
}

// Deliveries are the workflows that deliver rows, or did.
type Deliveries interface {
	// CancelDelivery asks a row's workflow to end; relay.ErrNotFound where none is open.
	CancelDelivery(ctx context.Context, row int64) error
	// TerminateDelivery ends it without asking; where none is open it does nothing.
	TerminateDelivery(ctx context.Context, row int64) error
	// DeleteDeliveries deletes all runs of the rows' workflows, and returns the rows that had any. A deleted run
	// may be visible for a moment longer.
	DeleteDeliveries(ctx context.Context, rows []int64) ([]int64, error)
}

// EraseInput names an erasure. Insist is set after a long wait: a delivery that has not ended is then terminated.
type EraseInput struct {
	ID     int64
	Insist bool `json:",omitempty"`
}

// EraseOutput is the progress of an erasure: numbers only.
type EraseOutput struct {
	State                           ops.ErasureState
	Total, Scanned, Matched, Erased int64
	Waiting                         int // events that have not ended, or whose workflows are being deleted
}

// StepErasure looks on for events to erase, until it has found some or its time is over, and erases those found. Safe to
// retry: it continues from the stored cursor.
func (a *Activities) StepErasure(ctx context.Context, in EraseInput) (EraseOutput, error) {
	e, err := a.search(ctx, in.ID)
	if err != nil {
		return EraseOutput{}, opaque(err)
	}
	items, err := a.Erasures.ErasureItems(ctx, in.ID, eraseItems)
	if err != nil {
		return EraseOutput{}, opaque(err)
	}
	closed, err := a.erase(ctx, items, in.Insist)
	if err == nil {
		err = a.Erasures.CloseItems(ctx, in.ID, closed)
	}
	if err == nil && e.Walked && len(closed) == len(items) {
		e, err = a.Erasures.EndErasure(ctx, in.ID)
	} else {
		e.Erased += int64(len(closed))
	}
	if err != nil {
		return EraseOutput{}, opaque(err)
	}
	if e.State == ops.ErasureDone {
		a.Log.InfoContext(ctx, "erasure.ended", "erasure", in.ID, "scanned", e.Scanned, "erased", e.Erased)
	}
	return EraseOutput{State: e.State, Total: e.Total, Scanned: e.Scanned, Matched: e.Matched, Erased: e.Erased, Waiting: len(items) - len(closed)}, nil
}

// search looks on until there is enough to work at.
func (a *Activities) search(ctx context.Context, id int64) (ops.Erasure, error) {
	for deadline := time.Now().Add(eraseBudget); ; {
		began := time.Now()
		e, err := a.Erasures.SearchErasure(ctx, id, erasePage)
		if err != nil || e.Walked || e.Matched-e.Erased >= eraseItems || time.Now().After(deadline) {
			return e, err
		}
		activity.RecordHeartbeat(ctx)
		select {
		case <-ctx.Done():
			return e, ctx.Err()
		case <-time.After(max(minEraseRest, time.Since(began))):
		}
	}
}

// erase erases events, and returns the ids that are complete: ended so long ago that no attempt can be running, erased in MySQL,
// and deleted in Temporal.
func (a *Activities) erase(ctx context.Context, items []ops.EventState, insist bool) ([]int64, error) {
	var ended, closed []int64
	settled := map[int64]bool{}
	for _, e := range items {
		activity.RecordHeartbeat(ctx)
		if e.Status == relay.StatusPending || e.Status == relay.StatusProcessing {
			if err := a.giveUp(ctx, e, insist); err != nil {
				return nil, err
			}
			continue
		}
		if !e.Erased {
			if err := a.Erasures.EraseEvent(ctx, e.ID); err != nil {
				return nil, err
			}
		}
		ended = append(ended, e.ID)
		settled[e.ID] = e.Settled
	}
	found, err := a.Deliveries.DeleteDeliveries(ctx, ended)
	for _, id := range found {
		settled[id] = false // is looked for once more
	}
	for _, id := range ended {
		if settled[id] {
			closed = append(closed, id)
		}
	}
	return closed, err
}

// giveUp cancels an open delivery, which then ends its row itself. With insist it terminates the delivery.
func (a *Activities) giveUp(ctx context.Context, e ops.EventState, insist bool) error {
	switch {
	case e.Status != relay.StatusProcessing:
	case insist:
		if err := a.Deliveries.TerminateDelivery(ctx, e.ID); err != nil {
			return err
		}
	default:
		if err := a.Deliveries.CancelDelivery(ctx, e.ID); !errors.Is(err, relay.ErrNotFound) {
			return err
		}
	}
	return a.Erasures.Cancel(ctx, e.ID, e.Run, relay.EventOutcome{Status: relay.StatusFailed, Reason: relay.ReasonCancelled, Detail: relay.ReasonCancelled.Text()})
}
