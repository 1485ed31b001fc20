package activities

import (
	"context"
	"time"

	"relay/internal/relay"
)

// Enter, EnterNow and Close export the queue of the limiter.
func (g *Limiter) Enter(ctx context.Context, storefront int64, destination string, event int64, l relay.Limits) (func(), time.Duration) {
	return g.enter(ctx, limiterKey{storefront, destination}, event, l)
}

func (g *Limiter) EnterNow(storefront int64, destination string, event int64, l relay.Limits) (func(), time.Duration) {
	return g.enterNow(limiterKey{storefront, destination}, event, l)
}

func (g *Limiter) Close(storefront int64, destination string, d time.Duration) {
	g.close(limiterKey{storefront, destination}, d)
}

func (g *Limiter) Len() int { return len(g.queues) }

// Prober is the prober of PollInbox.
type Prober struct{ prober }

// NewProber returns a new prober.
func NewProber(a *Activities) *Prober { return &Prober{prober{Activities: a}} }

// Look starts the probes that are due.
func (p *Prober) Look(ctx context.Context) { p.look(ctx) }

// Translate returns the translation of an outcome for Temporal.
func Translate(end relay.DeliveryResult, wait time.Duration, unrecorded []relay.AttemptEnd) (DeliverOutput, error) {
	return outcome{end: end, wait: wait, unrecorded: unrecorded}.result()
}

// Enter and Observe export the lane.
func (l *Lane) Enter(storefront int64, destination string) (func(), string) {
	return l.enter(limiterKey{storefront, destination})
}

func (l *Lane) Observe(storefront int64, destination string, took time.Duration) {
	l.observe(limiterKey{storefront, destination}, took)
}
