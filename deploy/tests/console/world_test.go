// Package console_test uses the console in a headless Chromium, on a running system.
package console_test

import (
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
	shared "relay/deploy/tests/world"
	"relay/internal/ops"
)

const bound = shared.Bound

// The logins: of two admins, one of whom may only read, and of OMS.
const (
	admin    = "anna"
	reader   = "rita"
	oms      = shared.Username
	password = shared.Password
)

// world is the one system of all tests here.
type world struct{ *shared.World }

var one world

func TestMain(m *testing.M) { shared.Main(m, func() error { return one.Stop() }) }

// setup starts the system for the first test, with a day of events.
func setup(t *testing.T) *world {
	t.Helper()
	if one.World != nil {
		return &one
	}
	dir, err := os.MkdirTemp("", "relay-console-")
	require.NoError(t, err)
	users := filepath.Join(dir, "admins")
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(users, fmt.Appendf(nil, "%s:%s:admin\n%s:%s:read-only\n", admin, hash, reader, hash), 0o600))
	one.World = shared.Start(t, harness.Config{Dir: dir, Temporal: harness.TemporalOptions{UIPort: -1},
		Env: []string{"ADMIN_USERS_FILE=" + users, "TEMPORAL_UI_URL=https://temporal.example.com"}})
	_, err = demo.Fill(t.Context(), one.System, 12)
	require.NoError(t, err)
	one.settled(t)
	return &one
}

// settled waits until every event has ended and was counted.
func (w *world) settled(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool {
		var open int
		err := w.SQL.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM marketing_events WHERE status IN ('pending', 'processing')").Scan(&open)
		return err == nil && open == 0
	}, bound, 200*time.Millisecond)
	require.Eventually(t, func() bool { // it is counted once a minute
		var counted, all int
		err := errors.Join(w.SQL.QueryRowContext(t.Context(), "SELECT COALESCE(SUM(n), 0) FROM event_stats WHERE destination = ''").Scan(&counted),
			w.SQL.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM marketing_events").Scan(&all))
		return err == nil && counted >= all
	}, bound, time.Second)
}

// rejected adds a storefront with one event that its container rejected; it accepts the next request.
func (w *world) rejected(t *testing.T, storefront, order string) ops.EventDetail {
	t.Helper()
	w.Storefront(t, storefront)
	w.RespondWith(t, "/"+storefront, sandbox.Answer{Status: http.StatusBadRequest})
	w.Post(t, storefront, order)
	e := w.Until(t, order, ended)
	w.RespondWith(t, "/"+storefront, sandbox.Answer{})
	return e
}

func ended(e ops.EventDetail) bool { return e.Status.Final() }
