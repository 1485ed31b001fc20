// Package console_test uses the console in a headless Chromium, on a running system.
package console_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"relay/deploy/dev/demo"
	"relay/deploy/dev/harness"
	"relay/deploy/sandbox"
	"relay/internal/ops"
)

const bound = 3 * time.Minute // on a loaded machine

// The logins: of two admins, one of whom may only read, and of OMS.
const (
	admin    = "anna"
	reader   = "rita"
	oms      = "oms"
	password = "a password of tests"
)

// world is the one system of all tests here.
type world struct {
	*harness.System
	relay *harness.Relay
	sql   *sql.DB
	dir   string
}

var shared *world

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	code := m.Run()
	if shared != nil {
		if err := errors.Join(shared.sql.Close(), shared.Stop(), os.RemoveAll(shared.dir)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
	}
	return code
}

// setup starts the system for the first test, with a day of events.
func setup(t *testing.T) *world {
	t.Helper()
	if shared != nil {
		return shared
	}
	dir, err := os.MkdirTemp("", "relay-console-")
	require.NoError(t, err)
	users := filepath.Join(dir, "admins")
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(users, fmt.Appendf(nil, "%s:%s:admin\n%s:%s:read-only\n", admin, hash, reader, hash), 0o600))
	s, err := harness.Start(context.WithoutCancel(t.Context()), harness.Config{
		Programs: harness.Built(t), Dir: dir, Username: oms, Password: password, Temporal: harness.TemporalOptions{UIPort: -1},
		Env: []string{"RETRY_BACKOFF_BASE=1", "MAX_RETRY_ATTEMPTS=4", "POLL_INTERVAL=100ms", "ADMIN_USERS_FILE=" + users,
			"TEMPORAL_UI_URL=https://temporal.example.com"},
	})
	require.NoError(t, err)
	w := &world{System: s, dir: dir}
	w.sql, err = demo.Open(s)
	require.NoError(t, err)
	shared = w
	w.relay, err = s.StartRelay(context.WithoutCancel(t.Context()), harness.RelayOptions{})
	require.NoError(t, err)
	require.NoError(t, demo.Fill(t.Context(), s, 12))
	w.settled(t)
	return w
}

// settled waits until every event has ended and was counted.
func (w *world) settled(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool {
		var open int
		err := w.sql.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM marketing_events WHERE status IN ('pending', 'processing')").Scan(&open)
		return err == nil && open == 0
	}, bound, 200*time.Millisecond)
	require.Eventually(t, func() bool { // it is counted once a minute
		var counted, all int
		err := errors.Join(w.sql.QueryRowContext(t.Context(), "SELECT COALESCE(SUM(n), 0) FROM event_stats WHERE destination = ''").Scan(&counted),
			w.sql.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM marketing_events").Scan(&all))
		return err == nil && counted >= all
	}, bound, time.Second)
}

// post sends a purchase to a storefront.
func (w *world) post(t *testing.T, storefront, order string) {
	t.Helper()
	answer, err := w.relay.Post(t.Context(), harness.Batch(harness.Item{
		"t-value": "x", "storefront_id": storefront, "event_name": "purchase_completed", "order_id": order,
		"event_time": time.Now().UTC().Format(time.RFC3339), "order_revenue": 80.79, "session_id": "sess", "email": "jane.planted@example.com",
	}))
	require.NoError(t, err)
	require.Equal(t, http.StatusAccepted, answer.HTTPStatus, answer.Body)
}

// event waits until an order's event is as wanted.
func (w *world) event(t *testing.T, order string, wanted func(ops.EventDetail) bool) ops.EventDetail {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	defer cancel()
	e, err := w.WaitEvent(ctx, order, "purchase_completed", wanted)
	require.NoError(t, err)
	return e
}

func (w *world) answers(t *testing.T, path string, then sandbox.Answer) {
	t.Helper()
	require.NoError(t, w.Sandbox.Answer(t.Context(), sandbox.Rule{Path: path, Then: then}))
}
