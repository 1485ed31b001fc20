package activities

import (
	"context"

	"relay/internal/ops"
	"relay/internal/relay"
)

// SwitchLog returns the users that set kill switches.
type SwitchLog interface {
	// SwitchChange returns the last change of the kill switch that blocks a storefront's events from a destination; zero if unknown.
	SwitchChange(ctx context.Context, storefrontID int64, destination string, reason relay.Reason) (ops.SwitchChange, error)
}
