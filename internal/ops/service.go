package ops

import (
	"time"

	"relay/internal/relay"
)

// The objectives of the service: shares of deliveries. docs/OPERATIONS.md and deploy/observability/alerts.yml have the same.
const (
	FreshWithin      = time.Minute // after its acceptance, an event should be delivered
	ServiceObjective = 0.99
)

// Steps of the counts, and for how long they are kept.
const (
	ServiceStep = 5 * time.Minute
	KeepService = 31 * aDay
)

// ServiceCounts counts deliveries: how they ended and, of those that a destination accepted, whether soon after the event was
// accepted. An event that was set back by a retry or a replay is neither fresh nor late.
type ServiceCounts struct {
	Delivered, Failed int64
	Fresh, Late       int64
}

// Plus adds two counts.
func (c ServiceCounts) Plus(d ServiceCounts) ServiceCounts {
	return ServiceCounts{c.Delivered + d.Delivered, c.Failed + d.Failed, c.Fresh + d.Fresh, c.Late + d.Late}
}

// CountEnd returns the counts of a delivery that ended. One that was skipped on purpose, or stopped by a switch, is neither a success
// nor a failure.
func CountEnd(o relay.Outcome) ServiceCounts {
	switch o {
	case relay.Accepted:
		return ServiceCounts{Delivered: 1}
	case relay.Rejected, relay.Unauthorized, relay.Unknown, relay.Exhausted:
		return ServiceCounts{Failed: 1}
	}
	return ServiceCounts{}
}

// CountDelay returns the counts of a delivery that a destination accepted, by the time since its event was accepted.
func CountDelay(after time.Duration) ServiceCounts {
	if after <= FreshWithin {
		return ServiceCounts{Fresh: 1}
	}
	return ServiceCounts{Late: 1}
}
