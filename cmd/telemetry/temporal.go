package telemetry

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/sdk/client"
)

// maxSDKSeries bounds the series of the SDK: it has some fifty names, each with a few workflows, activities and operations.
const maxSDKSeries = 3000

var sdkBuckets = []float64{.001, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300}

// Temporal is the SDK's own metrics in the same registry, by the names that Prometheus has for them elsewhere:
// temporal_request_total, temporal_request_latency_seconds.
func (m *Metrics) Temporal() client.MetricsHandler {
	s := &sdkMetrics{series: map[string]prometheus.Metric{}, most: maxSDKSeries}
	m.registry.MustRegister(s)
	return sdkHandler{metrics: s}
}

// sdkMetrics are the series that the SDK has asked for. The SDK tags one name with this set of labels here and that set
// there, so each series is a metric of its own, and the collector does not describe its series beforehand.
type sdkMetrics struct {
	mu     sync.RWMutex
	series map[string]prometheus.Metric
	most   int
}

// Describe says nothing: see sdkMetrics.
func (s *sdkMetrics) Describe(chan<- *prometheus.Desc) {}

// Collect sends all series.
func (s *sdkMetrics) Collect(to chan<- prometheus.Metric) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, m := range s.series {
		to <- m
	}
}

// find returns a series, made at its first use. Beyond the bound it returns the zero value.
func find[T prometheus.Metric](s *sdkMetrics, name string, tags map[string]string, create func(prometheus.Labels) T) (T, bool) {
	var none T
	key := seriesKey(name, tags)
	s.mu.RLock()
	m, ok := s.series[key]
	s.mu.RUnlock()
	if !ok {
		s.mu.Lock()
		defer s.mu.Unlock()
		if m, ok = s.series[key]; !ok {
			if len(s.series) >= s.most {
				return none, false
			}
			m = create(maps.Clone(tags))
			s.series[key] = m
		}
	}
	t, ok := m.(T)
	return t, ok
}

func seriesKey(name string, tags map[string]string) string {
	var b strings.Builder
	b.WriteString(name)
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		b.WriteString("\x00" + k + "\x00" + tags[k])
	}
	return b.String()
}

// sdkHandler is the SDK's way to its series, with the tags so far.
type sdkHandler struct {
	metrics *sdkMetrics
	tags    map[string]string
}

// WithTags adds tags, or overwrites them.
func (h sdkHandler) WithTags(tags map[string]string) client.MetricsHandler {
	all := maps.Clone(h.tags)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, tags)
	return sdkHandler{h.metrics, all}
}

// Counter is a counter's series.
func (h sdkHandler) Counter(name string) client.MetricsCounter {
	c, ok := find(h.metrics, name+"_total", h.tags, func(l prometheus.Labels) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name + "_total", Help: sdkHelp, ConstLabels: l})
	})
	if !ok {
		return nothing{}
	}
	return sdkCounter{c}
}

// Gauge is a gauge's series.
func (h sdkHandler) Gauge(name string) client.MetricsGauge {
	g, ok := find(h.metrics, name, h.tags, func(l prometheus.Labels) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: sdkHelp, ConstLabels: l})
	})
	if !ok {
		return nothing{}
	}
	return sdkGauge{g}
}

// Timer is a timer's series.
func (h sdkHandler) Timer(name string) client.MetricsTimer {
	t, ok := find(h.metrics, name+"_seconds", h.tags, func(l prometheus.Labels) prometheus.Histogram {
		return prometheus.NewHistogram(prometheus.HistogramOpts{Name: name + "_seconds", Help: sdkHelp, ConstLabels: l, Buckets: sdkBuckets})
	})
	if !ok {
		return nothing{}
	}
	return sdkTimer{t}
}

const sdkHelp = "Of Temporal's Go SDK."

type sdkCounter struct{ c prometheus.Counter }

func (c sdkCounter) Inc(n int64) { c.c.Add(float64(max(0, n))) }

type sdkGauge struct{ g prometheus.Gauge }

func (g sdkGauge) Update(v float64) { g.g.Set(v) }

type sdkTimer struct{ h prometheus.Histogram }

func (t sdkTimer) Record(d time.Duration) { t.h.Observe(d.Seconds()) }

// nothing counts nothing.
type nothing struct{}

func (nothing) Inc(int64)            {}
func (nothing) Update(float64)       {}
func (nothing) Record(time.Duration) {}
