package activities

import (
	"context"
	"time"

	"relay/internal/ops"
	"relay/internal/relay"
)

// HealthStore keeps the health of destinations, one row per storefront and destination, so that all workers agree.
type HealthStore interface {
	// RecordFailure counts a retryable failure, which may make the destination unhealthy.
	RecordFailure(ctx context.Context, storefront int64, destination string, f relay.Failure) error
	// RecordSuccess ends a row of failures. Where it made an unhealthy destination healthy it begins the replay of what
	// failed meanwhile and returns its id, else 0.
	RecordSuccess(ctx context.Context, storefront int64, destination string) (replay int64, err error)
	// Probe reports whether this attempt may probe an unhealthy destination. The next may after the delay.
	Probe(ctx context.Context, storefront int64, destination string, next time.Duration) (bool, error)
	// DueProbes lists unhealthy destinations whose probe is due, each once in the given time.
	DueProbes(ctx context.Context, every time.Duration) ([]relay.UnhealthyDestination, error)
	// StartProbe sets one event that failed at an unhealthy destination back to pending, as its probe, and returns its id; 0
	// where no event failed there, or the probe is not due and not wanted now.
	StartProbe(ctx context.Context, p relay.Place, now bool, next time.Duration, lines ...ops.AuditEntry) (event int64, err error)
	// StorefrontSwitches are the switches of a storefront.
	StorefrontSwitches(ctx context.Context, storefrontID, platformID int64, limit int) ([]relay.Switches, error)
}

// Recovery starts the replay of events that failed while a destination was unhealthy. If the start fails, the supervisor of any
// worker starts it later.
type Recovery interface {
	StartReplay(ctx context.Context, id int64) error
}
