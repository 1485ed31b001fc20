package bench

import (
	"context"
	"time"

	"relay/deploy/lab/bench/floor"
)

// rest times single events in an idle system, alternating with a single bare workflow that is started eagerly, as the API
// starts its own.
func rest(ctx context.Context, r *run) error {
	l, err := r.newEnv(ctx, envOptions{floor: true})
	if err != nil {
		return err
	}
	defer func() { _ = l.close() }()
	var probes []probe
	var bare, acknowledged []time.Duration
	for range r.sizes.Singles {
		items := l.items("a", 1)
		p := probeOf(items[0])
		if err := l.post(ctx, items); err != nil {
			return err
		}
		acknowledged = append(acknowledged, time.Since(p.sent))
		probes = append(probes, p)
		if err := l.drained(ctx); err != nil {
			return err
		}
		if err := sleep(ctx, 30*time.Millisecond); err != nil {
			return err
		}
		outcome, err := l.floor.run(floor.Order{Shape: floor.Delivery, N: 1, InFlight: 1, Eager: true})
		if err != nil {
			return err
		}
		bare = append(bare, outcome.ToSend...)
		if err := sleep(ctx, 30*time.Millisecond); err != nil {
			return err
		}
	}
	took, err := l.latencies(ctx, probes, time.Minute)
	if err != nil {
		return err
	}
	res := r.result
	res.latency("POST to arrival", took, []Goal{atMost(100)}, nil)
	res.latency("POST to answer", acknowledged, nil, nil)
	res.latency("bare workflow, start to its regular activity", bare, nil, nil)
	res.add("p50, relay / bare workflow", median(took).Seconds()/median(bare).Seconds(), "×")
	res.note("%d events, one at a time, each in turn with a bare workflow.", len(took))
	return nil
}

// openLoop times single events at a steady rate.
func openLoop(ctx context.Context, r *run) error {
	l, err := r.newEnv(ctx, envOptions{})
	if err != nil {
		return err
	}
	defer func() { _ = l.close() }()
	for _, rate := range []int{25, 50} {
		before, err := l.usage(ctx)
		if err != nil {
			return err
		}
		probes, err := l.openLoop(ctx, "a", rate, time.Duration(r.sizes.Seconds)*time.Second)
		if err != nil {
			return err
		}
		took, err := l.latencies(ctx, probes, time.Minute)
		if err != nil {
			return err
		}
		after, err := l.usage(ctx)
		if err != nil {
			return err
		}
		var p50, p99 []Goal
		if rate == 25 {
			p50, p99 = []Goal{atMost(60)}, []Goal{atMost(250)}
		}
		what := number(float64(rate)) + " a second"
		r.result.latency(what, took, p50, p99)
		r.result.perEvent(", "+what, after.since(before), len(took), partRelay, partTemporal, partDatabase)
		if err := l.settle(ctx); err != nil {
			return err
		}
	}
	r.result.note("Single POSTs, due at even times for %d s each and timed from when they were due.", r.sizes.Seconds)
	return nil
}
