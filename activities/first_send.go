package activities

import (
	"context"
	"runtime/debug"
	"sync"
	"time"

	"relay/internal/relay"
)

// exchanged is an attempt after its exchange, whose result is not stored yet; unseen without a result.
type exchanged struct {
	*attempt
	end    relay.AttemptEnd
	unseen bool
}

// exchange makes one of several exchanges. One that breaks off leaves its row as a worker that was killed would.
func (f *first) exchange(ctx context.Context, t *attempt) (one exchanged) {
	defer func() {
		if recover() != nil {
			t.panicked(ctx)
			one = exchanged{attempt: t, unseen: true}
		}
	}()
	return exchanged{attempt: t, end: t.exchange(ctx)}
}

// panicked logs the stack of a panic, without its value, which may hold a payload.
func (t *attempt) panicked(ctx context.Context) {
	t.Log.ErrorContext(ctx, "attempt.panicked", append(t.names(), "stack", string(debug.Stack()))...)
}

// close is the outcome of an attempt, and ends its turn.
func (one exchanged) close(ctx context.Context, recorded bool) outcome {
	defer one.leave()
	if one.unseen {
		return outcome{end: one.attempt.end(relay.Retry, relay.ReasonInterrupted), wait: one.delay()}
	}
	return one.conclude(ctx, one.end, recorded)
}

// send records and makes the attempts, and ends the event if no target remains.
func (f *first) send(ctx context.Context) {
	if len(f.sending) == 0 {
		f.keepResponses(ctx, nil, 0)
		return
	}
	if !f.record(ctx, f.sending...) {
		for _, t := range f.sending {
			t.leave()
			f.outcomes = append(f.outcomes, t.exit(ctx, t.notRecorded()))
		}
		return
	}
	// A worker that stops, or a workflow that is cancelled, does not cut the exchange, which has its own time-out.
	ctx = context.WithoutCancel(ctx)
	replies := make(chan exchanged, len(f.sending))
	for _, t := range f.sending {
		go func() { replies <- f.exchange(ctx, t) }()
	}
	for left := len(f.sending); left > 0; {
		together := gather(replies, left)
		left -= len(together)
		f.keepResponses(ctx, together, left)
	}
}

// gather waits for one response, and a moment for others.
func gather(replies <-chan exchanged, most int) []exchanged {
	list := []exchanged{<-replies}
	timer := time.NewTimer(gatherFor)
	defer timer.Stop()
	for len(list) < most {
		select {
		case one := <-replies:
			list = append(list, one)
		case <-timer.C:
			return list
		}
	}
	return list
}

// keepResponses stores responses and, with the last of them, the end of the event.
func (f *first) keepResponses(ctx context.Context, replies []exchanged, left int) {
	var ends []relay.AttemptEnd
	var results []relay.DeliveryResult
	for _, o := range f.outcomes {
		results = append(results, o.end)
	}
	for _, one := range replies {
		if one.unseen {
			left++
			continue
		}
		ends, results = append(ends, one.end), append(results, one.deliveryResult())
	}
	write := func(ctx context.Context) error { return f.Store.CompleteAttempts(ctx, ends) }
	end, ended := f.conclusion(results, left)
	if ended {
		write = func(ctx context.Context) error { return f.Store.Conclude(ctx, f.row.ID, f.row.Run, end, ends) }
	}
	recorded := (ended || len(ends) > 0) && f.keep(ctx, write)
	var all sync.WaitGroup
	concluded := make([]outcome, len(replies))
	for i, one := range replies {
		all.Go(func() { concluded[i] = one.close(ctx, recorded) })
	}
	all.Wait()
	f.outcomes = append(f.outcomes, concluded...)
	if ended && recorded {
		out := f.Activities.finished(ctx, f.row.ID, end)
		f.finished = &out
	}
}

// conclusion returns the outcome of the event, if all of its targets have ended. Finish decides on those that failed for a destination's
// health or ran out of attempts.
func (f *first) conclusion(results []relay.DeliveryResult, left int) (relay.EventOutcome, bool) {
	if left > 0 || len(f.left) > 0 {
		return relay.EventOutcome{}, false
	}
	for _, r := range results {
		if r.Outcome == relay.Retry || r.Outcome == relay.NotSent || r.Outcome == relay.Lost || r.Outcome == relay.Blocked {
			return relay.EventOutcome{}, false
		}
	}
	c := relay.Conclude(f.route, results)
	return c, len(c.Unhealthy())+len(c.Exhausted()) == 0
}
