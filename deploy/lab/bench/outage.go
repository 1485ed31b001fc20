package bench

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"relay/deploy/sandbox"
)

// outage makes a destination fail under a batch: once the first attempt of each event alone (a container that restarts),
// then everything for 5 s, for a minute and for an hour (shorter at quick sizes). There is no other traffic. It times from
// the end of the outage until all are delivered, which has to be two backoffs at most.
func outage(ctx context.Context, r *run) error {
	backoff := time.Duration(r.sizes.Backoff) * time.Second
	if err := r.blip(ctx, backoff); err != nil {
		return err
	}
	for _, lasts := range []time.Duration{5 * time.Second, backoff, time.Duration(r.sizes.Outage) * time.Second} {
		if err := r.outageOf(ctx, lasts, backoff); err != nil {
			return err
		}
	}
	r.result.note("RETRY_BACKOFF_BASE is %s; a batch of %d events, %d for the blip, and no traffic after it.", backoff, r.sizes.Batch, r.sizes.Blip)
	return nil
}

func (r *run) outageLab(ctx context.Context, backoff time.Duration) (*env, error) {
	return r.newEnv(ctx, envOptions{scripted: true, env: []string{"RETRY_BACKOFF_BASE=" + strconv.Itoa(int(backoff.Seconds()))}})
}

// blip responds 503 to the first attempt of each event.
func (r *run) blip(ctx context.Context, backoff time.Duration) error {
	l, err := r.outageLab(ctx, backoff)
	if err != nil {
		return err
	}
	defer func() { _ = l.close() }()
	down := sandbox.Answer{Status: http.StatusServiceUnavailable}
	rule := sandbox.Rule{Path: "/a", Answers: slices.Repeat([]sandbox.Answer{down}, r.sizes.Blip)}
	if err := l.Sandbox.Answer(ctx, rule); err != nil {
		return err
	}
	began := time.Now()
	if err := l.postBacklog(ctx, "a", r.sizes.Blip, fullSizes.Batch); err != nil {
		return err
	}
	most, err := l.recovered(ctx)
	if err != nil {
		return err
	}
	r.result.add("blip: all delivered after", time.Since(began).Seconds(), "s", atMost(2*backoff.Seconds()))
	r.result.add("blip: failed in between, at most", float64(most), "")
	return nil
}

// outageOf responds 503 to everything for a time.
func (r *run) outageOf(ctx context.Context, lasts, backoff time.Duration) error {
	l, err := r.outageLab(ctx, backoff)
	if err != nil {
		return err
	}
	defer func() { _ = l.close() }()
	down := sandbox.Rule{Path: "/a", Then: sandbox.Answer{Status: http.StatusServiceUnavailable}}
	if err := l.Sandbox.Answer(ctx, down); err != nil {
		return err
	}
	before, err := l.Sandbox.Total(ctx)
	if err != nil {
		return err
	}
	ends := time.Now().Add(lasts)
	if err := l.postBacklog(ctx, "a", r.sizes.Batch, fullSizes.Batch); err != nil {
		return err
	}
	if err := sleep(ctx, time.Until(ends)); err != nil {
		return err
	}
	after, err := l.Sandbox.Total(ctx)
	if err != nil {
		return err
	}
	if err := l.Sandbox.ClearAnswers(ctx); err != nil {
		return err
	}
	ended := time.Now()
	most, err := l.recovered(ctx)
	if err != nil {
		return err
	}
	what := fmt.Sprintf("outage of %s: ", lasts)
	r.result.add(what+"all delivered after its end", time.Since(ended).Seconds(), "s", atMost(2*backoff.Seconds()))
	r.result.add(what+"failed at its end, at most", float64(most), "")
	r.result.add(what+"requests during it, for each event", float64(after-before)/float64(r.sizes.Batch), "")
	return nil
}

// recovered waits until every event is delivered, and returns the maximum of simultaneously failed events.
func (l *env) recovered(ctx context.Context) (int, error) {
	most := 0
	for {
		failed, err := l.count(ctx, "status = 'failed'")
		if err != nil {
			return most, err
		}
		most = max(most, failed)
		open, err := l.openRows(ctx)
		if err != nil || failed == 0 && !open {
			return most, err
		}
		if err := sleep(ctx, 100*time.Millisecond); err != nil {
			return most, err
		}
	}
}
