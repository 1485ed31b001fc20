package e2e_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/db/seed"
	"relay/deploy/dev/harness"
	"relay/deploy/sandbox"
	"relay/internal/ops"
	"relay/internal/relay"
)

// flip is one way to switch off the destination of a storefront's events in retry.
type flip struct {
	name     string // also the code of its storefront
	events   int
	failing  string // the destination at which every attempt fails
	takeover string // the platform that receives the events after the flip; "" is none
	kind     string // of the switched entry
	query    string
	status   relay.Status // the final status of the events
	reason   relay.Reason
}

// flips have the same number of events, except for the one that stops most at once.
var flips = []flip{
	{name: "by-storefront", events: 1000, failing: relay.SGTM, kind: "storefronts", status: relay.StatusSkipped, reason: relay.ReasonStorefrontDisabled},
	{name: "by-sgtm-stop", events: 150, failing: relay.SGTM, kind: "sgtm-configs", query: "?fallback=stop", status: relay.StatusSkipped,
		reason: relay.ReasonSGTMStop},
	{name: "by-sgtm-direct", events: 150, failing: relay.SGTM, takeover: "sandbox", kind: "sgtm-configs", query: "?fallback=direct",
		status: relay.StatusDelivered},
	{name: "by-platform", events: 150, failing: "sandbox_b", kind: "platforms", status: relay.StatusSkipped, reason: relay.ReasonPlatformDisabled},
	{name: "by-credential", events: 150, failing: "sandbox_c", kind: "credentials", status: relay.StatusSkipped, reason: relay.ReasonCredentialDisabled},
}

// Hundreds of events are in retry when an admin switches off their destination, at each of the four levels, while OMS keeps
// an insert uncommitted. It runs before the other tests, not in parallel with them, because it needs the processors.
func TestASwitchStopsTheEventsInRetry(t *testing.T) {
	w := newWorldOf(t, harness.Built(t), "RETRY_BACKOFF_BASE=4", "MAX_RETRY_ATTEMPTS=8", "START_BURST=1000")
	r := w.relay(t, "relay", "serve")
	t.Run("level", func(t *testing.T) {
		for _, f := range flips {
			t.Run(f.name, func(t *testing.T) {
				t.Parallel()
				f.run(t, w, r)
			})
		}
	})
}

func (f flip) run(t *testing.T, w *world, r *harness.Relay) {
	path := f.setUp(t, w, r)
	batch, orders := items(f.name, f.name, f.events)
	posted := time.Now()
	post(t, r, batch...)
	f.inRetry(t, w)
	held := f.heldInsert(t, w)

	started := time.Now()
	asked(t, r, http.StatusOK, http.MethodPost, path, "") // a request that waited for OMS's uncommitted insert would get 503
	responded := time.Now()

	f.allEnded(t, w)
	t.Logf("%s: in retry after %v, all ended %v after the flip", f.name, started.Sub(posted).Round(time.Millisecond),
		time.Since(responded).Round(time.Millisecond))
	require.NoError(t, held.Commit())
	require.Equal(t, f.status, w.wait(t, f.name+"-held", harness.Final).Status, "the event that OMS committed after the flip")
	onTheWire, later := f.sentAfter(t, w, orders, responded)
	t.Logf("%s: %d events in retry, response to the flip after %v; requests that arrived later: %d that were on the wire, %d others",
		f.name, f.events, responded.Sub(started).Round(time.Millisecond), onTheWire, len(later))
	f.requireOnlyOpenAttempts(t, later)
	if f.takeover != "" {
		f.requireMoved(t, w)
	}
}

// setUp adds the storefront, whose destination fails every attempt, and returns the path of the switch.
func (f flip) setUp(t *testing.T, w *world, r *harness.Relay) string {
	t.Helper()
	failing := "/" + f.name + "/mp/"
	var id int64
	if f.failing == relay.SGTM {
		id = w.storefront(t, f.name)
	} else {
		var err error
		id, err = seed.On(w.Store).CreateStorefront(t.Context(), relay.Storefront{Code: f.name, Name: f.name, Active: true})
		require.NoError(t, err)
		require.NoError(t, w.AddPlatform(t.Context(), id, f.name, f.failing))
		failing = "/" + f.name + "/platform/"
	}
	if f.takeover != "" {
		require.NoError(t, w.AddPlatform(t.Context(), id, f.name, f.takeover))
	}
	w.always(t, failing, sandbox.Answer{Status: 503, Body: markVendor})
	// A thousand failures would make the destination unhealthy, which ends events: the count starts far below.
	w.exec(t, "INSERT INTO destination_health (storefront_id, destination, failures) VALUES (?, ?, -1000000)", id, f.failing)
	if f.kind == "storefronts" {
		return fmt.Sprintf("/admin/v1/storefronts/%d/deactivate", id)
	}
	filter := "?storefront_code=" + f.name
	if f.kind == "platforms" {
		filter = "?code=" + f.failing
	}
	list := asked(t, r, http.StatusOK, http.MethodGet, "/admin/v1/"+f.kind+filter, "")["items"].([]any)
	require.Len(t, list, 1)
	return fmt.Sprintf("/admin/v1/%s/%v/deactivate%s", f.kind, list[0].(map[string]any)["id"], f.query)
}

// inRetry waits until every event has a failed attempt, and then for a moment in which retries are sent.
func (f flip) inRetry(t *testing.T, w *world) {
	t.Helper()
	const attempts = `SELECT COUNT(*) FROM event_attempts a JOIN marketing_events e ON e.id = a.marketing_event_id WHERE e.storefront_code = ?`
	f.all(t, w, attempts+" AND a.number = 1 AND a.outcome = 'retry'", f.events)
	eventually(t, func() error {
		if w.count(t, attempts+" AND a.number > 1 AND a.started_at > UTC_TIMESTAMP(6) - INTERVAL 100000 MICROSECOND", f.name) == 0 {
			return errNotYet
		}
		return nil
	})
	require.Equal(t, f.events, w.count(t, "SELECT COUNT(*) FROM marketing_events WHERE storefront_code = ? AND status = 'processing'", f.name))
}

// all waits until a query counts the wanted number of the storefront's rows, as long as the count grows: a busy machine takes
// long for a thousand.
func (f flip) all(t *testing.T, w *world, query string, wanted int) {
	t.Helper()
	for n := 0; n < wanted; {
		eventually(t, func() error {
			before := n
			if n = w.count(t, query, f.name); n == before {
				return fmt.Errorf("still %d of %d", n, wanted)
			}
			return nil
		})
	}
}

// heldInsert returns a transaction in which OMS has inserted an event. The event refers to the storefront by its key: under an
// enforced foreign key the row of the storefront would be locked, too.
func (f flip) heldInsert(t *testing.T, w *world) *sql.Tx {
	t.Helper()
	tx, err := w.sql.BeginTx(context.WithoutCancel(t.Context()), nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = tx.Rollback() })
	storefront := w.count(t, "SELECT id FROM storefronts WHERE storefront_id = ?", f.name)
	_, err = tx.ExecContext(t.Context(), `INSERT INTO marketing_events (event_id, storefront_id, storefront_code, event_type, event_payload,
		source_system, status) VALUES (?, ?, ?, ?, ?, 'oms_direct', 'pending')`, f.name+"-held", storefront, f.name, purchase, payload)
	require.NoError(t, err)
	return tx
}

// allEnded waits until all events have ended, and requires the flip's status and reason for each.
func (f flip) allEnded(t *testing.T, w *world) {
	t.Helper()
	f.all(t, w, "SELECT COUNT(*) FROM marketing_events WHERE storefront_code = ? AND finished_at IS NOT NULL", f.events)
	const groups = `SELECT CONCAT(COUNT(*), ' ', status, ' ', COALESCE(reason, '')) FROM marketing_events WHERE storefront_code = ?
		GROUP BY status, reason LIMIT 1`
	var found string
	require.NoError(t, w.sql.QueryRowContext(t.Context(), groups, f.name).Scan(&found))
	require.Equal(t, fmt.Sprintf("%d %s %s", f.events, f.status, f.reason), found)
}

// lateSend is an attempt that began after the flip's response.
type lateSend struct {
	order string
	after time.Duration
}

// longestAttempt is the start-to-close time-out of an attempt: an attempt that had read the switches has ended by then.
const longestAttempt = 15 * time.Second

// requireOnlyOpenAttempts requires that every send after the response belongs to an attempt that had read the switches before: one
// per event, of a few events, and within the time of an attempt. On a quiet machine there is none.
func (f flip) requireOnlyOpenAttempts(t *testing.T, later []lateSend) {
	t.Helper()
	orders := map[string]bool{}
	for _, b := range later {
		t.Logf("%s: started %v after the response: %s", f.name, b.after, b.order)
		require.False(t, orders[b.order], "%s was attempted twice after the flip", b.order)
		orders[b.order] = true
		require.Less(t, b.after, longestAttempt, b.order)
	}
	require.LessOrEqual(t, len(later), f.events/10, "more than a few attempts read the switches at the moment of the flip")
}

// sentAfter finds the requests that arrived after the flip's response, by the rows of their attempts, which are written
// before a request is sent.
func (f flip) sentAfter(t *testing.T, w *world, orders []string, responded time.Time) (onTheWire int, later []lateSend) {
	t.Helper()
	events, err := harness.Events(t.Context(), w.Store, orders)
	require.NoError(t, err)
	byKey := map[string]ops.EventDetail{}
	for _, e := range events {
		byKey[dedupID(e)] = e
		for _, a := range e.Attempts {
			if a.Destination == f.failing && a.Number > 0 && a.StartedAt.After(responded) {
				later = append(later, lateSend{e.EventID, a.StartedAt.Sub(responded)})
			}
		}
	}
	path := "/" + f.name + "/mp/"
	if f.failing != relay.SGTM {
		path = "/" + f.name + "/platform/" + f.failing
	}
	arrived := 0
	for _, q := range w.requests(t, path) {
		if q.Time.After(responded) {
			require.Contains(t, byKey, q.Key, "the event that OMS committed after the flip is not sent")
			arrived++
		}
	}
	require.GreaterOrEqual(t, arrived, len(later))
	return arrived - len(later), later
}

// requireMoved requires that each event arrived once at the platforms that take over.
func (f flip) requireMoved(t *testing.T, w *world) {
	t.Helper()
	keys := map[string]int{}
	for _, q := range w.requests(t, "/"+f.name+"/platform/"+f.takeover) {
		keys[q.Key]++
	}
	require.Len(t, keys, f.events+1)
	for key, n := range keys {
		require.Equal(t, 1, n, key)
	}
}
