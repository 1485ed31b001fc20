package telemetry_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/cmd/telemetry"
	"relay/internal/ops"
	"relay/internal/relay"
)

func newMetrics() *telemetry.Metrics {
	return telemetry.NewMetrics("v1.2.3", "serve", slog.New(slog.DiscardHandler))
}

// scrape is the text that Prometheus gets.
func scrape(t *testing.T, m *telemetry.Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
	require.Equal(t, http.StatusOK, w.Code)
	text, err := io.ReadAll(w.Body)
	require.NoError(t, err)
	return string(text)
}

func TestEveryMethodCounts(t *testing.T) {
	t.Parallel()
	m := newMetrics()
	m.Request(http.MethodPost, "/v1/events", http.StatusAccepted, 20*time.Millisecond)
	m.Batch(7, map[string]int{"bosley": 3}, map[string]int{"bosley": 2}, map[string]int{"missing_field": 2})
	m.Claimed(relay.PendingDelivery{StorefrontCode: "bosley", Source: relay.SourceDirect})
	m.Attempted("bosley", "sgtm", relay.Result{Outcome: relay.Retry, Reason: relay.ReasonServerError}, time.Second)
	m.Delivered("bosley", "sgtm", 59*time.Second)
	m.Ended("bosley", "sgtm", relay.Exhausted)
	m.Finished(relay.StatusFailed, relay.ReasonExhausted)
	text := scrape(t, m)
	for _, line := range []string{
		`relay_build_info{go="go`,
		`role="serve",version="v1.2.3"} 1`,
		`relay_http_requests_total{method="POST",route="/v1/events",status="202"} 1`,
		`relay_http_request_duration_seconds_count{method="POST",route="/v1/events"} 1`,
		`relay_ingest_events_total{storefront="bosley",verdict="accepted"} 3`,
		`relay_ingest_events_total{storefront="bosley",verdict="duplicate"} 2`,
		`relay_ingest_rejected_total{code="missing_field"} 2`,
		`relay_ingest_batch_items_sum 7`,
		`relay_inbox_claimed_total{source="oms_direct",storefront="bosley"} 1`,
		`relay_attempts_total{destination="sgtm",outcome="retry",storefront="bosley"} 1`,
		`relay_attempt_failures_total{destination="sgtm",reason="server_error"} 1`,
		`relay_vendor_duration_seconds_bucket{destination="sgtm",le="1"} 1`,
		`relay_delivery_delay_seconds_bucket{destination="sgtm",le="30"} 0`,
		`relay_delivery_delay_seconds_bucket{destination="sgtm",le="60"} 1`,
		`relay_deliveries_total{destination="sgtm",outcome="exhausted",storefront="bosley"} 1`,
		`relay_events_finished_total{reason="exhausted",status="failed"} 1`,
		"go_goroutines ", "process_cpu_seconds_total ",
	} {
		require.Contains(t, text, line)
	}
}

func TestLabelsHaveBounds(t *testing.T) {
	t.Parallel()
	m := newMetrics()
	for i := range 1000 {
		m.Ended(fmt.Sprint("storefront-", i), fmt.Sprint("destination-", i%200), relay.Accepted)
		m.Claimed(relay.PendingDelivery{StorefrontCode: "storefront-0", Source: fmt.Sprint("source-", i)})
	}
	text := scrape(t, m)
	require.Less(t, strings.Count(text, "relay_deliveries_total{"), 402)
	require.Contains(t, text, `relay_deliveries_total{destination="destination-0",outcome="accepted",storefront="storefront-0"} 1`)
	require.Contains(t, text, `{destination="other",outcome="accepted",storefront="other"}`)
	require.Contains(t, text, `relay_inbox_claimed_total{source="other",storefront="storefront-0"} 1000`)
}

func TestTheSDKsMetricsAreOnTheSamePage(t *testing.T) {
	t.Parallel()
	m := newMetrics()
	h := m.Temporal().WithTags(map[string]string{"namespace": "default"})
	h.Counter("temporal_request").Inc(2)
	h.WithTags(map[string]string{"operation": "StartWorkflowExecution"}).Counter("temporal_request").Inc(1)
	h.Gauge("temporal_num_pollers").Update(5)
	h.Timer("temporal_request_latency").Record(20 * time.Millisecond)
	text := scrape(t, m)
	require.Contains(t, text, `temporal_request_total{namespace="default"} 2`)
	require.Contains(t, text, `temporal_request_total{namespace="default",operation="StartWorkflowExecution"} 1`)
	require.Contains(t, text, `temporal_num_pollers{namespace="default"} 5`)
	require.Contains(t, text, `temporal_request_latency_seconds_bucket{namespace="default",le="0.025"} 1`)
	for i := range 10_000 {
		h.WithTags(map[string]string{"operation": fmt.Sprint(i)}).Counter("temporal_request").Inc(1)
	}
	require.Less(t, strings.Count(scrape(t, m), "temporal_request_total{"), 3001)
}

// observer is a database that counts how often it is looked at.
type observer struct {
	seen  ops.Observation
	err   error
	looks int
}

func (o *observer) Observe(context.Context) (ops.Observation, error) {
	o.looks++
	return o.seen, o.err
}

func (o *observer) PoolStats() sql.DBStats {
	return sql.DBStats{MaxOpenConnections: 20, InUse: 3, Idle: 4, WaitCount: 5, WaitDuration: 6 * time.Second}
}

func TestTheDatabaseIsReadAtIntervalsHoweverManyScrape(t *testing.T) {
	t.Parallel()
	o := &observer{seen: ops.Observation{
		Backlogs: []ops.Backlog{{Storefront: "bosley", Pending: 7, Processing: 2, Oldest: 90 * time.Second, Held: map[relay.WaitsFor]time.Duration{relay.WaitsForCredential: 8 * time.Minute}},
			{Storefront: "limited", Pending: 3, Oldest: time.Hour, Limited: true}, {Pending: 1}},
		Switches: []ops.SwitchState{
			{Level: ops.LevelStorefront, Storefront: "bosley", On: true},
			{Level: ops.LevelSGTM, Storefront: "bosley", Destination: relay.SGTM, On: false},
			{Level: ops.LevelPlatform, Destination: "meta_capi", On: true},
			{Level: ops.LevelCredential, Storefront: "bosley", Destination: "meta_capi", On: true},
		},
		Destinations:   []ops.DestinationState{{Storefront: "bosley", Destination: relay.SGTM, Health: relay.Health{Failures: 20, Unhealthy: true}}},
		Stats:          []ops.Stat{{Storefront: "bosley", Outcome: "received", N: 4000}},
		CountedAt:      time.Unix(1_700_000_000, 0),
		Reconciliation: ops.Reconciliation{At: time.Unix(1_700_000_060, 0), Checked: 12, Reopened: 1, Cancelled: 2},
		Repaired:       9,
	}}
	m := newMetrics()
	m.Observe(o)
	for range 5 {
		text := scrape(t, m)
		for _, line := range []string{
			"relay_database_up 1",
			`relay_pending_events{storefront="bosley"} 7`,
			`relay_pending_events{storefront="(none)"} 1`,
			`relay_processing_events{storefront="bosley"} 2`,
			`relay_oldest_pending_seconds{storefront="bosley"} 90`,
			`relay_oldest_overdue_seconds{storefront="bosley"} 90`,
			`relay_oldest_pending_seconds{storefront="limited"} 3600`,
			`relay_oldest_overdue_seconds{storefront="limited"} 0`,
			`relay_oldest_waiting_seconds{storefront="bosley",waiting_for="credential"} 480`,
			`relay_oldest_waiting_seconds{storefront="bosley",waiting_for="database"} 0`,
			`relay_oldest_waiting_seconds{storefront="(none)",waiting_for="credential"} 0`,
			`relay_switch_on{destination="",level="storefront",storefront="bosley"} 1`,
			`relay_switch_on{destination="sgtm",level="sgtm",storefront="bosley"} 0`,
			`relay_switch_on{destination="meta_capi",level="platform",storefront=""} 1`,
			`relay_destination_unhealthy{destination="sgtm",storefront="bosley"} 1`,
			`relay_destination_unhealthy{destination="meta_capi",storefront="bosley"} 0`,
			`relay_events_day{outcome="received",storefront="bosley"} 4000`,
			"relay_reconciler_repairs_total 9", "relay_reconciler_disagreeing 3",
			`relay_database_connections{state="in_use"} 3`, "relay_database_wait_seconds_total 6",
		} {
			require.Contains(t, text, line)
		}
	}
	require.Equal(t, 1, o.looks)
}

func TestAnUnavailableDatabaseHasNoGauges(t *testing.T) {
	t.Parallel()
	m := newMetrics()
	m.Observe(&observer{err: errors.New("away")})
	text := scrape(t, m)
	require.Contains(t, text, "relay_database_up 0")
	require.NotContains(t, text, "relay_pending_events{")
	require.Contains(t, text, `relay_database_connections{state="idle"} 4`)
}

func TestManyStorefrontsShareTheSeriesOfOthers(t *testing.T) {
	t.Parallel()
	o := &observer{}
	for i := range 400 {
		code := fmt.Sprintf("storefront-%03d", i)
		o.seen.Backlogs = append(o.seen.Backlogs, ops.Backlog{Storefront: code, Pending: 1, Oldest: time.Duration(i) * time.Second, Limited: i%2 == 0})
		o.seen.Switches = append(o.seen.Switches, ops.SwitchState{Level: ops.LevelStorefront, Storefront: code, On: i != 350})
	}
	m := newMetrics()
	m.Observe(o)
	text := scrape(t, m)
	require.Contains(t, text, `relay_pending_events{storefront="other"} 100`)
	require.Contains(t, text, `relay_oldest_pending_seconds{storefront="other"} 399`)
	require.Contains(t, text, `relay_oldest_overdue_seconds{storefront="other"} 399`, "of those without a limit")
	require.Contains(t, text, `relay_switch_on{destination="",level="storefront",storefront="other"} 0`, "one of them is off")
}
