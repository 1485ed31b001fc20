package e2e_test

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enums "go.temporal.io/api/enums/v1"

	"relay/db/seed"
	"relay/deploy/dev/harness"
	"relay/deploy/sandbox"
	"relay/internal/ops"
	"relay/internal/relay"
)

// step is a moment within the local activity of the first attempts. Its function reach brings an event there and
// returns the cleanup for after the kill.
type step struct {
	name     string
	reach    func(t *testing.T, k *killing, storefront, order string) (after func())
	outcomes []relay.Outcome // of all attempts at the container
	requests int
	history  string // the file that records the history
}

// killing is a relay that is killed repeatedly, with gates in front of the container and of Temporal.
type killing struct {
	*world
	relay     *harness.Relay
	container *gate
	temporal  *gate
}

func steps() []step {
	return []step{
		{"before the record", func(t *testing.T, k *killing, storefront, order string) func() {
			t.Helper()
			unlock := k.lock(t, "LOCK TABLES event_attempts READ")
			post(t, k.relay, item(storefront, order))
			return k.stuck(t, "INSERT INTO event_attempts", unlock)
		}, []relay.Outcome{relay.Accepted}, 1, ""},
		{"after the record, before the request arrives", func(t *testing.T, k *killing, storefront, order string) func() {
			t.Helper()
			k.container.close()
			post(t, k.relay, item(storefront, order))
			k.wait(t, order, is(relay.Sending))
			require.Empty(t, k.requests(t, "/"+storefront+"/"))
			return k.container.drop
		}, []relay.Outcome{relay.Sending, relay.Accepted}, 1, ""},
		{"after the request arrived", func(t *testing.T, k *killing, storefront, order string) func() {
			t.Helper()
			require.NoError(t, k.Sandbox.Answer(t.Context(), sandbox.Rule{Path: "/" + storefront + "/", Answers: []sandbox.Answer{{Action: sandbox.ActionHang}}}))
			post(t, k.relay, item(storefront, order))
			k.arrived(t, "/"+storefront+"/", 1)
			return func() {}
		}, []relay.Outcome{relay.Sending, relay.Accepted}, 2, "first-attempt-killed"},
		{"after the response, before it is stored", func(t *testing.T, k *killing, storefront, order string) func() {
			t.Helper()
			require.NoError(t, k.Sandbox.Answer(t.Context(), sandbox.Rule{Path: "/" + storefront + "/", Answers: []sandbox.Answer{{DelayMS: 1000}}}))
			post(t, k.relay, item(storefront, order))
			k.wait(t, order, is(relay.Sending))
			unlock := k.lock(t, "LOCK TABLES event_attempts READ")
			return k.stuck(t, "UPDATE marketing_events e JOIN event_attempts", unlock)
		}, []relay.Outcome{relay.Sending, relay.Accepted}, 2, ""},
		{"after the result is stored, before the task is completed", func(t *testing.T, k *killing, storefront, order string) func() {
			t.Helper()
			require.NoError(t, k.Sandbox.Answer(t.Context(), sandbox.Rule{Path: "/" + storefront + "/", Answers: []sandbox.Answer{{DelayMS: 500}}}))
			post(t, k.relay, item(storefront, order))
			k.arrived(t, "/"+storefront+"/", 1)
			k.temporal.close()
			e := k.wait(t, order, harness.Final)
			require.Equal(t, relay.StatusDelivered, e.Status)
			require.Equal(t, enums.WORKFLOW_EXECUTION_STATUS_RUNNING, k.status(t, deliver(e)))
			return k.temporal.drop
		}, []relay.Outcome{relay.Accepted}, 1, "first-attempt-stored-and-killed"},
	}
}

// is returns a condition for wait: the attempts at the container have these outcomes.
func is(want ...relay.Outcome) func(ops.EventDetail) bool {
	return func(e ops.EventDetail) bool { return slices.Equal(outcomes(e, relay.SGTM), want) }
}

// lock takes a lock in a session of its own, and returns the function that releases it.
func (k *killing) lock(t *testing.T, statement string) func() {
	t.Helper()
	session, err := k.sql.Conn(t.Context())
	require.NoError(t, err)
	_, err = session.ExecContext(t.Context(), statement)
	require.NoError(t, err)
	return func() {
		_, err := session.ExecContext(t.Context(), "UNLOCK TABLES")
		require.NoError(t, err)
		require.NoError(t, session.Close())
	}
}

// stuck waits until a statement waits for the lock. A server would execute it even after its client was killed, so it is killed before
// the lock is released.
func (k *killing) stuck(t *testing.T, statement string, unlock func()) func() {
	t.Helper()
	const find = `SELECT ID FROM information_schema.PROCESSLIST WHERE INFO LIKE ? AND ID <> CONNECTION_ID()`
	var id int64
	eventually(t, func() error { return k.sql.QueryRowContext(t.Context(), find, statement+"%").Scan(&id) })
	return func() {
		k.exec(t, fmt.Sprintf("KILL %d", id))
		eventually(t, func() error {
			if err := k.sql.QueryRowContext(t.Context(), find, statement+"%").Scan(&id); !errors.Is(err, sql.ErrNoRows) {
				return fmt.Errorf("still there: %w", err)
			}
			return nil
		})
		unlock()
	}
}

// A worker is killed at every step of the first attempts. A request is sent again only if its result is unknown, after
// the time-out of the task (5 s) and the backoff; stored results are not repeated.
func TestAKillAtAnyStepOfTheFirstAttemptsLosesAndRepeatsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "RETRY_BACKOFF_BASE=2")
	sandboxURL, err := url.Parse(w.Sandbox.BaseURL)
	require.NoError(t, err)
	k := &killing{world: w, container: newGate(t, sandboxURL.Host), temporal: newGate(t, w.Temporal.Address())}
	k.relay = w.NewRelay(t, harness.RelayOptions{Name: "relay", Role: "serve", Env: []string{"TEMPORAL_ADDRESS=" + k.temporal.address()}})
	w.relays = append(w.relays, k.relay)
	for n, s := range steps() {
		storefront, order := fmt.Sprintf("step-%d", n), fmt.Sprintf("order-%d", n)
		w.storefrontAt(t, storefront, strings.Replace(w.Sandbox.BaseURL, sandboxURL.Host, k.container.address(), 1))
		after := s.reach(t, k, storefront, order)
		k.relay.Kill()
		after()
		killed := time.Now()
		require.NoError(t, k.relay.Start(t.Context()))

		e := w.delivered(t, order)
		require.Equal(t, s.outcomes, outcomes(e, relay.SGTM), s.name)
		require.Len(t, w.requests(t, "/"+storefront+"/"), s.requests, s.name)
		require.Zero(t, e.Generation, s.name)
		require.Equal(t, enums.WORKFLOW_EXECUTION_STATUS_COMPLETED, w.closed(t, deliver(e)), s.name)
		t.Logf("%s: ended %.1f s after the kill", s.name, time.Since(killed).Seconds())
		if s.history != "" {
			w.record(t, deliver(e), s.history)
		}
	}
}

// Usually the first attempts are the only task of an event in Temporal, whatever the number of destinations.
func TestTheFirstAttemptsAreOneTaskOfTheWorkflow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "RETRY_BACKOFF_BASE=1")
	r := w.relay(t, "relay", "serve")
	w.storefront(t, "one")
	many, err := seed.On(w.Store).CreateStorefront(t.Context(), relay.Storefront{Code: "many", Name: "many", Active: true})
	require.NoError(t, err)
	for _, platform := range sandbox.Platforms() {
		require.NoError(t, w.AddPlatform(t.Context(), many, "many", platform))
	}
	w.insert(t, "one", "by-sql")
	for _, storefront := range []string{"one", "many"} {
		post(t, r, item(storefront, storefront+"-api"))
	}
	for order, history := range map[string]string{"by-sql": "", "one-api": "first-attempt", "many-api": "first-attempt-at-five"} {
		e := w.delivered(t, order)
		require.Equal(t, enums.WORKFLOW_EXECUTION_STATUS_COMPLETED, w.closed(t, deliver(e)))
		require.LessOrEqual(t, len(w.history(t.Context(), t, deliver(e), "").GetEvents()), 7, order)
		if history != "" {
			w.record(t, deliver(e), history)
		}
	}
	w.respondWith(t, "/one/", 503)
	post(t, r, item("one", "one-retried"))
	e := w.delivered(t, "one-retried")
	require.Equal(t, []relay.Outcome{relay.Retry, relay.Accepted}, outcomes(e, relay.SGTM))
	w.record(t, deliver(e), "first-attempt-retried")
	w.respondWith(t, "/one/", 400)
	post(t, r, item("one", "one-rejected"))
	e = w.wait(t, "one-rejected", harness.Final)
	require.Equal(t, relay.StatusFailed, e.Status)
	require.Equal(t, enums.WORKFLOW_EXECUTION_STATUS_FAILED, w.closed(t, deliver(e)))
	w.record(t, deliver(e), "first-attempt-rejected")
}

func (w *world) storefrontAt(t *testing.T, code, base string) {
	t.Helper()
	id, err := seed.On(w.Store).CreateStorefront(t.Context(), relay.Storefront{Code: code, Name: code, Active: true})
	require.NoError(t, err)
	require.NoError(t, seed.On(w.Store).PutSGTM(t.Context(), id, ops.SGTMConfig{URL: base + "/" + code, MeasurementID: "G-TEST",
		APISecret: relay.NewSecret(markSecret), Active: true}))
}
