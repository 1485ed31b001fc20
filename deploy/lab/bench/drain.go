package bench

import (
	"context"
	"time"

	"relay/deploy/dev/harness"
	"relay/deploy/lab/bench/floor"
)

// startsInFlight is the maximum of starts in flight of PollInbox, and the constant number of the floor.
const startsInFlight = 8

// drain times a backlog posted in one batch until every row is final, alternating with bare workflows.
func drain(ctx context.Context, r *run) error {
	return r.drainBeside(ctx, drainPlan{
		events: r.sizes.Batch, rounds: r.sizes.Drains, shape: floor.Delivery, goals: []Goal{atLeast(2)},
		note: "The relay starts eagerly, up to %d starts in flight as Temporal keeps up: its API the first 200, PollInbox the others. The floor does not, with as many in flight.",
	})
}

// drainApart is drain with the API in one process and the worker in another.
func drainApart(ctx context.Context, r *run) error {
	return r.drainBeside(ctx, drainPlan{
		events: r.sizes.Batch, rounds: r.sizes.Drains, shape: floor.Delivery, lab: envOptions{role: "api", beside: []string{"worker"}},
		note: "The API starts its first 200 by the queue, PollInbox the others eagerly, up to %d starts in flight.",
	})
}

// drainWorkers is drain with two workers, one of which polls the storefront.
func drainWorkers(ctx context.Context, r *run) error {
	return r.drainBeside(ctx, drainPlan{
		events: r.sizes.Batch, rounds: r.sizes.Drains, shape: floor.Delivery,
		lab: envOptions{role: "api", beside: []string{"worker", "worker"}, env: []string{"POLL_SHARDS=2"},
			storefronts: []string{"a", "b", "c", "d"}},
		note: "The events are of four storefronts in equal parts. Each of two pollers serves the storefronts of its shard, and starts up to %d of their events in flight, eagerly.",
	})
}

// drainPlan is a drain with its baseline.
type drainPlan struct {
	events, rounds int
	shape          string
	goals          []Goal
	note           string
	lab            envOptions
	prepare        func(context.Context, *env) error
}

// drainTimes are the times of the rounds.
type drainTimes struct {
	ours, floor             []time.Duration
	used, usedFloor         usage
	history, historyOfFloor int64
}

func (r *run) drainBeside(ctx context.Context, p drainPlan) error {
	p.lab.floor = true
	l, err := r.newEnv(ctx, p.lab)
	if err != nil {
		return err
	}
	defer func() { _ = l.close() }()
	if p.prepare != nil {
		if err := p.prepare(ctx, l); err != nil {
			return err
		}
	}
	var t drainTimes
	for range p.rounds {
		if err := t.round(ctx, l, p); err != nil {
			return err
		}
		r.progress("  %d events in %.1f s, as many bare workflows in %.1f s", p.events,
			t.ours[len(t.ours)-1].Seconds(), t.floor[len(t.floor)-1].Seconds())
	}
	if t.history, err = l.historyEvents(ctx); err != nil {
		return err
	}
	t.report(r.result, p)
	return nil
}

// round is one drain and one floor.
func (t *drainTimes) round(ctx context.Context, l *env, p drainPlan) error {
	codes := p.lab.storefronts
	if codes == nil {
		codes = []string{"a"}
	}
	var items []harness.Item
	for _, code := range codes {
		items = append(items, l.items(code, p.events/len(codes))...)
	}
	before, err := l.usage(ctx)
	if err != nil {
		return err
	}
	if err := l.post(ctx, items); err != nil {
		return err
	}
	began := time.Now()
	if err := l.drained(ctx); err != nil {
		return err
	}
	t.ours = append(t.ours, time.Since(began))
	if err := l.settle(ctx); err != nil {
		return err
	}
	middle, err := l.usage(ctx)
	if err != nil {
		return err
	}
	outcome, err := l.floor.run(floor.Order{Shape: p.shape, N: p.events, InFlight: startsInFlight})
	if err != nil {
		return err
	}
	if err := l.settle(ctx); err != nil {
		return err
	}
	after, err := l.usage(ctx)
	t.floor, t.historyOfFloor = append(t.floor, outcome.Took), outcome.Events
	t.used, t.usedFloor = t.used.plus(middle.since(before)), t.usedFloor.plus(after.since(middle))
	return err
}

func (t *drainTimes) report(res *Result, p drainPlan) {
	n := p.events * p.rounds
	res.add("rate, relay / bare workflows", 1/median(ratios(t.ours, t.floor)), "×", p.goals...)
	res.add("CPU, bare workflows / relay, all parts", t.usedFloor.sum().Seconds()/t.used.sum().Seconds(), "×")
	res.add("events delivered a second", float64(p.events)/median(t.ours).Seconds(), "/s")
	res.add("bare workflows a second", float64(p.events)/median(t.floor).Seconds(), "/s")
	parts := []string{partRelay}
	for i := range p.lab.beside {
		parts = append(parts, besidePart(i))
	}
	res.perEvent("", t.used, n, append(parts, partTemporal, partDatabase)...)
	res.perEvent(", floor", t.usedFloor, n, partFloor, partTemporal)
	res.statementsPerEvent(t.used, n)
	res.callsPerEvent("", t.used, n)
	res.callsPerEvent(", floor", t.usedFloor, n)
	res.add("history events of a delivery", float64(t.history), "")
	res.add("history events of a bare workflow", float64(t.historyOfFloor), "")
	res.note(p.note, startsInFlight)
	res.note("%d rounds of %d events and as many bare workflows, in turn, on one Temporal server whose every workflow commit is synced. CPU includes the batch's acknowledgement; its ratio is the steadier metric where other programs use the machine.",
		p.rounds, p.events)
}
