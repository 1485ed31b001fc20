package activities

import (
	"context"

	"relay/internal/ops"
	"relay/internal/relay"
)

// SwitchLog names the users who set kill switches.
type SwitchLog interface {
	// SwitchChange is who set the kill switch that keeps a storefront's events from a destination, and when; zero if unknown.
	SwitchChange(ctx context.Context, storefrontID int64, destination string, reason relay.Reason) (ops.SwitchChange, error)
}
