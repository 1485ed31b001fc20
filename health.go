package relay

import (
	"cmp"
	"time"
)

// UnhealthyAfter is how many retryable failures in a row make a storefront's destination unhealthy: then its events fail at
// once, except for one each ProbeEvery that tries it.
const (
	UnhealthyAfter = 20
	ProbeEvery     = 30 * time.Second
)

// Health is how a storefront's destination has fared of late. The zero value is a destination without trouble.
type Health struct {
	Failures  int       // retryable failures in a row
	Since     time.Time // of the first of them
	Unhealthy bool
}

// Limits bound what all worker processes together send to a storefront's destination; 0 is no limit.
type Limits struct {
	InFlight  int     `json:"in_flight,omitempty"`
	PerSecond float64 `json:"per_second,omitempty"`
}

// Or is l where it says something, and otherwise others.
func (l Limits) Or(others Limits) Limits {
	return Limits{InFlight: cmp.Or(l.InFlight, others.InFlight), PerSecond: cmp.Or(l.PerSecond, others.PerSecond)}
}
