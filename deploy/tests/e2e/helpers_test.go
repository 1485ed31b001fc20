// Package e2e_test tests the relay's promises on its real parts: a private database, Temporal, the relay and the sandbox,
// each a process that can be killed. Every test compares the rows with the requests that the sandbox received.
package e2e_test

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"relay/db/dbtest"
	"relay/db/seed"
	"relay/deploy/dev/harness"
	"relay/deploy/sandbox"
	shared "relay/deploy/tests/world"
	"relay/internal/ops"
	"relay/internal/relay"
)

const bound = shared.Bound

const purchase = "purchase_completed"

// TestMain runs tests in parallel whatever the number of processors: they mostly wait.
func TestMain(m *testing.M) {
	flag.Parse()
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "test.parallel" })
	if !chosen {
		_ = flag.Set("test.parallel", "6")
	}
	os.Exit(m.Run())
}

// programs builds the programs once, the relay with the race detector if it is available.
var programs = sync.OnceValues(func() (harness.Programs, error) {
	p, err := harness.Build(context.Background(), harness.BuildOptions{Race: true})
	if err != nil {
		p, err = harness.Build(context.Background(), harness.BuildOptions{})
	}
	return p, err
})

// world is a system for one test, with access to its database and to Temporal. When the test ends, no secret value may
// appear in Temporal, in a log or in an attempt, and no relay may have reported a race.
type world struct {
	*harness.System
	temporal client.Client
	sql      *sql.DB
	relays   []*harness.Relay
	traces   *receiver // nil: no traces, no metrics, and few log lines
}

func newWorld(t *testing.T, env ...string) *world {
	t.Helper()
	built, err := programs()
	require.NoError(t, err)
	return newWorldOf(t, built, env...)
}

func newWorldOf(t *testing.T, built harness.Programs, env ...string) *world {
	t.Helper()
	return newWorldIn(t, harness.Config{Programs: built, Env: env})
}

// newWorldIn adds the common part of every world to a configuration.
func newWorldIn(t *testing.T, c harness.Config) *world {
	t.Helper()
	c.Username, c.Password = "oms", markPassword
	c.Database = dbtest.Config{Password: markDatabase}
	w := &world{System: harness.New(t, c)}
	var err error
	w.temporal, err = client.Dial(client.Options{HostPort: w.Temporal.Address(), Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(w.temporal.Close)
	w.sql, err = sql.Open("mysql", w.DatabaseURL())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.sql.Close()) })
	t.Cleanup(func() {
		if !t.Failed() {
			w.requireNothingLeaked(t)
		}
	})
	return w
}

// newWatchedWorld is a world whose relays produce all their output: every log line, metrics, and traces.
func newWatchedWorld(t *testing.T, env ...string) *world {
	t.Helper()
	traces := newReceiver(t)
	w := newWorld(t, append([]string{"DEBUG=true", "OTEL_EXPORTER_OTLP_ENDPOINT=" + traces.URL, "OTEL_BSP_SCHEDULE_DELAY=100"}, env...)...)
	w.traces = traces
	return w
}

// relay starts a relay of a role ("serve", "api", "worker") under a name.
func (w *world) relay(t *testing.T, name, role string) *harness.Relay {
	t.Helper()
	r := w.NewRelay(t, harness.RelayOptions{Name: name, Role: role, Metrics: w.traces != nil})
	w.relays = append(w.relays, r)
	return r
}

// storefront adds an active storefront whose container is the sandbox at /<code>/mp/collect.
func (w *world) storefront(t *testing.T, code string) int64 {
	t.Helper()
	return w.storefrontAs(t, relay.Storefront{Code: code, Name: code, Active: true})
}

func (w *world) storefrontAs(t *testing.T, f relay.Storefront) int64 {
	t.Helper()
	id, err := seed.On(w.Store).CreateStorefront(t.Context(), f)
	require.NoError(t, err)
	require.NoError(t, seed.On(w.Store).PutSGTM(t.Context(), id, ops.SGTMConfig{
		URL:           w.Sandbox.BaseURL + "/" + f.Code,
		MeasurementID: "G-TEST",
		APISecret:     relay.NewSecret(markSecret),
		Headers:       map[string]relay.Secret{"X-Api-Key": relay.NewSecret(markHeader)},
		Active:        true,
	}))
	return id
}

// respondWith scripts the sandbox's responses below a path: these statuses in turn, then 200.
func (w *world) respondWith(t *testing.T, path string, statuses ...int) {
	t.Helper()
	rule := sandbox.Rule{Path: path}
	for _, s := range statuses {
		rule.Answers = append(rule.Answers, sandbox.Answer{Status: s, Body: markVendor})
	}
	require.NoError(t, w.Sandbox.Answer(t.Context(), rule))
}

func (w *world) always(t *testing.T, path string, a sandbox.Answer) {
	t.Helper()
	require.NoError(t, w.Sandbox.Answer(t.Context(), sandbox.Rule{Path: path, Then: a}))
}

// item returns an event of OMS with values that may be sent only where necessary.
func item(storefront, order string) harness.Item {
	return harness.Item{
		"t-value": "affiliate_1", "storefront_id": storefront, "event_name": purchase, "order_id": order,
		"event_time": time.Now().UTC().Format(time.RFC3339), "order_revenue": 80.79, "session_id": "session-" + order,
		"email": markEmail, "first_name": markName, "utm_campaign": markPayload,
	}
}

func items(storefront, prefix string, n int) ([]harness.Item, []string) {
	batch, orders := make([]harness.Item, n), make([]string, n)
	for i := range n {
		orders[i] = fmt.Sprintf("%s-%d", prefix, i)
		batch[i] = item(storefront, orders[i])
	}
	return batch, orders
}

// post posts new events, and requires that all are accepted.
func post(t *testing.T, r *harness.Relay, batch ...harness.Item) {
	t.Helper()
	response, err := r.Post(t.Context(), harness.Batch(batch...))
	require.NoError(t, err)
	require.Equal(t, http.StatusAccepted, response.HTTPStatus, response.Body)
	require.Equal(t, len(batch), response.Accepted, response.Body)
}

const insertSQL = `INSERT INTO marketing_events (event_id, storefront_code, event_type, event_payload, source_system, status)
	VALUES (?, ?, ?, ?, 'oms_direct', 'pending')`

const payload = `{"email": "` + markEmail + `", "first_name": "` + markName + `", "utm_campaign": "` + markPayload + `"}`

// insert adds a row as OMS does.
func (w *world) insert(t *testing.T, storefront, order string) {
	t.Helper()
	w.exec(t, insertSQL, order, storefront, purchase, payload)
}

// insertMany adds n rows in one statement, and returns their orders.
func (w *world) insertMany(t *testing.T, storefront string, n int) []string {
	t.Helper()
	orders, values := make([]string, n), make([]string, n)
	args := make([]any, 0, 3*n)
	for i := range n {
		orders[i] = fmt.Sprintf("%s-%d", storefront, i)
		values[i] = "(?, ?, 'purchase_completed', ?, 'oms_direct', 'pending')"
		args = append(args, orders[i], storefront, payload)
	}
	w.exec(t, `INSERT INTO marketing_events (event_id, storefront_code, event_type, event_payload, source_system, status)
		VALUES `+strings.Join(values, ","), args...)
	return orders
}

func (w *world) exec(t *testing.T, statement string, args ...any) {
	t.Helper()
	_, err := w.sql.ExecContext(t.Context(), statement, args...)
	require.NoError(t, err)
}

func (w *world) count(t *testing.T, query string, args ...any) int {
	t.Helper()
	var n int
	require.NoError(t, w.sql.QueryRowContext(t.Context(), query, args...).Scan(&n))
	return n
}

// wait waits until wanted returns true for an event.
func (w *world) wait(t *testing.T, order string, wanted func(ops.EventDetail) bool) ops.EventDetail {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	defer cancel()
	e, err := w.WaitEvent(ctx, order, purchase, wanted)
	require.NoError(t, err)
	return e
}

// delivered waits for the end of an event, and requires that it is delivered, with a row for every request.
func (w *world) delivered(t *testing.T, order string) ops.EventDetail {
	t.Helper()
	e := w.wait(t, order, harness.Final)
	require.Equal(t, relay.StatusDelivered, e.Status, e.Detail)
	w.requireARowForEveryRequest(t, e)
	return e
}

// eventually waits until f returns no error. It calls f often at first and less often later,
// to leave the processors to other tests.
func eventually(t *testing.T, f func() error) {
	t.Helper()
	within(t, bound, f)
}

func within(t *testing.T, bound time.Duration, f func() error) {
	t.Helper()
	pause := 5 * time.Millisecond
	for deadline := time.Now().Add(bound); ; time.Sleep(pause) {
		err := f()
		if err == nil {
			return
		}
		require.True(t, time.Now().Before(deadline), "in time: %v", err)
		pause = min(pause*5/4, 500*time.Millisecond)
	}
}

var errNotYet = errors.New("not yet")
