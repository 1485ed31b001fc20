package activities

import (
	"context"

	"relay/internal/ops"
	"relay/internal/relay"
)

// SwitchLog knows who set the kill switches.
type SwitchLog interface {
	// Flip is who set the kill switch that keeps a storefront's events from a destination, and when; zero where nobody knows.
	Flip(ctx context.Context, storefrontID int64, destination string, reason relay.Reason) (ops.SwitchChange, error)
}
