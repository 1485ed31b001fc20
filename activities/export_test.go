package activities

import (
	"context"
	"time"

	"relay"
)

// Enter and Close let a test stand before the gates.
func (g *Gates) Enter(ctx context.Context, storefront int64, destination string, event int64, l relay.Limits) (func(), time.Duration) {
	return g.enter(ctx, gateKey{storefront, destination}, event, l)
}

func (g *Gates) Close(storefront int64, destination string, d time.Duration) {
	g.close(gateKey{storefront, destination}, d)
}

func (g *Gates) Len() int { return len(g.gates) }
