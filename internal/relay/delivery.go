package relay

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Outcome is the result of one attempt or of one delivery.
type Outcome string

// Outcomes that an adapter derives from a response.
const (
	Accepted     Outcome = "accepted"
	Retry        Outcome = "retry"
	Rejected     Outcome = "rejected"
	Unauthorized Outcome = "unauthorized" // the destination refuses the credential
	Unknown      Outcome = "unknown"      // perhaps accepted, and a second copy would count twice
)

// Outcomes without a response.
const (
	Sending Outcome = "sending"  // recorded before the request is sent; if it stays, the attempt was interrupted
	Blocked Outcome = "blocked"  // a kill switch is off
	Skipped Outcome = "skipped"  // not wanted at this destination: no mapping, no consent
	NotSent Outcome = "not_sent" // an internal error; nothing was sent and no attempt was used
	Lost    Outcome = "lost"     // the row belongs to another run, or is gone

	Exhausted Outcome = "exhausted" // no attempts left
)

// Reason says why, as a stable code that may be shown, stored and sent to Temporal.
type Reason string

// Result is the result of one attempt. It holds our codes and the vendor's ids, never the vendor's text.
type Result struct {
	Outcome    Outcome
	Reason     Reason
	Status     int           // HTTP status; 0 if there was no response
	RetryAfter time.Duration // asked for by the vendor
	TraceID    string        // the vendor's id of the request
	Fields     map[string]string
}

// Delivery holds everything that one attempt at one destination needs, read in one query.
type Delivery struct {
	// Owned is false where the row is not this run's to deliver (any more).
	Owned       bool
	Generation  int
	LastNumber  int // of the attempts at this destination so far
	Event       Event
	Switches    Switches // Attempts holds this destination's
	Destination Destination
	Health      Health // the destination's
}

// Opening holds the data that the first attempts of an event need, read together.
type Opening struct {
	// Taken is true where the event is this run's to deliver. If not, Ended is set where this run has finished it before.
	Taken      bool
	Ended      *EventOutcome
	Switches   Switches
	Deliveries map[string]Delivery // by destination, without those whose secrets or options cannot be read
}

// Attempt is the record of one attempt: the request (redacted), the result and the duration. An attempt that sent nothing
// (blocked, skipped, refused) has Number 0 and does not count.
type Attempt struct {
	AttemptID      string // random, made in the execution that sends
	EventID        int64  // the event's row
	Generation     int    // of the event: how often it had been retried or reset
	Destination    string
	Number         int // per event and destination, over all generations
	StartedAt      time.Time
	Duration       time.Duration
	Method         string
	URL            string   // without query values
	HeaderNames    []string // sorted
	Body           string   // with personal values replaced
	BodySHA256     string   // of the bytes sent
	AdapterVersion string
	Dropped        []string
	Warnings       []string // for an admin, without values
	Result         Result
	Detail         string // readable text
}

// AttemptEnd completes the record of an attempt: an Attempt's end, small and free of personal data, so that it may wait in
// a workflow while the database is away.
type AttemptEnd struct {
	AttemptID string
	Duration  time.Duration
	Result    Result
}

// DeliveryResult is the result of the delivery to one destination.
type DeliveryResult struct {
	Destination string  `json:"destination"`
	Outcome     Outcome `json:"outcome"`
	Reason      Reason  `json:"reason,omitempty"`
	Status      int     `json:"status,omitempty"` // HTTP status of the last response
	// Cause is the reason of the last attempt where Reason is another: why the attempts ran out, or the destination is unhealthy.
	Cause Reason `json:"cause,omitempty"`
}

// EventOutcome is the event's final status, reason and per-destination results.
type EventOutcome struct {
	Status Status
	Reason Reason
	Detail string
	Ends   []DeliveryResult
}

// Conclude combines the results of an event's deliveries with its route: any failed destination makes it
// failed, else any that accepted makes it delivered, with the blocked ones listed in Detail; else it was skipped.
func Conclude(route Route, ends []DeliveryResult) EventOutcome {
	all := slices.Clone(ends)
	for _, d := range route.Accepted {
		if !slices.ContainsFunc(all, func(e DeliveryResult) bool { return e.Destination == d }) {
			all = append(all, DeliveryResult{Destination: d, Outcome: Accepted})
		}
	}
	for _, o := range route.Disabled { // exhausted in an earlier run
		if o.Reason == ReasonExhausted && !slices.ContainsFunc(all, func(e DeliveryResult) bool { return e.Destination == o.Destination }) {
			all = append(all, DeliveryResult{Destination: o.Destination, Outcome: Exhausted, Reason: ReasonExhausted})
		}
	}
	slices.SortFunc(all, func(a, b DeliveryResult) int { return strings.Compare(a.Destination, b.Destination) })
	c := EventOutcome{Ends: all, Detail: detail(route, all)}
	c.Status, c.Reason = finalStatus(all, route)
	if c.Status == StatusSkipped && c.Reason == "" {
		c.Reason = cmp.Or(route.Reason, ReasonNoActiveDestination)
	}
	return c
}

// Unhealthy are the destinations whose bad health alone is why this event failed there. A cancelled event has none.
func (c EventOutcome) Unhealthy() []string {
	if c.Status != StatusFailed || c.Reason == ReasonCancelled {
		return nil
	}
	var keys []string
	for _, e := range c.Ends {
		if e.Reason == ReasonUnhealthy {
			keys = append(keys, e.Destination)
		}
	}
	return keys
}

// Exhausted are the destinations whose last attempt failed, where that is why this event failed.
func (c EventOutcome) Exhausted() []string {
	if c.Status != StatusFailed || c.Reason != ReasonExhausted {
		return nil
	}
	var keys []string
	for _, e := range c.Ends {
		if e.Reason == ReasonExhausted {
			keys = append(keys, e.Destination)
		}
	}
	return keys
}

// finalStatus is the status of an event whose deliveries ended so, and the reason of the end that decided it. Of several
// failures a retryable one takes precedence, so that a replay after an outage finds it. An admin's choice for this event (skipped)
// takes precedence over a disabled switch (blocked). A container that used up its attempts and failed over to the platforms, or
// that is unhealthy, fails the event only if none of them accepted it.
func finalStatus(ends []DeliveryResult, route Route) (Status, Reason) {
	var failed, accepted, skipped, blocked, replaced []DeliveryResult
	for _, e := range ends {
		over := e.Outcome == Exhausted || e.Reason == ReasonUnhealthy
		if over && slices.Contains(route.Disabled, Disabled{e.Destination, ReasonExhausted}) {
			replaced = append(replaced, e)
			continue
		}
		switch e.Outcome {
		case Accepted:
			accepted = append(accepted, e)
		case Skipped:
			skipped = append(skipped, e)
		case Blocked:
			blocked = append(blocked, e)
		default:
			failed = append(failed, e)
		}
	}
	switch {
	case len(failed) > 0:
		i := slices.IndexFunc(failed, func(e DeliveryResult) bool { return e.Reason == ReasonExhausted || e.Reason == ReasonUnhealthy })
		return StatusFailed, failed[max(0, i)].Reason
	case len(accepted) > 0:
		return StatusDelivered, ""
	case len(replaced) > 0:
		return StatusFailed, replaced[0].Reason
	case len(skipped) > 0:
		return StatusSkipped, skipped[0].Reason
	case len(blocked) > 0:
		return StatusSkipped, blocked[0].Reason
	}
	return StatusSkipped, ""
}

// detail describes how each delivery ended and which switch was off at which level.
func detail(route Route, ends []DeliveryResult) string {
	var s []string
	if len(ends) == 0 && route.Reason != "" {
		s = append(s, route.Reason.Text())
	}
	for _, e := range ends {
		s = append(s, e.String())
	}
	for _, o := range route.Disabled {
		if slices.ContainsFunc(ends, func(e DeliveryResult) bool {
			return e.Destination == o.Destination && (e.Reason == o.Reason || o.Reason == ReasonExhausted)
		}) {
			continue // said already
		}
		s = append(s, o.Destination+": "+o.Reason.Text())
	}
	return strings.Join(s, "; ")
}

// String describes the result: "sgtm: no attempts left (exhausted), last response 503: the destination reported a server error (server_error)".
func (e DeliveryResult) String() string {
	s := e.Destination + ": " + string(e.Outcome)
	if e.Reason != "" {
		s = e.Destination + ": " + e.Reason.Text() + " (" + string(e.Reason) + ")"
	}
	if e.Status != 0 {
		s += fmt.Sprintf(", last response %d", e.Status)
	} else if e.Cause != "" {
		s += ", last"
	}
	if e.Cause != "" {
		s += ": " + e.Cause.Text() + " (" + string(e.Cause) + ")"
	}
	return s
}
