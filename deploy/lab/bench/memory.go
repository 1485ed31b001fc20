package bench

import (
	"context"
	"slices"
	"time"
)

// sample is the relay's memory after so many events.
type sample struct {
	delivered int64
	mib       float64
}

// memory watches the relay while a large backlog drains.
func memory(ctx context.Context, r *run) error {
	l, err := r.newEnv(ctx, envOptions{})
	if err != nil {
		return err
	}
	defer func() { _ = l.close() }()
	atRest, err := residentOf(l.relay.Pid())
	if err != nil {
		return err
	}
	began := time.Now()
	before, err := l.usage(ctx)
	if err != nil {
		return err
	}
	if err := l.postBacklog(ctx, "a", r.sizes.Memory, fullSizes.Batch); err != nil {
		return err
	}
	afterPosts, err := residentOf(l.relay.Pid())
	if err != nil {
		return err
	}
	samples, err := l.watchMemory(ctx, int64(r.sizes.Memory))
	if err != nil {
		return err
	}
	took := time.Since(began)
	after, err := l.usage(ctx)
	if err != nil {
		return err
	}
	res := r.result
	largest := slices.MaxFunc(samples, func(a, b sample) int { return int(1024 * (a.mib - b.mib)) }).mib
	res.add("resident memory, largest", max(largest, afterPosts), "MiB", atMost(300), atMost(250))
	res.add("resident memory at rest, before", atRest, "MiB")
	res.add("last quarter / second quarter", growth(samples), "×", atMost(1.1))
	res.add("events delivered a second, whole drain", float64(r.sizes.Memory)/took.Seconds(), "/s")
	res.perEvent("", after.since(before), r.sizes.Memory, partRelay, partTemporal, partDatabase)
	res.note("%d events, posted in batches of %d and then drained; memory read twice a second. Flat means that the last quarter of the drain needs no more than the second.",
		r.sizes.Memory, fullSizes.Batch)
	return nil
}

func (l *env) watchMemory(ctx context.Context, n int64) ([]sample, error) {
	first, err := l.Sandbox.Total(ctx)
	if err != nil {
		return nil, err
	}
	var samples []sample
	for {
		total, err := l.Sandbox.Total(ctx)
		if err != nil {
			return nil, err
		}
		mib, err := residentOf(l.relay.Pid())
		if err != nil {
			return nil, err
		}
		samples = append(samples, sample{total - first, mib})
		open, err := l.openRows(ctx)
		if err != nil || !open {
			return samples, err
		}
		if err := sleep(ctx, 500*time.Millisecond); err != nil {
			return nil, err
		}
	}
}

// growth compares the median memory of the last quarter of a drain with that of the second: the first fills caches.
func growth(samples []sample) float64 {
	quarter := len(samples) / 4
	if quarter == 0 {
		return 1
	}
	mib := make([]float64, len(samples))
	for i, s := range samples {
		mib[i] = s.mib
	}
	return median(mib[len(mib)-quarter:]) / median(mib[quarter:2*quarter])
}
