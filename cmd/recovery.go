package cmd

import (
	"context"
	"time"

	"relay"
	"relay/activities"
)

// recovery sends again what failed while a destination was unhealthy.
type recovery struct{ *service }

func (s *service) recovery() activities.Recovery { return recovery{s} }

// Recover logs.
func (r recovery) Recover(_ context.Context, storefront relay.Storefront, destination string, since time.Time) error {
	r.log.Info("destination.recovered", "storefront", storefront.Code, "destination", destination, "since", since)
	return nil
}
