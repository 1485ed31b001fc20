package db_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/db"
	"relay/db/dbtest"
	"relay/db/seed"
	"relay/internal/relay"
)

// own returns a migrated fixture on a server for one test, whose settings it may change. It logs to the buffer.
func own(t *testing.T, args ...string) (*fixture, *logged) {
	t.Helper()
	server, err := dbtest.Start(t.Context(), dbtest.Config{Dir: t.TempDir(), Args: args})
	require.NoError(t, err)
	t.Cleanup(server.Kill)
	require.NoError(t, server.CreateDatabase(t.Context(), "relay"))
	lines := &logged{}
	store, err := db.Open(db.Config{URL: server.DSN("relay"), Log: slog.New(slog.NewTextHandler(lines, nil))})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	_, err = store.Up(t.Context())
	require.NoError(t, err)
	return &fixture{Seed: seed.On(store), t: t, dsn: server.DSN("relay"), raw: open(t, server.DSN("relay"))}, lines
}

// logged keeps lines.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// becomes waits until the write check returns a result.
func (f *fixture) becomes(why relay.WriteRefusal) {
	f.t.Helper()
	require.Eventually(f.t, func() bool {
		var u *relay.Unwritable
		err := f.Writable(shortly(f.t))
		if why == "" {
			return err == nil
		}
		return err != nil && errors.As(err, &u) && u.Why == why
	}, time.Minute, 100*time.Millisecond)
}

func TestAnUnwritableDatabaseHasAReason(t *testing.T) {
	t.Parallel()
	t.Run("before the tables exist, the migrations report it", func(t *testing.T) {
		t.Parallel()
		require.NoError(t, empty(t).Writable(t.Context()))
	})
	t.Run("read-only, and writable again without a new pool", func(t *testing.T) {
		t.Parallel()
		f, lines := own(t)
		f.becomes("")
		user := f.userWithoutSuper()
		store, err := db.Open(db.Config{URL: user, Log: slog.New(slog.NewTextHandler(lines, nil))})
		require.NoError(t, err)
		defer func() { require.NoError(t, store.Close()) }()
		ours := &fixture{Seed: seed.On(store), t: t}
		ours.becomes("")
		f.exec("SET GLOBAL read_only = 1")
		ours.becomes(relay.WriteReadOnly)
		require.NoError(t, store.Ping(t.Context()), "it responds")
		require.Contains(t, lines.String(), "level=WARN msg=database.unavailable")
		f.exec("SET GLOBAL read_only = 0")
		ours.becomes("")
	})
	t.Run("no space for another row", func(t *testing.T) {
		t.Parallel()
		// The inbox lies in the system's tablespace, which may not grow.
		f, _ := own(t, "--innodb-file-per-table=OFF", "--innodb-data-file-path=ibdata1:12M:autoextend:max:24M")
		f.becomes("")
		var err error
		for n := 0; err == nil && n < 2000; n++ {
			_, err = f.raw.ExecContext(t.Context(), `INSERT INTO marketing_events (event_id, storefront_code, event_type, event_payload, source_system, status)
				VALUES (?, 'bosley', 'x', REPEAT('x', 60000), 'oms_direct', 'pending')`, fmt.Sprint("full", n))
		}
		require.Error(t, err)
		f.becomes(relay.WriteNoRoom)
	})
	t.Run("no permission to write", func(t *testing.T) {
		t.Parallel()
		f, _ := own(t)
		store, err := db.Open(db.Config{URL: f.user("reader", "SELECT")})
		require.NoError(t, err)
		defer func() { require.NoError(t, store.Close()) }()
		(&fixture{Seed: seed.On(store), t: t}).becomes(relay.WriteForbidden)
	})
	t.Run("a write that hangs is not repeated", func(t *testing.T) {
		t.Parallel()
		f, _ := own(t)
		require.NoError(t, f.Writable(t.Context()))
		tx, err := f.raw.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		defer func() { _ = tx.Rollback() }()
		_, err = tx.ExecContext(t.Context(), "INSERT INTO write_checks SELECT seq, UTC_TIMESTAMP(6) FROM "+numbers+" ON DUPLICATE KEY UPDATE checked_at = UTC_TIMESTAMP(6)")
		require.NoError(t, err)
		require.Eventually(t, func() bool {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			return f.Writable(ctx) != nil
		}, time.Minute, 20*time.Millisecond)
		for range 20 {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
			err := f.Writable(ctx)
			cancel()
			require.ErrorIs(t, err, relay.ErrUnavailable)
		}
		require.LessOrEqual(t, f.count("SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'INSERT INTO write_checks (id%'"), 1)
		require.NoError(t, tx.Rollback())
		f.becomes("")
	})
	t.Run("it leaves no row", func(t *testing.T) {
		t.Parallel()
		f := migrated(t)
		require.NoError(t, f.Writable(t.Context()))
		require.NoError(t, f.Writable(t.Context()))
		require.Zero(t, f.count("SELECT COUNT(*) FROM marketing_events"))
		require.Equal(t, 1, f.count("SELECT COUNT(*) FROM write_checks"), "the second call used the cached result")
	})
}

// numbers are 0 to 15 on every engine.
const numbers = "(SELECT a.n + 4 * b.n AS seq FROM (SELECT 0 n UNION SELECT 1 UNION SELECT 2 UNION SELECT 3) a, (SELECT 0 n UNION SELECT 1 UNION SELECT 2 UNION SELECT 3) b) s"

// user creates a database user and returns its DSN.
func (f *fixture) user(name, rights string) string {
	f.t.Helper()
	f.exec("CREATE USER '" + name + "'@'%' IDENTIFIED BY 'relay'")
	f.exec("GRANT " + rights + " ON relay.* TO '" + name + "'@'%'")
	c, err := db.ParseURL(f.dsn)
	require.NoError(f.t, err)
	c.User, c.Passwd = name, "relay"
	return c.FormatDSN()
}

// userWithoutSuper creates a user to whom read_only applies.
func (f *fixture) userWithoutSuper() string { return f.user("plain", "ALL") }

func TestAServerThatRefusesToPrepareStallsNoDelivery(t *testing.T) {
	t.Parallel()
	f, lines := own(t)
	id := f.direct("1", f.storefront("bosley"))
	second := f.direct("2", 1)
	require.True(t, f.Prepares())
	f.taken(id, "run") // prepares
	f.exec("SET GLOBAL max_prepared_stmt_count = 0")
	f.taken(second, "run")
	_, err := f.Switches(t.Context(), id)
	require.NoError(t, err)
	_, err = f.Delivery(t.Context(), id, "run", "sgtm")
	require.NoError(t, err)
	require.NoError(t, f.RecordSending(t.Context(), anAttempt(id)))
	require.NoError(t, f.Finish(t.Context(), id, "run", relay.EventOutcome{Status: relay.StatusDelivered}))
	require.Equal(t, 1, f.count("SELECT COUNT(*) FROM marketing_events WHERE status = 'delivered'"))
	require.False(t, f.Prepares())
	require.Equal(t, 1, strings.Count(lines.String(), "level=WARN msg=database.prepared_statements_refused mysql_error=1461"), lines.String())
}

func TestAReadOnlyServerDoesNotKeepThePool(t *testing.T) {
	t.Parallel()
	f, _ := own(t)
	f.exec("INSERT INTO storefronts (id, storefront_id) VALUES (1, 'bosley')")
	store, err := db.Open(db.Config{URL: f.userWithoutSuper()})
	require.NoError(t, err)
	defer func() { require.NoError(t, store.Close()) }()
	_, err = store.InsertEvents(t.Context(), newEvents(0, 1, 1, "bosley"), time.Second)
	require.NoError(t, err)
	connections := "SELECT COUNT(*) FROM information_schema.processlist WHERE user = 'plain'"
	require.Equal(t, 1, f.count(connections))
	f.exec("SET GLOBAL read_only = 1")
	_, err = store.InsertEvents(t.Context(), newEvents(1, 2, 1, "bosley"), time.Second)
	require.ErrorIs(t, err, relay.ErrUnavailable)
	require.Eventually(t, func() bool { return f.count(connections) == 0 }, time.Minute, 20*time.Millisecond,
		"the next statement reconnects, to the server that is writable by then")
}
