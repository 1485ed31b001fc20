package db_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/db"
	"relay/db/dbtest"
	"relay/db/seed"
	"relay/internal/relay"
)

// calls are the methods on the path of an event.
func calls(s *db.Store) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"Ping":    s.Ping,
		"Current": func(ctx context.Context) error { _, err := s.Current(ctx); return err },
		"StorefrontIDs": func(ctx context.Context) error {
			_, err := s.StorefrontIDs(ctx, []string{"bosley"})
			return err
		},
		"InsertEvents": func(ctx context.Context) error {
			_, err := s.InsertEvents(ctx, newEvents(0, 3, 1, "bosley"), time.Second)
			return err
		},
		"Claim":    func(ctx context.Context) error { _, err := s.Claim(ctx, aPage); return err },
		"Release":  func(ctx context.Context) error { return s.Release(ctx, []int64{1}) },
		"Take":     func(ctx context.Context) error { _, err := s.Take(ctx, 1, "run"); return err },
		"Switches": func(ctx context.Context) error { _, err := s.Switches(ctx, 1); return err },
		"Delivery": func(ctx context.Context) error { _, err := s.Delivery(ctx, 1, "run", "sgtm"); return err },
		"RecordSending": func(ctx context.Context) error {
			return s.RecordSending(ctx, relay.Attempt{AttemptID: "a", EventID: 1, Destination: "sgtm"})
		},
		"CompleteAttempts": func(ctx context.Context) error {
			return s.CompleteAttempts(ctx, []relay.AttemptEnd{{AttemptID: "a", Result: relay.Result{Outcome: relay.Accepted}}})
		},
		"Finish": func(ctx context.Context) error {
			return s.Finish(ctx, 1, "run", relay.EventOutcome{Status: relay.StatusDelivered})
		},
		"SetStorefrontActive": func(ctx context.Context) error { return seed.On(s).SetStorefrontActive(ctx, 1, true) },
	}
}

func TestAStoppedDatabaseIsUnavailableUntilItReturns(t *testing.T) {
	t.Parallel()
	server, err := dbtest.Start(t.Context(), dbtest.Config{Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(server.Kill)
	require.NoError(t, server.CreateDatabase(t.Context(), "relay"))
	store, err := db.Open(db.Config{URL: server.DSN("relay")})
	require.NoError(t, err)
	defer func() { require.NoError(t, store.Close()) }()

	for name, call := range calls(store) {
		if name != "Ping" && name != "Current" {
			require.ErrorIs(t, call(t.Context()), relay.ErrUnavailable, "%s before the tables are there", name)
		}
	}
	_, err = store.Up(t.Context())
	require.NoError(t, err)
	_, err = seed.On(store).CreateStorefront(t.Context(), relay.Storefront{ID: 1, Code: "bosley", Active: true})
	require.NoError(t, err)

	server.Kill()
	for name, call := range calls(store) {
		require.ErrorIs(t, call(t.Context()), relay.ErrUnavailable, name)
	}
	require.NoError(t, server.Restart(t.Context()))
	for name, call := range calls(store) {
		if name != "Switches" && name != "Delivery" { // of an event that may not be there yet
			require.NoError(t, call(t.Context()), name)
		}
	}
}

func TestStoreOpensWithoutAServer(t *testing.T) {
	t.Parallel()
	store, err := db.Open(db.Config{URL: "mysql+aiomysql://user:s3cr3t@127.0.0.1:1/relay"})
	require.NoError(t, err)
	defer func() { require.NoError(t, store.Close()) }()
	for name, call := range calls(store) {
		err := call(t.Context())
		require.ErrorIs(t, err, relay.ErrUnavailable, name)
		require.NotContains(t, err.Error(), "s3cr3t")
	}
	_, err = db.Open(db.Config{URL: "postgres://user:s3cr3t@host/relay"})
	require.Error(t, err)
	require.NotContains(t, err.Error(), "s3cr3t")
}

func TestWrongLoginIsUnavailableWithoutThePassword(t *testing.T) {
	t.Parallel()
	c, err := db.ParseURL(dbtest.New(t))
	require.NoError(t, err)
	c.Passwd = "s3cr3t"
	store, err := db.Open(db.Config{URL: c.FormatDSN()})
	require.NoError(t, err)
	defer func() { require.NoError(t, store.Close()) }()
	err = store.Ping(t.Context())
	require.ErrorIs(t, err, relay.ErrUnavailable)
	require.NotContains(t, err.Error(), "s3cr3t")
}

func TestACancelledCallIsNotAnOutage(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	left, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := f.Take(left, 1, "run")
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, relay.ErrUnavailable)

	late, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	_, err = f.Take(late, 1, "run")
	require.ErrorIs(t, err, relay.ErrUnavailable, "a database too slow for its caller")
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestALockedRowIsUnavailableAfterTheLockTimeout(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	id := f.direct("1", f.storefront("bosley"))
	tx, err := f.raw.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, tx.Rollback()) }()
	_, err = tx.ExecContext(t.Context(), "UPDATE marketing_events SET detail = 'x' WHERE id = ?", id)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err = f.Take(ctx, id, "run")
	require.ErrorIs(t, err, relay.ErrUnavailable)
	starts, err := f.Claim(shortly(t), aPage)
	require.NoError(t, err)
	require.Empty(t, starts, "claiming skips it")
}

func TestSessionIsStrictAndInUTC(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	var mode, zone, charset string
	require.NoError(t, f.relayRaw().QueryRowContext(t.Context(), "SELECT @@sql_mode, @@time_zone, @@character_set_client").Scan(&mode, &zone, &charset))
	require.Contains(t, mode, "STRICT_TRANS_TABLES")
	require.Equal(t, []string{"+00:00", "utf8mb4"}, []string{zone, charset})
}
