package telemetry

import (
	"cmp"
	"context"
	"database/sql"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"relay/internal/ops"
	"relay/internal/relay"
)

// Observer looks at the database.
type Observer interface {
	Observe(ctx context.Context) (ops.Observation, error)
	PoolStats() sql.DBStats
}

const (
	// observeEvery and observeShare bound the cost of observation: one query in ten seconds, and at most a twentieth of the
	// time if it is slow.
	observeEvery   = 10 * time.Second
	observeShare   = 20
	observeTimeout = 5 * time.Second // Prometheus waits for ten by default
)

// Observe adds the gauges of the database. They are refreshed on scrape, at most every observeEvery.
func (m *Metrics) Observe(o Observer) {
	m.registry.MustRegister(&observed{metrics: m, source: o})
}

// observed collects the gauges of the database. They are the same in every process; dashboards use the maximum.
type observed struct {
	metrics *Metrics
	source  Observer

	mu   sync.Mutex
	at   time.Time
	took time.Duration
	up   bool
	last ops.Observation
}

var (
	databaseUp       = desc("relay_database_up", "Whether the database responded to the latest query.")
	pendingEvents    = desc("relay_pending_events", "Events whose delivery has not begun, counted to 10000 a storefront.", "storefront")
	processingEvents = desc("relay_processing_events", "Events that are being delivered or wait for a retry, counted to 10000 a storefront.", "storefront")
	oldestPending    = desc("relay_oldest_pending_seconds", "How long the oldest pending event has waited; 0 where none does.", "storefront")
	oldestOverdue    = desc("relay_oldest_overdue_seconds", "The same, but 0 where pending events wait because the limit of a destination is used up.", "storefront")
	oldestWaiting    = desc("relay_oldest_waiting_seconds", "How old the oldest event in delivery is that waits for a credential that decrypts, or for the database; 0 where none does.", "storefront", "waiting_for")
	switchOn         = desc("relay_switch_on", "Kill switches: 1 is on, 0 is off.", "level", "storefront", "destination")
	unhealthy        = desc("relay_destination_unhealthy", "1 for a destination that is left alone after failures, else 0.", "storefront", "destination")
	failures         = desc("relay_destination_failures", "Failures of a destination in a row.", "storefront", "destination")
	eventsDay        = desc("relay_events_day", "Events received in the last 24 hours, counted each minute: all, and by outcome.", "storefront", "outcome")
	countedAt        = desc("relay_events_day_counted_timestamp_seconds", "When relay_events_day was counted.")
	repairs          = desc("relay_reconciler_repairs_total", "Rows that disagreed with their workflow and were repaired.")
	disagreeing      = desc("relay_reconciler_disagreeing", "Rows that were neither final nor in a running workflow's hands at the latest look. The invariant is 0.")
	checked          = desc("relay_reconciler_checked", "Rows looked at by the latest reconciliation.")
	reconciledAt     = desc("relay_reconciler_timestamp_seconds", "When the latest reconciliation ended.")
	connections      = desc("relay_database_connections", "Connections of this process to the database.", "state")
	connectionsMax   = desc("relay_database_connections_max", "How many there may be.")
	poolWaits        = desc("relay_database_waits_total", "How often a query waited for a connection.")
	poolWaited       = desc("relay_database_wait_seconds_total", "How long queries have waited for a connection, in all.")
)

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

// Describe sends the descriptions of all gauges.
func (o *observed) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{databaseUp, pendingEvents, processingEvents, oldestPending, oldestOverdue, oldestWaiting, switchOn, unhealthy, failures, eventsDay,
		countedAt, repairs, disagreeing, checked, reconciledAt, connections, connectionsMax, poolWaits, poolWaited} {
		to <- d
	}
}

// Collect sends the gauges of the pool, and those of the database, from the cache if they are recent. Without a response there are
// no gauges of its rows: stale ones would look healthy.
func (o *observed) Collect(to chan<- prometheus.Metric) {
	e := emitter{to: to, metrics: o.metrics}
	o.pool(e)
	seen, up := o.look()
	e.gauge(databaseUp, number(up))
	if up {
		e.observation(seen)
	}
}

func (o *observed) look() (ops.Observation, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if time.Since(o.at) < max(observeEvery, observeShare*o.took) {
		return o.last, o.up
	}
	ctx, cancel := context.WithTimeout(context.Background(), observeTimeout)
	defer cancel()
	began := time.Now()
	seen, err := o.source.Observe(ctx)
	o.at = time.Now()
	o.took, o.last, o.up = o.at.Sub(began), seen, err == nil
	if err != nil {
		o.metrics.log.LogAttrs(ctx, slog.LevelWarn, "metrics.database_unavailable", slog.String("error", err.Error()))
		o.took = 0 // it may be back the next time
	}
	return o.last, o.up
}

func (o *observed) pool(e emitter) {
	s := o.source.PoolStats()
	e.gauge(connections, float64(s.InUse), "in_use")
	e.gauge(connections, float64(s.Idle), "idle")
	e.gauge(connectionsMax, float64(s.MaxOpenConnections))
	e.counter(poolWaits, float64(s.WaitCount))
	e.counter(poolWaited, s.WaitDuration.Seconds())
}

// emitter writes metrics with bounded labels.
type emitter struct {
	to      chan<- prometheus.Metric
	metrics *Metrics
}

func (e emitter) gauge(d *prometheus.Desc, v float64, labels ...string) {
	e.to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
}

func (e emitter) counter(d *prometheus.Desc, v float64, labels ...string) {
	e.to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
}

func (e emitter) observation(o ops.Observation) {
	e.backlogs(o.Backlogs)
	e.switches(o.Switches)
	e.destinations(o)
	e.day(o)
	e.counter(repairs, float64(o.Repaired))
	e.gauge(disagreeing, float64(o.Reconciliation.Repaired()))
	e.gauge(checked, float64(o.Reconciliation.Checked))
	if !o.Reconciliation.At.IsZero() {
		e.gauge(reconciledAt, float64(o.Reconciliation.At.Unix()))
	}
	if !o.CountedAt.IsZero() {
		e.gauge(countedAt, float64(o.CountedAt.Unix()))
	}
}

// sums adds up values that share a series because their storefront or destination has none of its own.
type sums[K comparable] map[K]float64

func (e emitter) backlogs(all []ops.Backlog) {
	pending, processing, oldest, overdue := sums[string]{}, sums[string]{}, sums[string]{}, sums[string]{}
	waiting := sums[[2]string]{}
	for _, b := range all {
		s := e.storefront(b.Storefront)
		pending[s] += float64(b.Pending)
		processing[s] += float64(b.Processing)
		oldest[s] = max(oldest[s], b.Oldest.Seconds())
		if !b.Limited {
			overdue[s] = max(overdue[s], b.Oldest.Seconds())
		}
		for _, w := range []relay.WaitsFor{relay.WaitsForCredential, relay.WaitsForDatabase} {
			k := [2]string{s, string(w)}
			waiting[k] = max(waiting[k], b.Held[w].Seconds())
		}
	}
	for s := range pending {
		e.gauge(pendingEvents, pending[s], s)
		e.gauge(processingEvents, processing[s], s)
		e.gauge(oldestPending, oldest[s], s)
		e.gauge(oldestOverdue, overdue[s], s)
	}
	for k, v := range waiting {
		e.gauge(oldestWaiting, v, k[:]...)
	}
}

// day has every storefront with every outcome: none is 0.
func (e emitter) day(o ops.Observation) {
	day := sums[[2]string]{}
	for _, b := range o.Backlogs {
		for _, outcome := range []string{ops.StatReceived, ops.StatOpen, string(relay.StatusDelivered), string(relay.StatusFailed), string(relay.StatusSkipped)} {
			day[[2]string{e.storefront(b.Storefront), outcome}] += 0 // there, if only as 0
		}
	}
	for _, f := range o.Stats {
		day[[2]string{e.storefront(f.Storefront), f.Outcome}] += float64(f.N)
	}
	for k, v := range day {
		e.gauge(eventsDay, v, k[0], k[1])
	}
}

// switches of storefronts or destinations without a series of their own are on where all of them are.
func (e emitter) switches(all []ops.SwitchState) {
	on := map[[3]string]bool{}
	for _, s := range all {
		k := [3]string{s.Level, "", e.destination(s.Destination)}
		if s.Level != ops.LevelPlatform {
			k[1] = e.storefront(s.Storefront)
		}
		before, there := on[k]
		on[k] = s.On && (before || !there)
	}
	for k, v := range on {
		e.gauge(switchOn, number(v), k[:]...)
	}
}

// destinations lists the configured destinations and those that have failed.
func (e emitter) destinations(o ops.Observation) {
	down, inARow := sums[[2]string]{}, sums[[2]string]{}
	for _, s := range o.Switches {
		if s.Level == ops.LevelSGTM || s.Level == ops.LevelCredential {
			k := [2]string{e.storefront(s.Storefront), e.destination(s.Destination)}
			down[k], inARow[k] = 0, 0
		}
	}
	for _, d := range o.Destinations {
		k := [2]string{e.storefront(d.Storefront), e.destination(d.Destination)}
		down[k] = max(down[k], number(d.Unhealthy))
		inARow[k] = max(inARow[k], float64(d.Failures))
	}
	for k := range down {
		e.gauge(unhealthy, down[k], k[0], k[1])
		e.gauge(failures, inARow[k], k[0], k[1])
	}
}

// storefront is a storefront's label. Rows that have none yet are (none).
func (e emitter) storefront(code string) string {
	return e.metrics.storefronts.of(cmp.Or(code, "(none)"))
}

func (e emitter) destination(key string) string {
	if key == "" {
		return ""
	}
	return e.metrics.destinations.of(key)
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
