package db_test

import (
	"database/sql/driver"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/db"
)

// selects returns a second store on the same database, and a function that counts its SELECTs during a call.
func (f *fixture) selects() (*db.Store, func(call func()) int64) {
	f.t.Helper()
	var n atomic.Int64
	keys, err := db.NewKeys(testKey)
	require.NoError(f.t, err)
	store, err := db.Open(db.Config{URL: f.dsn, Keys: keys, Wrap: func(c driver.Connector) driver.Connector { return counting{c, &n} }})
	require.NoError(f.t, err)
	f.t.Cleanup(func() { require.NoError(f.t, store.Close()) })
	return store, func(call func()) int64 {
		before := n.Load()
		call()
		return n.Load() - before
	}
}

// byKey requires that every table of the relay's events that a statement reads is read by one of the keys, within a range.
func (f *fixture) byKey(query db.Query, keys map[string]string) {
	f.t.Helper()
	seen := map[string]bool{}
	for _, line := range f.explain(query) {
		key, ok := keys[line["table"]]
		if !ok {
			continue
		}
		seen[line["table"]] = true
		require.Contains(f.t, strings.Split(key, ","), line["key"], line)
		require.NotEqual(f.t, "ALL", line["type"], line)
		if !strings.Contains(line["Extra"], "Using index") || !strings.Contains(query.SQL, "LIMIT") { // a walk along an index to its limit
			require.NotEqual(f.t, "index", line["type"], line)
		}
	}
	require.Len(f.t, seen, len(keys), "tables that the plan names: %v", f.explain(query))
}

func TestStatementsOfTheAdminAPIReadByTheirKeys(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	for _, code := range []string{"ga4", "tiktok"} {
		f.platform(bosley, code)
	}
	f.insert(newEvents(0, 2000, bosley, "bosley"))
	f.exec("ANALYZE TABLE marketing_events")
	for name, c := range f.RestQueries(t, bosley) {
		t.Run(name, func(t *testing.T) { f.byKey(c.Query, c.Keys) })
	}
}
