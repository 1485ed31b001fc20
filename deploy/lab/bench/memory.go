package bench

import (
	"context"
	"slices"
	"time"
)

// temporalEvents is the number of events after which the memory of the embedded Temporal is read: its caches are full by then.
const temporalEvents = 12_000

// sample is the memory of the relay and of Temporal after so many events.
type sample struct {
	delivered       int64
	relay, temporal float64
}

// memory watches the relay and Temporal while a large backlog drains.
func memory(ctx context.Context, r *run) error {
	l, err := r.newEnv(ctx, envOptions{})
	if err != nil {
		return err
	}
	defer func() { _ = l.close() }()
	atRest, err := l.memoryNow()
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
	afterPosts, err := l.memoryNow()
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
	largest := slices.MaxFunc(samples, func(a, b sample) int { return int(1024 * (a.relay - b.relay)) }).relay
	res.add("resident memory, largest", max(largest, afterPosts.relay), "MiB", atMost(300), atMost(250))
	res.add("resident memory at rest, before", atRest.relay, "MiB")
	res.add("last quarter / second quarter", growth(samples, func(s sample) float64 { return s.relay }), "×", atMost(1.1))
	res.add("resident memory of Temporal at rest, before", atRest.temporal, "MiB")
	if at := slices.IndexFunc(samples, func(s sample) bool { return s.delivered >= temporalEvents }); at >= 0 {
		res.add("resident memory of Temporal after 12,000 events", samples[at].temporal, "MiB", atMost(600))
	}
	res.add("resident memory of Temporal at the end", samples[len(samples)-1].temporal, "MiB")
	res.add("last quarter / second quarter, Temporal", growth(samples, func(s sample) float64 { return s.temporal }), "×", atMost(1.1))
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
		now, err := l.memoryNow()
		if err != nil {
			return nil, err
		}
		now.delivered = total - first
		samples = append(samples, now)
		open, err := l.openRows(ctx)
		if err != nil || !open {
			return samples, err
		}
		if err := sleep(ctx, 500*time.Millisecond); err != nil {
			return nil, err
		}
	}
}

func (l *env) memoryNow() (sample, error) {
	relay, err := residentOf(l.relay.Pid())
	if err != nil {
		return sample{}, err
	}
	temporal, err := residentOf(l.Temporal.Pid())
	return sample{relay: relay, temporal: temporal}, err
}

// growth compares the median memory of one of the two in the last quarter of a drain with that in the second: the first fills caches.
func growth(samples []sample, of func(sample) float64) float64 {
	quarter := len(samples) / 4
	if quarter == 0 {
		return 1
	}
	mib := make([]float64, len(samples))
	for i, s := range samples {
		mib[i] = of(s)
	}
	return median(mib[len(mib)-quarter:]) / median(mib[quarter:2*quarter])
}
