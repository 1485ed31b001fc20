package bench

import (
	"context"
	"time"

	"relay/deploy/sandbox"
)

const (
	quietRate    = 20 // events a second of the quiet storefront
	quietSeconds = 10
	slowAnswer   = 4 * time.Second
)

// neighbour times a quiet storefront, A, beside a busy one, B: once with a slow destination of B, once with a fast one and a
// large backlog of B; each with Temporal's fairness and without.
func neighbour(ctx context.Context, r *run) error {
	for _, fairness := range []bool{true, false} {
		if err := r.slowNeighbour(ctx, fairness); err != nil {
			return err
		}
		if err := r.largeNeighbour(ctx, fairness); err != nil {
			return err
		}
	}
	r.result.note("A posts %d single events a second for %d s. Slow: B has posted %d events, whose destination takes %s each. Large: B has posted %d events in batches of %d to a fast one. Fairness is Temporal's matching.enableFairness.",
		quietRate, quietSeconds, r.sizes.Slow, slowAnswer, r.sizes.Backlog, fullSizes.Batch)
	return nil
}

func with(fairness bool) string {
	if fairness {
		return "fairness on"
	}
	return "fairness off"
}

// goalsOf returns the goals of the system as it is shipped.
func goalsOf(fairness bool) []Goal {
	if fairness {
		return []Goal{atMost(1000)}
	}
	return nil
}

func (r *run) slowNeighbour(ctx context.Context, fairness bool) error {
	l, err := r.newEnv(ctx, envOptions{noFairness: !fairness, storefronts: []string{"a", "b"}, scripted: true})
	if err != nil {
		return err
	}
	defer func() { _ = l.close() }()
	slow := sandbox.Answer{DelayMS: int(slowAnswer.Milliseconds())}
	if err := l.Sandbox.Answer(ctx, sandbox.Rule{Path: "/b", Then: slow}); err != nil {
		return err
	}
	alone := time.Now()
	if err := l.postBacklog(ctx, "b", r.sizes.Slow, fullSizes.Batch); err != nil {
		return err
	}
	if err := l.drained(ctx); err != nil {
		return err
	}
	took := time.Since(alone)
	beside := time.Now()
	if err := l.postBacklog(ctx, "b", r.sizes.Slow, fullSizes.Batch); err != nil {
		return err
	}
	a, err := l.quiet(ctx)
	if err != nil {
		return err
	}
	if err := l.drained(ctx); err != nil {
		return err
	}
	both := time.Since(beside)
	what := "slow B, " + with(fairness)
	r.result.latency(what+": A", a, nil, goalsOf(fairness))
	r.result.add(what+": B's time beside A / alone", both.Seconds()/took.Seconds(), "×")
	r.result.add(what+": B drained beside A after", both.Seconds(), "s")
	return nil
}

func (r *run) largeNeighbour(ctx context.Context, fairness bool) error {
	l, err := r.newEnv(ctx, envOptions{noFairness: !fairness, storefronts: []string{"a", "b"}})
	if err != nil {
		return err
	}
	defer func() { _ = l.close() }()
	if err := l.postBacklog(ctx, "b", r.sizes.Backlog, fullSizes.Batch); err != nil {
		return err
	}
	before, err := l.Sandbox.Total(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	a, err := l.quiet(ctx)
	if err != nil {
		return err
	}
	after, err := l.Sandbox.Total(ctx)
	if err != nil {
		return err
	}
	what := "large B, " + with(fairness)
	r.result.latency(what+": A", a, nil, goalsOf(fairness))
	r.result.add(what+": B's deliveries meanwhile", float64(after-before-int64(len(a)))/time.Since(began).Seconds(), "/s")
	left, err := l.count(ctx, "status IN ('pending', 'processing')")
	if left == 0 && err == nil {
		r.result.note("Large B, %s: its backlog was drained before A had ended.", with(fairness))
	}
	return err
}

// quiet is A.
func (l *env) quiet(ctx context.Context) ([]time.Duration, error) {
	probes, err := l.openLoop(ctx, "a", quietRate, quietSeconds*time.Second)
	if err != nil {
		return nil, err
	}
	return l.latencies(ctx, probes, 5*time.Minute)
}
