package relay

import (
	"cmp"
	"time"
)

// UnhealthyAfter is the number of consecutive retryable failures that make a storefront's destination unhealthy, once they have lasted
// (Policy.Lasting).
const UnhealthyAfter = 20

// RecoveryMargin is the time after a recovery in which events may still fail on workers that do not know of it yet.
const RecoveryMargin = 30 * time.Second

// Health is the recent health of a storefront's destination. The zero value is healthy.
type Health struct {
	Failures   int       // retryable failures in a row
	Since      time.Time // of the first of them
	Unhealthy  bool
	Reason     Reason // of the latest failure
	Status     int    // its HTTP status; 0 where there was no response
	Probes     int    // that the relay has sent since the destination became unhealthy
	ProbeEvent int64  // the event that the relay sends as its latest probe; 0 is none
}

// State returns healthy, failing or unhealthy.
func (h Health) State() HealthState {
	switch {
	case h.Unhealthy:
		return Unhealthy
	case h.Failures > 0:
		return Failing
	}
	return Healthy
}

// HealthState classifies a destination's health.
type HealthState string

// The health of a destination: failing after a failure without a success since, unhealthy while new events are turned away.
const (
	Healthy   HealthState = "healthy"
	Failing   HealthState = "failing"
	Unhealthy HealthState = "unhealthy"
)

// Failure is a failed attempt as it counts for its destination's health.
type Failure struct {
	Reason Reason
	Status int           // HTTP status; 0 where there was no response
	Down   bool          // makes the destination unhealthy at once, whatever the count
	Lasted time.Duration // the failures must have lasted this long to make the destination unhealthy
	Probe  time.Duration // when a destination that this failure makes unhealthy is probed first
}

// Place is one destination of one storefront.
type Place struct {
	StorefrontID int64
	Destination  string
}

// UnhealthyDestination is an unhealthy destination of a storefront.
type UnhealthyDestination struct {
	Place
	Health
}

// Lasting is the time for which a destination must have failed without a success before a failed attempt makes it unhealthy: one
// backoff where the attempt was an event's second or a later one, because only an event's retry shows whether
// the failure was transient. A first attempt shows less and needs four backoffs. made is the number of attempts before.
func (p Policy) Lasting(made int) time.Duration {
	if made > 0 || p.MaxAttempts == 1 {
		return p.Base
	}
	return 4 * p.Base
}

// ProbeDelay is the wait before the n-th probe (counted from 0) of an unhealthy destination, after the previous one: a
// quarter of the backoff, a half, then one backoff. Refused credentials are rarely repaired within minutes, and vendors watch
// for repeated refusals: there it grows to 16 backoffs.
func (p Policy) ProbeDelay(n int, reason Reason) time.Duration {
	most := p.Base
	if reason == ReasonUnauthorized {
		most = 16 * p.Base
	}
	d := p.Base / 4
	for range n {
		if d >= most {
			break
		}
		d *= 2
	}
	return min(d, most)
}

// Limits bound the requests of all worker processes together to a storefront's destination; 0 is no limit.
type Limits struct {
	InFlight  int     `json:"in_flight,omitempty"`
	PerSecond float64 `json:"per_second,omitempty"`
}

// Or is l where it says something, and otherwise others.
func (l Limits) Or(others Limits) Limits {
	return Limits{InFlight: cmp.Or(l.InFlight, others.InFlight), PerSecond: cmp.Or(l.PerSecond, others.PerSecond)}
}
