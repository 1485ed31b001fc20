package telemetry

import (
	"log/slog"
	"net/http"
	"runtime"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"relay/internal/relay"
)

// Buckets in seconds. A batch of thousands takes about one, an exchange with a vendor ten at most.
var (
	requestBuckets = []float64{.001, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 20}
	vendorBuckets  = []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
	// An event should be delivered within a minute; then follow the times of its retries.
	delayBuckets = []float64{.1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900, 3600, 21_600}
	batchBuckets = []float64{1, 10, 100, 500, 1000, 2500, 5000, 10_000}
)

// Metrics counts the work of this process. It fulfils the Meter interfaces of api and activities; its methods may be
// called from any goroutine.
type Metrics struct {
	registry                  *prometheus.Registry
	storefronts, destinations *names
	log                       *slog.Logger

	requests        *prometheus.CounterVec
	requestSeconds  *prometheus.HistogramVec
	items           *prometheus.CounterVec
	rejected        *prometheus.CounterVec
	batchItems      prometheus.Histogram
	claimed         *prometheus.CounterVec
	attempts        *prometheus.CounterVec
	attemptFailures *prometheus.CounterVec
	vendorSeconds   *prometheus.HistogramVec
	delaySeconds    *prometheus.HistogramVec
	deliveries      *prometheus.CounterVec
	finished        *prometheus.CounterVec
}

// NewMetrics makes the counters of a process of that version and role.
func NewMetrics(version, role string, log *slog.Logger) *Metrics {
	m := &Metrics{
		registry:     prometheus.NewRegistry(),
		storefronts:  newNames(maxStorefronts),
		destinations: newNames(maxDestinations),
		log:          log,
	}
	m.requests = m.counter("relay_http_requests_total", "Requests with a response.", "method", "route", "status")
	m.requestSeconds = m.histogram("relay_http_request_duration_seconds", "How long requests took.", requestBuckets, "method", "route")
	m.items = m.counter("relay_ingest_events_total", "Items of batches that were taken: accepted are new, duplicate were there.", "storefront", "verdict")
	m.rejected = m.counter("relay_ingest_rejected_total", "Errors of items that were refused, by code; an item may have several.", "code")
	m.batchItems = prometheus.NewHistogram(prometheus.HistogramOpts{Name: "relay_ingest_batch_items", Help: "Items in a batch.", Buckets: batchBuckets})
	m.claimed = m.counter("relay_inbox_claimed_total", "Events that PollInbox claimed: direct rows, and rows that the API did not start.", "storefront", "source")
	m.attempts = m.counter("relay_attempts_total", "Requests to destinations, by outcome.", "storefront", "destination", "outcome")
	m.attemptFailures = m.counter("relay_attempt_failures_total", "Requests to destinations that were not accepted, by reason.", "destination", "reason")
	m.vendorSeconds = m.histogram("relay_vendor_duration_seconds", "How long exchanges with destinations took.", vendorBuckets, "destination")
	m.delaySeconds = m.histogram("relay_delivery_delay_seconds", "Time from the acceptance of an event to that of a destination; not of events that were set back.", delayBuckets, "destination")
	m.deliveries = m.counter("relay_deliveries_total", "Deliveries of an event to a destination that ended: accepted, skipped, blocked, exhausted, rejected, ...",
		"storefront", "destination", "outcome")
	m.finished = m.counter("relay_events_finished_total", "Events that ended, by final status.", "status", "reason")
	info := m.gauge("relay_build_info", "1, with the version of this process.", "version", "go", "role")
	info.WithLabelValues(version, runtime.Version(), role).Set(1)
	m.registry.MustRegister(m.batchItems, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *Metrics) counter(name, help string, labels ...string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	m.registry.MustRegister(c)
	return c
}

func (m *Metrics) gauge(name, help string, labels ...string) *prometheus.GaugeVec {
	g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
	m.registry.MustRegister(g)
	return g
}

func (m *Metrics) histogram(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
	m.registry.MustRegister(h)
	return h
}

// Handler is GET /metrics.
func (m *Metrics) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorLog:            slog.NewLogLogger(m.log.Handler(), slog.LevelWarn),
		ErrorHandling:       promhttp.ContinueOnError,
		MaxRequestsInFlight: 4,
	}))
	return mux
}

// Request counts a request with a response.
func (m *Metrics) Request(method, route string, status int, took time.Duration) {
	m.requests.WithLabelValues(method, route, strconv.Itoa(status)).Inc()
	m.requestSeconds.WithLabelValues(method, route).Observe(took.Seconds())
}

// Batch counts the results of a batch's items: accepted ones by storefront, errors by code.
func (m *Metrics) Batch(items int, accepted, duplicates, rejected map[string]int) {
	m.batchItems.Observe(float64(items))
	for storefront, n := range accepted {
		m.items.WithLabelValues(m.storefronts.of(storefront), "accepted").Add(float64(n))
	}
	for storefront, n := range duplicates {
		m.items.WithLabelValues(m.storefronts.of(storefront), "duplicate").Add(float64(n))
	}
	for code, n := range rejected {
		m.rejected.WithLabelValues(code).Add(float64(n))
	}
}

// Claimed counts an event that PollInbox starts.
func (m *Metrics) Claimed(s relay.PendingDelivery) {
	source := s.Source
	if source != relay.SourceAPI && source != relay.SourceDirect {
		source = other // OMS writes the column
	}
	m.claimed.WithLabelValues(m.storefronts.of(s.StorefrontCode), source).Inc()
}

// Attempted counts a request to a destination, and its duration.
func (m *Metrics) Attempted(storefront, destination string, r relay.Result, took time.Duration) {
	storefront, destination = m.storefronts.of(storefront), m.destinations.of(destination)
	for _, o := range []relay.Outcome{relay.Accepted, relay.Rejected, relay.Exhausted} {
		// A counter that is first seen at 1 has not grown, for Prometheus: here it is seen at 0 before the delivery ends.
		m.deliveries.WithLabelValues(storefront, destination, string(o))
	}
	m.attempts.WithLabelValues(storefront, destination, string(r.Outcome)).Inc()
	m.vendorSeconds.WithLabelValues(destination).Observe(took.Seconds())
	if r.Outcome != relay.Accepted {
		m.attemptFailures.WithLabelValues(destination, string(r.Reason)).Inc()
	}
}

// Delivered counts a delivery by the time since its event was accepted.
func (m *Metrics) Delivered(_, destination string, after time.Duration) {
	m.delaySeconds.WithLabelValues(m.destinations.of(destination)).Observe(after.Seconds())
}

// Ended counts the end of a delivery to a destination.
func (m *Metrics) Ended(storefront, destination string, o relay.Outcome) {
	m.deliveries.WithLabelValues(m.storefronts.of(storefront), m.destinations.of(destination), string(o)).Inc()
}

// Finished counts the final status of an event.
func (m *Metrics) Finished(s relay.Status, r relay.Reason) {
	m.finished.WithLabelValues(string(s), string(r)).Inc()
}
