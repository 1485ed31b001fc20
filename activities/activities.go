// Package activities holds the steps of a delivery: taking a row and resolving its route, one attempt at one destination, the
// end, and the polling of the inbox. It sees the database, the adapters and the HTTP client through small interfaces, and
// it is the only place that turns an outcome into a Temporal error.
package activities

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"relay/internal/ops"
	"relay/internal/relay"
)

// Store is the database of a delivery. Its errors wrap relay.ErrUnavailable while the database is away.
type Store interface {
	// Take makes this run the owner of a pending row, and reports whether it is the owner now.
	Take(ctx context.Context, id int64, run string) (bool, error)
	Switches(ctx context.Context, id int64) (relay.Switches, error)
	// Delivery loads everything for one attempt; with relay.ErrUnreadable it lacks the secrets.
	Delivery(ctx context.Context, id int64, run, destination string) (relay.Delivery, error)
	// Begin takes a row as Take does, but for one that this run has finished, and reads what its first attempts need.
	Begin(ctx context.Context, id int64, run string) (relay.Opening, error)
	RecordSending(ctx context.Context, attempts ...relay.Attempt) error
	CompleteAttempts(ctx context.Context, ends []relay.AttemptEnd) error
	// Conclude is CompleteAttempts and Finish, both or neither.
	Conclude(ctx context.Context, id int64, run string, c relay.EventOutcome, ends []relay.AttemptEnd) error
	// Wait records what a row waits for, and until when, and ends its time as a row in flight unless w says otherwise.
	Wait(ctx context.Context, id int64, w relay.Waiting) error
	// Finish is relay.ErrRecovered for an event that failed for the health of a destination which is healthy again.
	Finish(ctx context.Context, id int64, run string, c relay.EventOutcome) error
	// Cancel is Finish for a cancelled delivery, whose run may not have taken the row.
	Cancel(ctx context.Context, id int64, run string, c relay.EventOutcome) error
}

// Sender makes one exchange with a destination.
type Sender interface {
	Send(ctx context.Context, r relay.Request) relay.Response
}

// Activities are registered with a worker as they are; every exported method is an activity under its own name.
type Activities struct {
	Store          Store
	Sender         Sender
	Adapters       map[string]relay.Adapter
	Policy         relay.Policy
	Inbox          Inbox
	Starter        Starter
	Health         HealthStore
	Recovery       Recovery
	Limiter        *Limiter
	Lane           *Lane // nil: every attempt is an activity of its own
	ReconcileStore ReconcileStore
	Executions     Executions
	Replays        Replays
	StatsStore     StatsStore
	SwitchLog      SwitchLog // nil: unknown
	PurgeStore     PurgeStore
	Retention      ops.Retention
	Erasures       Erasures
	Deliveries     Deliveries
	Notices        Notices
	Notifier       Notifier // nil: notices are off
	NoticeRules    ops.NoticeRules
	Meter          Meter // nil: nothing is counted
	// PollInterval is how long PollInbox waits after a round without rows.
	PollInterval time.Duration
	// PollShards is how many pollers share the storefronts; 0 is one.
	PollShards int
	// Workers is how many worker processes run; nil is one.
	Workers func() int
	Log     *slog.Logger

	polls atomic.Int64 // in this process
}

// Row names an event's row and the run that delivers it.
type Row struct {
	ID  int64
	Run string
}

// ResolveInput asks for a route. Unrecorded are ends of attempts that could not be written when they happened. TurnedAway
// means that the unhealthy container rejected the event, which no row records. First asks for the first attempts, too.
type ResolveInput struct {
	Row
	Unrecorded []relay.AttemptEnd `json:",omitempty"`
	TurnedAway bool               `json:",omitempty"`
	First      bool               `json:",omitempty"`
}

// ResolveOutput is the route of a row, whether this run owns it (Taken), and the results of the first attempts.
type ResolveOutput struct {
	Taken bool
	Route relay.Route
	First *FirstAttempts `json:",omitempty"`
}

// ResolveRoute takes the row for this run and asks the kill switches where its event may go. If asked to, it also makes the first
// attempts that this process has room for. Every error is retryable.
func (a *Activities) ResolveRoute(ctx context.Context, in ResolveInput) (ResolveOutput, error) {
	if in.First && a.Lane != nil {
		return a.first(ctx, in.Row)
	}
	if err := a.complete(ctx, in.Unrecorded); err != nil {
		return ResolveOutput{}, opaque(err)
	}
	taken, err := a.Store.Take(ctx, in.ID, in.Run)
	if err != nil || !taken {
		return ResolveOutput{}, opaque(err)
	}
	route, err := a.route(ctx, in.ID, in.TurnedAway)
	return ResolveOutput{Taken: true, Route: route}, opaque(err)
}

func (a *Activities) route(ctx context.Context, id int64, turnedAway bool) (relay.Route, error) {
	s, err := a.Store.Switches(ctx, id)
	if isNotFound(err) {
		return relay.Route{Reason: relay.ReasonUnknownStorefront}, nil
	}
	if err != nil {
		return relay.Route{}, err
	}
	return a.resolved(s, turnedAway), nil
}

// resolved is the route of an event by the switches.
func (a *Activities) resolved(s relay.Switches, turnedAway bool) relay.Route {
	if turnedAway {
		s = s.ContainerUnhealthy(a.Policy)
	}
	return relay.Resolve(a.withAdapters(s), a.Policy)
}

// withAdapters marks the platforms that the relay has an adapter for, which the database does not know. It marks a copy, because the
// attempts of an event run in parallel and share its switches.
func (a *Activities) withAdapters(s relay.Switches) relay.Switches {
	s.Platforms = slices.Clone(s.Platforms)
	for i, p := range s.Platforms {
		_, s.Platforms[i].HasAdapter = a.Adapters[p.Code]
	}
	return s
}

// FinishInput holds the results of the deliveries of an event.
type FinishInput struct {
	Row
	Route      relay.Route
	Ends       []relay.DeliveryResult
	Unrecorded []relay.AttemptEnd `json:",omitempty"`
	Cancelled  bool               `json:",omitempty"`
}

// FinishOutput is the event's final status. Recovered: it has not ended, because the destination that it failed for is healthy
// again.
type FinishOutput struct {
	Status    relay.Status
	Reason    relay.Reason
	Detail    string `json:",omitempty"`
	Recovered bool   `json:",omitempty"`
}

// Finish writes the event's final status. Every error is retryable.
func (a *Activities) Finish(ctx context.Context, in FinishInput) (FinishOutput, error) {
	if err := a.complete(ctx, in.Unrecorded); err != nil {
		return FinishOutput{}, opaque(err)
	}
	c, finish := relay.Conclude(in.Route, in.Ends), a.Store.Finish
	if in.Cancelled {
		c.Status, c.Reason, c.Detail = relay.StatusFailed, relay.ReasonCancelled, relay.ReasonCancelled.Text()
		finish = a.Store.Cancel
	}
	err := finish(ctx, in.ID, in.Run, c)
	if errors.Is(err, relay.ErrRecovered) {
		return FinishOutput{Recovered: true}, nil
	}
	if err != nil {
		return FinishOutput{}, opaque(err)
	}
	return a.finished(ctx, in.ID, c), nil
}

// finished logs and counts the end of an event.
func (a *Activities) finished(ctx context.Context, id int64, c relay.EventOutcome) FinishOutput {
	if a.Meter != nil {
		a.Meter.Finished(c.Status, c.Reason)
	}
	a.Log.InfoContext(ctx, "event.finished", "id", id, "status", c.Status, "reason", c.Reason)
	return finishOutput(c)
}

func finishOutput(c relay.EventOutcome) FinishOutput {
	return FinishOutput{Status: c.Status, Reason: c.Reason, Detail: c.Detail}
}

func (a *Activities) complete(ctx context.Context, ends []relay.AttemptEnd) error {
	if len(ends) == 0 {
		return nil
	}
	return a.Store.CompleteAttempts(ctx, ends)
}
