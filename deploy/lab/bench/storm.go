package bench

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"relay/deploy/lab/bench/floor"
	"relay/deploy/sandbox"
)

// storm makes many events of a storefront, B, fail once with a Retry-After that is due at the same moment. It times from
// that moment until all are delivered, and the waits of another storefront, A. Every second response is a success: a
// destination that only fails would become unhealthy. The floor, bare workflows after it on the same server, tells a slow machine
// from a slow relay.
func storm(ctx context.Context, r *run) error {
	l, err := r.newEnv(ctx, envOptions{scripted: true, floor: true, storefronts: []string{"a", "b"}, env: []string{"RETRY_BACKOFF_BASE=1"}})
	if err != nil {
		return err
	}
	defer func() { _ = l.close() }()
	due, err := l.afterFirstAttempts(ctx, r.sizes.Storm)
	if err != nil {
		return err
	}
	if err := l.failOnce(ctx, r.sizes.Storm, due); err != nil {
		return err
	}
	waiting, err := l.count(ctx, "status = 'processing'")
	if err != nil {
		return err
	}
	if time.Now().After(due) || waiting < r.sizes.Storm {
		return fmt.Errorf("%d of %d events wait %v before they are due: the first attempts took longer than was expected",
			waiting, r.sizes.Storm, time.Until(due).Round(time.Second))
	}
	if err := sleep(ctx, time.Until(due)); err != nil {
		return err
	}
	before, err := l.usage(ctx)
	if err != nil {
		return err
	}
	quiet, err := l.quiet(ctx)
	if err != nil {
		return err
	}
	if err := l.drained(ctx); err != nil {
		return err
	}
	took, delivered := time.Since(due), waiting+len(quiet)
	after, err := l.usage(ctx)
	if err != nil {
		return err
	}
	if err := l.settle(ctx); err != nil {
		return err
	}
	bare, err := l.floor.run(floor.Order{Shape: floor.Delivery, N: min(waiting, fullSizes.Batch), InFlight: startsInFlight})
	if err != nil {
		return err
	}
	rate, bareRate := float64(delivered)/took.Seconds(), float64(min(waiting, fullSizes.Batch))/bare.Took.Seconds()
	r.result.add("rate, relay / bare workflows", rate/bareRate, "×", atLeast(1))
	r.result.add("events due at once", float64(waiting), "")
	r.result.add("all delivered after", took.Seconds(), "s")
	r.result.add("events delivered a second", rate, "/s")
	r.result.add("bare workflows a second", bareRate, "/s")
	r.result.latency("A beside it", quiet, nil, []Goal{atMost(1000)})
	r.result.perEvent("", after.since(before), delivered, partRelay, partTemporal, partDatabase)
	r.result.note("%d events of B, of which every second failed with a Retry-After that named the same second; a delay has up to a tenth of jitter. A posts %d single events a second for %d s from that second on.",
		2*r.sizes.Storm, quietRate, quietSeconds)
	return nil
}

// afterFirstAttempts returns a time at which the first attempts of n failing events and as many others will be made, at the rate
// of a sample of both, with a half as a margin: a later attempt costs more than most first ones, and must not be counted among them.
func (l *env) afterFirstAttempts(ctx context.Context, n int) (time.Time, error) {
	sample := min(n, 500)
	began := time.Now()
	if err := l.failOnce(ctx, sample, began.Add(time.Minute)); err != nil {
		return time.Time{}, err
	}
	took := time.Since(began)
	if err := l.drained(ctx); err != nil {
		return time.Time{}, err
	}
	return time.Now().Add(3*took*time.Duration(n)/time.Duration(2*sample) + 5*time.Second).Truncate(time.Second), nil
}

// failOnce posts 2n events of B and waits until each was attempted once. Every second attempt fails, with due as its Retry-After.
func (l *env) failOnce(ctx context.Context, n int, due time.Time) error {
	later := sandbox.Answer{Status: http.StatusServiceUnavailable, Headers: map[string]string{"Retry-After": due.UTC().Format(http.TimeFormat)}}
	rule := sandbox.Rule{Path: "/b"}
	for range n {
		rule.Answers = append(rule.Answers, later, sandbox.Answer{})
	}
	if err := l.Sandbox.Answer(ctx, rule); err != nil {
		return err
	}
	earlier, err := l.Sandbox.Total(ctx)
	if err != nil {
		return err
	}
	if err := l.postBacklog(ctx, "b", 2*n, fullSizes.Batch); err != nil {
		return err
	}
	for {
		total, err := l.Sandbox.Total(ctx)
		if err != nil || total >= earlier+int64(2*n) {
			return err
		}
		if err := sleep(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}
