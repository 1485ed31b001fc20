package db_test

import (
	"context"
	"database/sql/driver"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/db"
	"relay/internal/ops"
	"relay/internal/relay"
)

func (f *fixture) destinations(q ops.DestinationQuery) ([]ops.DestinationStatus, bool) {
	f.t.Helper()
	if q.Limit == 0 {
		q.Limit = 100
	}
	list, more, err := f.DestinationStatuses(f.t.Context(), q)
	require.NoError(f.t, err)
	return list, more
}

func places(list []ops.DestinationStatus) []string {
	var names []string
	for _, d := range list {
		names = append(names, d.StorefrontCode+"/"+d.Destination)
	}
	return names
}

func TestEachConfiguredDestinationIsListed(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley, pfizer := f.storefront("bosley"), f.storefront("pfizer")
	f.storefront("without any")
	f.platform(bosley, "meta_capi")
	f.platform(bosley, "ga4")
	f.container(bosley, ops.SGTMConfig{Active: true, Options: relay.Options{Limits: relay.Limits{InFlight: 3}}})
	f.container(pfizer, ops.SGTMConfig{Fallback: "stop"})
	f.exec(`UPDATE ad_analytics_platforms SET limits = '{"in_flight": 2, "per_second": 10}' WHERE code = 'ga4'`)
	f.sick(bosley, relay.SGTM)
	require.NoError(t, f.RecordFailure(t.Context(), bosley, "ga4", relay.Failure{Reason: relay.ReasonTimeout, Lasted: time.Hour}))
	require.NoError(t, f.RecordAudit(t.Context(), ops.AuditEntry{By: "ann", Action: ops.ActionDeactivate, Entity: ops.EntityStorefront,
		EntityID: bosley, Switched: new(bool)}))
	waits, failed := f.direct("waits", bosley), f.failedAt("failed", bosley, relay.SGTM, relay.ReasonUnhealthy)
	f.taken(waits, "r")
	f.failedAt("refused", bosley, relay.SGTM, relay.ReasonBadRequest)
	accepted := f.direct("accepted", bosley)
	f.taken(accepted, "r")
	f.accept(accepted, 0, relay.SGTM, "a")
	require.NotZero(t, failed)

	all, more := f.destinations(ops.DestinationQuery{})
	require.False(t, more)
	require.Equal(t, []string{"bosley/ga4", "bosley/meta_capi", "bosley/sgtm", "pfizer/sgtm"}, places(all))
	sgtm := all[2]
	require.Equal(t, relay.Unhealthy, sgtm.Health.State())
	require.Equal(t, relay.ReasonServerError, sgtm.Health.Reason)
	require.Equal(t, 503, sgtm.Health.Status)
	require.WithinDuration(t, time.Now(), sgtm.UnhealthySince, time.Minute)
	require.WithinDuration(t, time.Now().Add(time.Minute), sgtm.NextProbe, time.Minute)
	require.Equal(t, 1, sgtm.Waiting, "the accepted event does not")
	require.Equal(t, 1, sgtm.Failed)
	require.Equal(t, 3, sgtm.Limits.InFlight)
	require.Len(t, sgtm.Levels, 2)
	require.Equal(t, "ann", sgtm.Levels[0].SwitchChange.By)
	require.Equal(t, "seed", sgtm.Levels[1].SwitchChange.By)
	require.Equal(t, relay.Limits{InFlight: 2, PerSecond: 10}, all[0].Limits)
	require.Equal(t, relay.Failing, all[0].Health.State())
	require.Len(t, all[0].Levels, 4)
	receives, reason := all[3].Receives()
	require.False(t, receives)
	require.Equal(t, relay.ReasonSGTMStop, reason)

	for _, tc := range []struct {
		name  string
		query ops.DestinationQuery
		want  []string
	}{
		{"a storefront's", ops.DestinationQuery{StorefrontID: pfizer}, []string{"pfizer/sgtm"}},
		{"a destination", ops.DestinationQuery{Destination: "sgtm"}, []string{"bosley/sgtm", "pfizer/sgtm"}},
		{"unhealthy ones", ops.DestinationQuery{Health: relay.Unhealthy}, []string{"bosley/sgtm"}},
		{"failing ones", ops.DestinationQuery{Health: relay.Failing}, []string{"bosley/ga4"}},
		{"healthy ones", ops.DestinationQuery{Health: relay.Healthy}, []string{"bosley/meta_capi", "pfizer/sgtm"}},
	} {
		got, _ := f.destinations(tc.query)
		require.Equal(t, tc.want, places(got), tc.name)
	}

	t.Run("in pages", func(t *testing.T) {
		var walked []string
		q := ops.DestinationQuery{Limit: 1}
		for {
			page, more := f.destinations(q)
			walked = append(walked, places(page)...)
			if !more {
				break
			}
			q.After = &page[0].Place
		}
		require.Equal(t, places(all), walked)
	})
}

func TestAListOfDestinationsCostsTheSameForOneAndForMany(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	var codes []string
	for n := range 4 {
		code := fmt.Sprint("platform", n)
		require.NoError(t, f.AddPlatform(t.Context(), ops.Platform{Code: code, Name: code}))
		require.NoError(t, f.SetPlatformActive(t.Context(), code, true))
		codes = append(codes, code)
	}
	for n := range 30 {
		storefront := f.storefront(fmt.Sprint("storefront", n))
		for _, code := range codes {
			require.NoError(t, f.PutCredential(t.Context(), storefront, ops.Credential{Platform: code, Active: true}))
			f.sick(storefront, code)
		}
	}
	counter := &statements{}
	keys, err := db.NewKeys(testKey)
	require.NoError(t, err)
	store, err := db.Open(db.Config{URL: f.dsn, Keys: keys, Wrap: counter.wrap})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	cost := func(limit int) int64 {
		before := counter.n.Load()
		list, _, err := store.DestinationStatuses(t.Context(), ops.DestinationQuery{Limit: limit})
		require.NoError(t, err)
		require.Len(t, list, limit)
		return counter.n.Load() - before
	}
	one := cost(1)
	require.Positive(t, one)
	require.LessOrEqual(t, one, int64(8))
	require.Equal(t, one, cost(100))
}

// statements counts the statements that a pool sends.
type statements struct{ n atomic.Int64 }

func (s *statements) wrap(c driver.Connector) driver.Connector { return countingConnector{c, s} }

type countingConnector struct {
	driver.Connector
	statements *statements
}

func (c countingConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	return countingConn{conn, c.statements}, err
}

// countingConn counts statements when they are prepared.
type countingConn struct {
	driver.Conn
	statements *statements
}

func (c countingConn) Prepare(query string) (driver.Stmt, error) {
	c.statements.n.Add(1)
	return c.Conn.Prepare(query)
}

func TestAListOfDestinationsReadsEventsByTheirKeysOnly(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	f.container(bosley, ops.SGTMConfig{Active: true})
	f.insert(newEvents(0, 2000, bosley, "bosley"))
	f.sick(bosley, relay.SGTM)
	f.exec("ANALYZE TABLE marketing_events")
	for name, c := range map[string]struct {
		query db.Query
		key   string
	}{
		"waiting": {db.WaitingQuery(bosley), "ix_marketing_events_claim"},
		"failed":  {db.FailedQuery(), "ix_marketing_events_status"},
	} {
		t.Run(name, func(t *testing.T) {
			seen := 0
			for _, line := range f.explain(c.query) {
				if line["table"] != "marketing_events" {
					continue
				}
				seen++
				require.Equal(t, c.key, line["key"], line)
				require.NotContains(t, line["Extra"], "filesort", line)
			}
			require.Positive(t, seen)
		})
	}
}
