package activities

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	mathrand "math/rand/v2"
	"time"

	"relay/internal/relay"
)

// attempt is one execution of Deliver. Its methods that end it early return the outcome, or nil to continue.
type attempt struct {
	*Activities
	in       DeliverInput
	delivery relay.Delivery
	loaded   time.Time // when delivery was read
	adapter  relay.Adapter
	request  relay.Request
	row      relay.Attempt
	result   relay.Result
	took     time.Duration // the exchange
	pause    time.Duration // before the next attempt
	leave    func()        // ends the attempt's turn
}

// run makes the attempt.
func (t *attempt) run(ctx context.Context) outcome {
	if o := t.load(ctx); o != nil {
		return t.exit(ctx, *o)
	}
	if o := t.decide(ctx); o != nil {
		return t.exit(ctx, *o)
	}
	leave, wait := t.Limiter.enter(ctx, t.limiterKey(), t.in.ID, t.delivery.Destination.Options.Limits)
	if wait > 0 {
		return t.exit(ctx, *t.notSent(relay.ReasonLimited, wait))
	}
	defer leave()
	if o := t.checkHealth(ctx); o != nil {
		return t.exit(ctx, *o)
	}
	if !t.record(ctx, t) {
		return t.exit(ctx, t.notRecorded())
	}
	end := t.exchange(ctx)
	recorded := t.keep(ctx, func(ctx context.Context) error { return t.Store.CompleteAttempts(ctx, []relay.AttemptEnd{end}) })
	return t.conclude(ctx, end, recorded)
}

// load reads everything that the attempt needs.
func (t *attempt) load(ctx context.Context) *outcome {
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	d, err := t.Store.Delivery(ctx, t.in.ID, t.in.Run, t.in.Destination)
	t.delivery, t.loaded = d, time.Now()
	switch {
	case isNotFound(err) || err == nil && !d.Owned:
		return &outcome{end: t.end(relay.Lost, "")}
	case errors.Is(err, relay.ErrUnreadable) && d.Owned:
		t.Log.ErrorContext(ctx, "credential.unreadable", t.names()...)
		return t.notSent(relay.ReasonCredentialUnreadable, credentialWait)
	case err != nil:
		return t.notSent(relay.ReasonDatabaseUnavailable, databaseWait)
	}
	return nil
}

// decide asks the switches once more, then the earlier attempts, then the adapter.
func (t *attempt) decide(ctx context.Context) *outcome {
	route := t.resolved(t.delivery.Switches, t.in.TurnedAway)
	earlier := t.earlier()
	_, on := route.Target(t.in.Destination)
	switch {
	case earlier.Accepted:
		return &outcome{end: t.end(relay.Accepted, "")}
	case earlier.Made >= t.Policy.MaxAttempts:
		end := t.end(relay.Exhausted, relay.ReasonExhausted)
		end.Cause, end.Status = earlier.Cause, earlier.Status // of the latest attempt
		return &outcome{end: end}
	case !on:
		reason := route.BlockedBy(t.in.Destination)
		t.recordSkip(ctx, relay.Blocked, reason, "")
		return &outcome{end: t.end(relay.Blocked, reason)}
	}
	t.adapter = t.Adapters[t.in.Destination]
	request, err := relay.Render(t.adapter, t.delivery.Destination, t.delivery.Event)
	if err != nil {
		return t.refused(ctx, err)
	}
	t.request = request
	return nil
}

// refused is the outcome for an event that the adapter cannot send, or must not.
func (t *attempt) refused(ctx context.Context, err error) *outcome {
	var r *relay.Refusal
	if !errors.As(err, &r) {
		r = &relay.Refusal{Reason: relay.ReasonInvalidPayload}
	}
	o := relay.Rejected
	if r.Skip {
		o = relay.Skipped
	}
	t.recordSkip(ctx, o, r.Reason, r.Field)
	return &outcome{end: t.end(o, r.Reason), field: r.Field}
}

// newRow is the record of this attempt. Its id is random and made in the execution that sends: a repeated execution is another
// attempt, with a row of its own.
func (t *attempt) newRow(number int) relay.Attempt {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	return relay.Attempt{
		AttemptID:   hex.EncodeToString(id[:]),
		EventID:     t.in.ID,
		Generation:  t.delivery.Generation,
		Destination: t.in.Destination,
		Number:      number,
		StartedAt:   time.Now().UTC(),
		Result:      relay.Result{Outcome: relay.Sending},
	}
}

// recordSkip records a decision that sent nothing. Best effort: without the database, the event's own reason still says the
// same.
func (t *attempt) recordSkip(ctx context.Context, o relay.Outcome, reason relay.Reason, field string) {
	ctx, cancel := context.WithTimeout(ctx, recordTimeout)
	defer cancel()
	row := t.newRow(0)
	row.Result = relay.Result{Outcome: o, Reason: reason}
	row.Detail = reason.Text()
	if field != "" {
		row.Detail += ": " + field
	}
	if o == relay.Blocked {
		row.Detail += t.setBy(ctx, reason)
	}
	if err := t.Store.RecordSending(ctx, row); err != nil {
		t.Log.WarnContext(ctx, "attempt.unrecorded", append(t.names(), "error", err)...)
	}
}

// record writes attempts before their requests leave. Without a record nothing is sent.
func (a *Activities) record(ctx context.Context, attempts ...*attempt) bool {
	ctx, cancel := context.WithTimeout(ctx, recordTimeout)
	defer cancel()
	rows := make([]relay.Attempt, len(attempts))
	for i, t := range attempts {
		t.row = t.newRow(t.delivery.LastNumber + 1)
		describe(&t.row, t.request)
		rows[i] = t.row
	}
	return a.Store.RecordSending(ctx, rows...) == nil
}

// describe adds the request to the record, without the values of headers and of the query.
func describe(row *relay.Attempt, r relay.Request) {
	sum := sha256.Sum256(r.Body)
	row.Method = r.Method
	row.URL = relay.RedactURL(r.URL)
	row.HeaderNames = r.HeaderNames()
	row.Body = relay.RedactBody(r.Body)
	row.BodySHA256 = hex.EncodeToString(sum[:])
	row.AdapterVersion = r.Version
	row.Dropped = relay.RedactNames(r.Dropped)
	row.Warnings = r.Warnings
}

// notRecorded is the outcome of an attempt that the database may or may not have stored: nothing was sent, and the next step
// writes that.
func (t *attempt) notRecorded() outcome {
	o := *t.notSent(relay.ReasonDatabaseUnavailable, databaseWait)
	o.unrecorded = []relay.AttemptEnd{{
		AttemptID: t.row.AttemptID,
		Result:    relay.Result{Outcome: relay.NotSent, Reason: relay.ReasonDatabaseUnavailable},
	}}
	return o
}

// exchange sends the request and returns the end of the attempt.
func (t *attempt) exchange(ctx context.Context) relay.AttemptEnd {
	reply := t.Sender.Send(ctx, t.request.For(t.delivery.Destination))
	t.took, t.result = reply.Took, t.adapter.Outcome(reply)
	t.Lane.observe(t.limiterKey(), reply.Took)
	t.capRetryAfter()
	t.measure()
	t.pause = t.delay()
	return relay.AttemptEnd{AttemptID: t.row.AttemptID, Duration: time.Since(t.row.StartedAt), Result: t.result}
}

// conclude is the outcome of an attempt that sent. If the database could not store the response, the outcome carries it to the
// workflow: an outage never repeats a send that has a response.
func (t *attempt) conclude(ctx context.Context, end relay.AttemptEnd, recorded bool) outcome {
	if recorded {
		t.updateHealth(ctx)
	}
	t.Log.InfoContext(ctx, "delivery.attempted", append(t.names(),
		"number", t.row.Number, "outcome", t.result.Outcome, "reason", t.result.Reason, "status", t.result.Status,
		"duration_ms", end.Duration.Milliseconds(), "recorded", recorded)...)
	o := outcome{end: t.deliveryResult()}
	switch {
	case !recorded:
		end.Result.Fields, end.Result.TraceID = nil, "" // the vendor's text does not travel
		o.wait, o.unrecorded = t.pause, []relay.AttemptEnd{end}
	case t.result.Outcome == relay.Retry && t.probes():
		o.end = t.failedProbe(o.end)
	case t.result.Outcome == relay.Retry:
		o.wait = t.pause
	}
	return o
}

// capRetryAfter rejects an event whose vendor asks for a wait over 24 h, or one past the age at which the platform drops the
// event.
func (t *attempt) capRetryAfter() {
	r := &t.result
	if r.Outcome != relay.Retry {
		return
	}
	tooLate := t.request.MaxAge > 0 && t.delivery.Event.Age()+r.RetryAfter > t.request.MaxAge
	if r.RetryAfter > maxRetryAfter || r.RetryAfter > 0 && tooLate {
		r.Outcome, r.Reason = relay.Rejected, relay.ReasonRetryAfterTooLong
	}
}

// delay is the wait before the next attempt: the policy's, or the vendor's if that is longer, plus up to a tenth, so that events
// that failed together do not return together.
func (t *attempt) delay() time.Duration {
	d := max(t.Policy.Delay(t.earlier().Made+1), t.result.RetryAfter)
	return d + time.Duration(mathrand.Float64()*0.1*float64(d))
}

// keep stores responses, and reports whether the database took them.
func (a *Activities) keep(ctx context.Context, write func(context.Context) error) bool {
	// The activity's own context may end with the worker, but the response must be written.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), completeTimeout)
	defer cancel()
	for ctx.Err() == nil {
		if write(ctx) == nil {
			return true
		}
		select {
		case <-ctx.Done():
		case <-time.After(completeRetry):
		}
	}
	return false
}

// deliveryResult returns the result of an attempt that sent.
func (t *attempt) deliveryResult() relay.DeliveryResult {
	end := t.end(t.result.Outcome, t.result.Reason)
	end.Status = t.result.Status
	return end
}

func (t *attempt) end(o relay.Outcome, r relay.Reason) relay.DeliveryResult {
	return relay.DeliveryResult{Destination: t.in.Destination, Outcome: o, Reason: r}
}

func (t *attempt) notSent(r relay.Reason, wait time.Duration) *outcome {
	return &outcome{end: t.end(relay.NotSent, r), wait: wait}
}

// earlier are the attempts so far at the destination.
func (t *attempt) earlier() relay.AttemptSummary {
	return t.delivery.Switches.Attempts[t.in.Destination]
}

func (t *attempt) last() bool { return t.earlier().Made+1 >= t.Policy.MaxAttempts }

func (t *attempt) names() []any {
	return []any{slog.Int64("id", t.in.ID), slog.String("destination", t.in.Destination),
		slog.String("storefront", t.delivery.Event.Storefront.Code), slog.String("event_type", t.delivery.Event.Type)}
}
