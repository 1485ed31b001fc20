package activities

import (
	"context"
	"time"

	"relay/internal/relay"
)

// prober sends probes by itself, so that a destination without traffic is found to have recovered. A probe is one event
// that failed at the destination, set back to pending: it is delivered like any other event, and nothing artificial is sent.
type prober struct {
	*Activities
	looked time.Time
}

// look starts the probes that are due, at most once in probeEvery. An error is only logged, because the next look comes soon.
func (p *prober) look(ctx context.Context) {
	if time.Since(p.looked) < probeEvery {
		return
	}
	p.looked = time.Now()
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	due, err := p.Health.DueProbes(ctx, p.Policy.ProbeDelay(0, ""))
	for _, sick := range due {
		if err == nil {
			err = p.probe(ctx, sick)
		}
	}
	if err != nil {
		p.Log.WarnContext(ctx, "probe.failed", "error", err)
	}
}

// probe starts the probe of one destination, unless the kill switches keep the storefront's events from it: then its failed
// events would only be skipped.
func (p *prober) probe(ctx context.Context, sick relay.UnhealthyDestination) error {
	list, err := p.Health.StorefrontSwitches(ctx, sick.StorefrontID, 0, 1)
	if err != nil || len(list) == 0 {
		return err
	}
	if _, on := p.resolved(list[0], false).Target(sick.Destination); !on {
		return nil
	}
	event, err := p.Health.StartProbe(ctx, sick.Place, false, p.Policy.ProbeDelay(sick.Probes+1, sick.Reason))
	if err == nil && event != 0 {
		p.Log.InfoContext(ctx, "destination.probed", "storefront", list[0].Storefront.Code, "destination", sick.Destination, "id", event)
	}
	return err
}
