package db_test

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/db"
	"relay/db/dbtest"
	"relay/db/seed"
	"relay/internal/relay"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

// fixture is a migrated database for one test.
type fixture struct {
	seed.Seed
	t   testing.TB
	dsn string
	raw *sql.DB // a session like OMS's: none of the relay's settings

	likeOurs *sql.DB
}

// relayRaw is a session with the relay's settings.
func (f *fixture) relayRaw() *sql.DB {
	if f.likeOurs == nil {
		c, err := db.ParseURL(f.dsn)
		require.NoError(f.t, err)
		f.likeOurs = open(f.t, c.FormatDSN())
	}
	return f.likeOurs
}

// empty is a fixture without migrations.
func empty(t testing.TB) *fixture {
	t.Helper()
	dsn := dbtest.New(t)
	keys, err := db.NewKeys(testKey)
	require.NoError(t, err)
	store, err := db.Open(db.Config{URL: dsn, Keys: keys})
	require.NoError(t, err)
	f := &fixture{Seed: seed.On(store), t: t, dsn: dsn, raw: open(t, dsn)}
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	return f
}

func open(t testing.TB, dsn string) *sql.DB {
	t.Helper()
	raw, err := sql.Open("mysql", dsn)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, raw.Close()) })
	return raw
}

func migrated(t testing.TB) *fixture {
	t.Helper()
	f := empty(t)
	_, err := f.Up(t.Context())
	require.NoError(t, err)
	return f
}

// exec runs a statement as OMS would and returns the last insert id.
func (f *fixture) exec(query string, args ...any) int64 {
	f.t.Helper()
	res, err := f.raw.ExecContext(f.t.Context(), query, args...)
	require.NoError(f.t, err)
	id, err := res.LastInsertId()
	require.NoError(f.t, err)
	return id
}

// scan reads one row.
func (f *fixture) scan(query string, args []any, dest ...any) {
	f.t.Helper()
	require.NoError(f.t, f.raw.QueryRowContext(f.t.Context(), query, args...).Scan(dest...))
}

func (f *fixture) text(query string, args ...any) string {
	f.t.Helper()
	var s sql.NullString
	f.scan(query, args, &s)
	return s.String
}

func (f *fixture) count(query string, args ...any) int {
	f.t.Helper()
	var n int
	f.scan(query, args, &n)
	return n
}

func (f *fixture) storefront(code string) int64 {
	f.t.Helper()
	id, err := f.CreateStorefront(f.t.Context(), relay.Storefront{Code: code, Name: code, Active: true})
	require.NoError(f.t, err)
	return id
}

// direct inserts a row as OMS does and returns its id.
func (f *fixture) direct(eventID string, storefrontID int64) int64 {
	f.t.Helper()
	return f.exec(`INSERT INTO marketing_events (event_id, storefront_id, event_type, event_payload, source_system, status)
		VALUES (?, ?, 'purchase_completed', '{"order_revenue": 80.79}', 'oms_direct', 'pending')`, eventID, storefrontID)
}

func (f *fixture) status(id int64) (relay.Status, relay.Reason) {
	f.t.Helper()
	var reason sql.NullString
	var status relay.Status
	f.scan("SELECT status, reason FROM marketing_events WHERE id = ?", []any{id}, &status, &reason)
	return status, relay.Reason(reason.String)
}

func (f *fixture) claim(o db.ClaimOptions) []relay.PendingDelivery {
	f.t.Helper()
	starts, err := f.Claim(f.t.Context(), o)
	require.NoError(f.t, err)
	return starts
}

// aPage is a round of claiming that reaches every row of a small test.
var aPage = db.ClaimOptions{Page: 100, Lease: time.Minute}

func ids(starts []relay.PendingDelivery) []int64 {
	list := []int64{}
	for _, s := range starts {
		list = append(list, s.ID)
	}
	return list
}

// taken makes a run the owner of a row.
func (f *fixture) taken(id int64, run string) {
	f.t.Helper()
	ok, err := f.Take(f.t.Context(), id, run)
	require.NoError(f.t, err)
	require.True(f.t, ok)
}

func newEvent(n int, storefrontID int64, code string) relay.NewEvent {
	id := fmt.Sprintf("20250201%08d", n)
	payload := fmt.Appendf(nil, `{"storefront_id": %q, "event_name": "purchase_completed", "event_time": "2026-01-15T10:25:00Z", "order_id": %q}`, code, id)
	return relay.NewEvent{EventID: id, OrderID: id, Type: "purchase_completed", StorefrontID: storefrontID, StorefrontCode: code,
		Payload: payload, Digest: sha256.Sum256(payload)}
}

func newEvents(from, to int, storefrontID int64, code string) []relay.NewEvent {
	var events []relay.NewEvent
	for n := from; n < to; n++ {
		events = append(events, newEvent(n, storefrontID, code))
	}
	return events
}

func (f *fixture) insert(events []relay.NewEvent) []relay.InsertResult {
	f.t.Helper()
	stored, err := f.InsertEvents(f.t.Context(), events, 30*time.Second)
	require.NoError(f.t, err)
	require.Len(f.t, stored, len(events))
	return stored
}

// shortly bounds a call that must not wait for a lock.
func shortly(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}
