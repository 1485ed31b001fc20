package bench

import (
	"context"

	"relay/db/seed"
	"relay/deploy/lab/bench/floor"
	"relay/deploy/sandbox"
)

// fanOut is a drain whose events go to five platforms each.
func fanOut(ctx context.Context, r *run) error {
	return r.drainBeside(ctx, drainPlan{
		events: r.sizes.FanOut, rounds: r.sizes.Drains, shape: floor.FanOut, goals: []Goal{atLeast(2.5)},
		note:    "Every event goes to five platforms; the floor has five regular activities at once, %d starts in flight.",
		prepare: fivePlatforms,
	})
}

// fivePlatforms switches the storefront's container off and adds five platforms to it.
func fivePlatforms(ctx context.Context, l *env) error {
	ids, err := l.Store.StorefrontIDs(ctx, []string{"a"})
	if err != nil {
		return err
	}
	if err := seed.On(l.Store).SetSGTMActive(ctx, ids["a"], false); err != nil {
		return err
	}
	for _, platform := range sandbox.Platforms()[:5] {
		if err := l.AddPlatform(ctx, ids["a"], "a", platform); err != nil {
			return err
		}
	}
	return nil
}
