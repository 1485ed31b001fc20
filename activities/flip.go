package activities

import (
	"context"
	"time"

	"relay/internal/ops"
	"relay/internal/relay"
)

// Flips knows who set the kill switches.
type Flips interface {
	// Flip is who set the kill switch that keeps a storefront's events from a destination, and when; zero where nobody knows.
	Flip(ctx context.Context, storefrontID int64, destination string, reason relay.Reason) (ops.Flip, error)
}

// flipped says who set the switch that blocked the try, and when. Where the database does not say, the record is made
// without.
func (t *try) flipped(ctx context.Context, reason relay.Reason) string {
	if t.Flips == nil {
		return ""
	}
	f, err := t.Flips.Flip(ctx, t.delivery.Switches.Storefront.ID, t.in.Destination, reason)
	if err != nil || f.By == "" {
		return ""
	}
	return " (set by " + f.By + " at " + f.At.UTC().Format(time.RFC3339) + ")"
}
