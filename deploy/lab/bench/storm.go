package bench

import (
	"context"
	"net/http"
	"time"

	"relay/deploy/sandbox"
)

// storm makes many events of a storefront, B, fail once with a Retry-After that is due at the same moment. It times from
// that moment until all are delivered, and the waits of another storefront, A. Every second response is a success: a
// destination that only fails would become unhealthy.
func storm(ctx context.Context, r *run) error {
	l, err := r.newEnv(ctx, envOptions{scripted: true, storefronts: []string{"a", "b"}, env: []string{"RETRY_BACKOFF_BASE=1"}})
	if err != nil {
		return err
	}
	defer func() { _ = l.close() }()
	due, err := l.afterFirstTries(ctx, 2*r.sizes.Storm)
	if err != nil {
		return err
	}
	later := sandbox.Answer{Status: http.StatusServiceUnavailable, Headers: map[string]string{"Retry-After": due.UTC().Format(http.TimeFormat)}}
	rule := sandbox.Rule{Path: "/b"}
	for range r.sizes.Storm {
		rule.Answers = append(rule.Answers, later, sandbox.Answer{})
	}
	if err := l.Sandbox.Answer(ctx, rule); err != nil {
		return err
	}
	earlier, err := l.Sandbox.Total(ctx)
	if err != nil {
		return err
	}
	if err := l.postBacklog(ctx, "b", 2*r.sizes.Storm, fullSizes.Batch); err != nil {
		return err
	}
	waiting, err := l.whenWaiting(ctx, earlier+int64(2*r.sizes.Storm), due)
	if err != nil {
		return err
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
	r.result.add("events due at once", float64(waiting), "")
	r.result.add("all delivered after", took.Seconds(), "s")
	r.result.add("events delivered a second", float64(delivered)/took.Seconds(), "/s")
	r.result.latency("A beside it", quiet, nil, []Goal{atMost(1000)})
	r.result.perEvent("", after.since(before), delivered, partRelay, partTemporal, partDatabase)
	r.result.note("%d events of B, of which every second failed with a Retry-After that named the same second; a delay has up to a tenth of jitter. A posts %d single events a second for %d s from that second on.",
		2*r.sizes.Storm, quietRate, quietSeconds)
	return nil
}

// afterFirstTries returns a time at which n events will have been attempted once, at the rate of the present deliveries,
// with a third as a margin.
func (l *env) afterFirstTries(ctx context.Context, n int) (time.Time, error) {
	some := min(n, 1000)
	began := time.Now()
	if err := l.post(ctx, l.items("b", some)); err != nil {
		return time.Time{}, err
	}
	if err := l.drained(ctx); err != nil {
		return time.Time{}, err
	}
	took := time.Since(began)
	return time.Now().Add(4*took*time.Duration(n)/time.Duration(3*some) + 5*time.Second).Truncate(time.Second), nil
}

// whenWaiting waits until all first attempts are made and returns how many events wait for their second.
func (l *env) whenWaiting(ctx context.Context, tries int64, due time.Time) (int, error) {
	var err error
	for err == nil && time.Now().Before(due) {
		var total int64
		if total, err = l.Sandbox.Total(ctx); err == nil && total >= tries {
			break
		}
		if err := sleep(ctx, 100*time.Millisecond); err != nil {
			return 0, err
		}
	}
	if err != nil {
		return 0, err
	}
	return l.count(ctx, "status = 'processing'")
}
