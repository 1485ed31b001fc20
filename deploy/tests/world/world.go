// Package world starts the system that the tests of a package share, and the browser.
package world

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/deploy/dev/demo"
	"relay/deploy/dev/harness"
	"relay/deploy/sandbox"
	"relay/internal/ops"
)

const (
	// Bound limits a test's waits. It is long enough for a loaded machine.
	Bound = 3 * time.Minute
	// Purchase is the type of the events that tests send.
	Purchase = "purchase_completed"
	// Email is the e-mail address of the person in every event.
	Email = "jane.planted@example.com"
	// The login of OMS.
	Username = "oms"
	Password = "a password of tests"
)

// World is one system with one relay. Each test that shares it uses its own storefronts.
type World struct {
	*harness.System
	Relay *harness.Relay
	SQL   *sql.DB
	dir   string
}

// Start starts a system with a relay for the first test that needs it; the system outlives that test. An event has four attempts,
// 1, 2 and 4 s apart.
func Start(t *testing.T, c harness.Config) *World {
	t.Helper()
	if c.Dir == "" {
		var err error
		c.Dir, err = os.MkdirTemp("", "relay-world-")
		require.NoError(t, err)
	}
	c.Programs, c.Username, c.Password = harness.Built(t), Username, Password
	c.Env = append([]string{"RETRY_BACKOFF_BASE=1", "MAX_RETRY_ATTEMPTS=4", "POLL_INTERVAL=100ms"}, c.Env...)
	ctx := context.WithoutCancel(t.Context())
	s, err := harness.Start(ctx, c)
	require.NoError(t, err)
	w := &World{System: s, dir: c.Dir}
	w.SQL, err = demo.Open(s)
	if err == nil {
		w.Relay, err = s.StartRelay(ctx, harness.RelayOptions{})
	}
	if err != nil {
		require.NoError(t, errors.Join(err, w.Stop()))
	}
	return w
}

// Stop ends all processes. It does nothing for a world that was never started.
func (w *World) Stop() error {
	if w == nil {
		return nil
	}
	var err error
	if w.SQL != nil {
		err = w.SQL.Close()
	}
	return errors.Join(err, w.System.Stop(), os.RemoveAll(w.dir))
}

// Main runs the tests of a package, then stops the shared system.
func Main(m *testing.M, stop func() error) {
	code := m.Run()
	if err := stop(); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// Storefront creates a storefront whose container is the sandbox.
func (w *World) Storefront(t *testing.T, code string) {
	t.Helper()
	_, err := w.AddStorefront(t.Context(), code)
	require.NoError(t, err)
}

// RespondWith sets the response of the sandbox.
func (w *World) RespondWith(t *testing.T, path string, then sandbox.Answer) {
	t.Helper()
	require.NoError(t, w.Sandbox.Answer(t.Context(), sandbox.Rule{Path: path, Then: then}))
}

// Post sends a purchase to a storefront.
func (w *World) Post(t *testing.T, storefront, order string) {
	t.Helper()
	answer, err := w.Relay.Post(t.Context(), harness.Batch(harness.Item{
		"t-value": "x", "storefront_id": storefront, "event_name": Purchase, "order_id": order,
		"event_time": time.Now().UTC().Format(time.RFC3339), "order_revenue": 80.79, "session_id": "sess", "email": Email,
	}))
	require.NoError(t, err)
	require.Equal(t, http.StatusAccepted, answer.HTTPStatus, answer.Body)
}

// Until waits until the condition holds for an order's event.
func (w *World) Until(t *testing.T, order string, wanted func(ops.EventDetail) bool) ops.EventDetail {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Bound)
	defer cancel()
	e, err := w.WaitEvent(ctx, order, Purchase, wanted)
	require.NoError(t, err)
	return e
}
