package activities

import (
	"context"
	"errors"
	"log/slog"
	mathrand "math/rand/v2"
	"time"

	"relay/internal/relay"
)

// Bounds of the database's part in one try. With the HTTP exchange (10 s) they fit into the activity's 15 s.
const (
	loadTimeout     = 1500 * time.Millisecond
	recordTimeout   = 1500 * time.Millisecond
	completeTimeout = 1500 * time.Millisecond
	exchangeTimeout = 10 * time.Second // the HTTP client's own

	databaseWait   = 10 * time.Second // before looking again whether the database is back
	credentialWait = time.Minute      // before looking again whether the credential decrypts

	maxRetryAfter = 24 * time.Hour
)

// DeliverInput names one destination of one event. TurnedAway is as in ResolveInput.
type DeliverInput struct {
	Row
	Destination string
	TurnedAway  bool `json:",omitempty"`
}

// DeliverOutput is how a try ended that ends without a Temporal error: accepted, blocked, skipped, lost, or not sent, which
// is to be tried again after Wait. Unrecorded is an end that the database could not take: the next step writes it.
type DeliverOutput struct {
	End        relay.End
	Wait       time.Duration      `json:",omitempty"`
	Unrecorded []relay.AttemptEnd `json:",omitempty"`
}

// Deliver makes one try to deliver an event to a destination: it reads switches and credential, records the attempt, sends,
// and completes the record. A failed try is an error: retryable, with the delay that the policy or the vendor wants, or
// final. What could not even be sent for our own trouble is a result (not_sent), and uses up no try.
func (a *Activities) Deliver(ctx context.Context, in DeliverInput) (DeliverOutput, error) {
	t := &try{Activities: a, in: in}
	if e := t.load(ctx); e != nil {
		return t.stopped(ctx, e)
	}
	if e := t.decide(ctx); e != nil {
		return t.stopped(ctx, e)
	}
	leave, wait := a.Gates.enter(ctx, t.gate(), t.in.ID, t.delivery.Destination.Options.Limits)
	if wait > 0 {
		return t.stopped(ctx, &ending{out: t.wait(relay.ReasonLimited, wait)})
	}
	defer leave()
	if e := t.admitted(ctx); e != nil {
		return t.stopped(ctx, e)
	}
	if !t.record(ctx) {
		return t.stopped(ctx, &ending{out: t.unsent()})
	}
	reply := a.Sender.Send(ctx, t.request)
	t.took, t.result = reply.Took, t.adapter.Outcome(reply)
	return t.conclude(ctx)
}

// try is one execution of Deliver.
type try struct {
	*Activities
	in       DeliverInput
	delivery relay.Delivery
	adapter  relay.Adapter
	request  relay.Request
	attempt  relay.Attempt
	result   relay.Result
	took     time.Duration // the exchange
	pause    time.Duration // before the next attempt
}

// ending is how a try ends before it sends.
type ending struct {
	out   DeliverOutput
	err   error
	field string // of the event, where one is to blame
}

// load reads everything that the try needs; nil means to go on.
func (t *try) load(ctx context.Context) *ending {
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	d, err := t.Store.Delivery(ctx, t.in.ID, t.in.Run, t.in.Destination)
	t.delivery = d
	switch {
	case isNotFound(err) || err == nil && !d.Owned:
		return &ending{out: t.end(relay.Lost, "")}
	case errors.Is(err, relay.ErrUnreadable) && d.Owned:
		t.Log.ErrorContext(ctx, "credential.unreadable", t.names()...)
		return &ending{out: t.wait(relay.ReasonCredentialUnreadable, credentialWait)}
	case err != nil:
		return &ending{out: t.wait(relay.ReasonDatabaseUnavailable, databaseWait)}
	}
	return nil
}

// decide asks the switches once more, then the tries, then the adapter; nil means to send.
func (t *try) decide(ctx context.Context) *ending {
	route := t.resolved(t.delivery.Switches, t.in.TurnedAway)
	tries := t.delivery.Switches.Tries[t.in.Destination]
	_, on := route.Leg(t.in.Destination)
	switch {
	case tries.Accepted:
		return &ending{out: t.end(relay.Accepted, "")}
	case tries.Made >= t.Policy.Tries:
		return &ending{err: failed(t.caused(relay.Exhausted, relay.ReasonExhausted))}
	case !on:
		reason := route.Blocks(t.in.Destination)
		t.note(ctx, relay.Blocked, reason, "")
		return &ending{out: t.end(relay.Blocked, reason)}
	}
	t.adapter = t.Adapters[t.in.Destination]
	request, err := relay.Render(t.adapter, t.delivery.Destination, t.delivery.Event)
	if err != nil {
		return t.refused(ctx, err)
	}
	t.request = request
	return nil
}

// refused ends a try whose event the adapter cannot, or shall not, send.
func (t *try) refused(ctx context.Context, err error) *ending {
	var r *relay.Refusal
	if !errors.As(err, &r) {
		r = &relay.Refusal{Reason: relay.ReasonInvalidPayload}
	}
	if r.Skip {
		t.note(ctx, relay.Skipped, r.Reason, r.Field)
		return &ending{out: t.end(relay.Skipped, r.Reason), field: r.Field}
	}
	t.note(ctx, relay.Rejected, r.Reason, r.Field)
	return &ending{err: failed(t.end(relay.Rejected, r.Reason).End), field: r.Field}
}

// note records a decision that sent nothing. It is for people to read: where the database is away, the event's own reason
// says the same.
func (t *try) note(ctx context.Context, o relay.Outcome, reason relay.Reason, field string) {
	ctx, cancel := context.WithTimeout(ctx, recordTimeout)
	defer cancel()
	a := t.newAttempt(0)
	a.Result = relay.Result{Outcome: o, Reason: reason}
	a.Detail = reason.Words()
	if field != "" {
		a.Detail += ": " + field
	}
	if o == relay.Blocked {
		a.Detail += t.flipped(ctx, reason)
	}
	if err := t.Store.RecordSending(ctx, a); err != nil {
		t.Log.WarnContext(ctx, "attempt.unrecorded", append(t.names(), "error", err)...)
	}
}

// record writes the attempt before the request leaves. Without that nothing is sent.
func (t *try) record(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, recordTimeout)
	defer cancel()
	t.attempt = t.newAttempt(t.delivery.LastNumber + 1)
	describe(&t.attempt, t.request)
	return t.Store.RecordSending(ctx, t.attempt) == nil
}

// unsent is a try whose record the database may or may not have: nothing left, and the next step says so in the record.
func (t *try) unsent() DeliverOutput {
	out := t.wait(relay.ReasonDatabaseUnavailable, databaseWait)
	out.Unrecorded = []relay.AttemptEnd{{
		AttemptID: t.attempt.AttemptID,
		Result:    relay.Result{Outcome: relay.NotSent, Reason: relay.ReasonDatabaseUnavailable},
	}}
	return out
}

// conclude completes the record and tells Temporal what comes next. Where the database cannot take the answer, the answer
// travels in the result instead: an outage never repeats an answered send.
func (t *try) conclude(ctx context.Context) (DeliverOutput, error) {
	t.judge()
	t.measure()
	t.pause = t.delay()
	end := relay.AttemptEnd{AttemptID: t.attempt.AttemptID, Duration: time.Since(t.attempt.StartedAt), Result: t.result}
	recorded := t.completeNow(ctx, end)
	if recorded {
		t.heed(ctx)
	}
	t.Log.InfoContext(ctx, "delivery.attempted", append(t.names(),
		"number", t.attempt.Number, "outcome", t.result.Outcome, "reason", t.result.Reason, "status", t.result.Status,
		"duration_ms", end.Duration.Milliseconds(), "recorded", recorded)...)
	out := t.end(t.result.Outcome, t.result.Reason)
	out.End.Status = t.result.Status
	if !recorded {
		end.Result.Fields, end.Result.TraceID = nil, "" // the vendor's text does not travel
		out.Unrecorded = []relay.AttemptEnd{end}
		out.Wait = t.pause
		return out, nil
	}
	switch t.result.Outcome {
	case relay.Accepted:
		return out, nil
	case relay.Retry:
		return DeliverOutput{}, t.again(out.End)
	}
	return DeliverOutput{}, failed(out.End)
}

// judge ends a delivery whose tries have run out, or whose vendor wants to be left alone for longer than the event is worth.
func (t *try) judge() {
	r := &t.result
	if r.Outcome != relay.Retry {
		return
	}
	tooLate := t.request.MaxAge > 0 && t.delivery.Event.Age()+r.RetryAfter > t.request.MaxAge
	if r.RetryAfter > maxRetryAfter || r.RetryAfter > 0 && tooLate {
		r.Outcome, r.Reason = relay.Rejected, relay.ReasonRetryAfterTooLong
	}
}

// delay is how long to wait for the next try: what the policy says, or what the vendor asked for where that is longer, plus
// up to a tenth, so that what failed together does not come back together.
func (t *try) delay() time.Duration {
	made := t.delivery.Switches.Tries[t.in.Destination].Made + 1
	d := max(t.Policy.Delay(made), t.result.RetryAfter)
	return d + time.Duration(mathrand.Float64()*0.1*float64(d))
}

func (t *try) completeNow(ctx context.Context, end relay.AttemptEnd) bool {
	// The activity's own context may end with the worker; what came back must be written all the same.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), completeTimeout)
	defer cancel()
	for ctx.Err() == nil {
		if t.Store.CompleteAttempts(ctx, []relay.AttemptEnd{end}) == nil {
			return true
		}
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
	return false
}

func (t *try) end(o relay.Outcome, r relay.Reason) DeliverOutput {
	return DeliverOutput{End: relay.End{Destination: t.in.Destination, Outcome: o, Reason: r}}
}

// caused is an end that the latest attempt explains.
func (t *try) caused(o relay.Outcome, r relay.Reason) relay.End {
	end, tries := t.end(o, r).End, t.delivery.Switches.Tries[t.in.Destination]
	end.Cause, end.Status = tries.Cause, tries.Status
	return end
}

func (t *try) wait(r relay.Reason, d time.Duration) DeliverOutput {
	out := t.end(relay.NotSent, r)
	out.Wait = d
	return out
}

func (t *try) names() []any {
	return []any{slog.Int64("id", t.in.ID), slog.String("destination", t.in.Destination),
		slog.String("storefront", t.delivery.Event.Storefront.Code), slog.String("event_type", t.delivery.Event.Type)}
}
