package db_test

import (
	"context"
	"database/sql/driver"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/db"
	"relay/internal/ops"
	"relay/internal/relay"
)

// counting counts the SELECTs of every connection.
type counting struct {
	driver.Connector
	selects *atomic.Int64
}

func (c counting) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return selectsConn{conn.(wholeConn), c.selects}, nil
}

// wholeConn is the part of MySQL's driver that database/sql uses.
type wholeConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.NamedValueChecker
	driver.Pinger
	driver.QueryerContext
	driver.SessionResetter
	driver.Validator
}

type selectsConn struct {
	wholeConn
	selects *atomic.Int64
}

func (c selectsConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if strings.Contains(query, "SELECT") {
		c.selects.Add(1)
	}
	return c.wholeConn.QueryContext(ctx, query, args)
}

func TestStatsTakeAsManyStatementsForManyStorefronts(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	var selects atomic.Int64
	store, err := db.Open(db.Config{URL: f.dsn, Wrap: func(c driver.Connector) driver.Connector { return counting{c, &selects} }})
	require.NoError(t, err)
	defer func() { require.NoError(t, store.Close()) }()
	read := func() int64 {
		before := selects.Load()
		_, err := store.Stats(t.Context(), 0, time.Now().Add(-time.Hour), time.Now())
		require.NoError(t, err)
		return selects.Load() - before
	}
	add := func(from, to int) {
		for n := from; n < to; n++ {
			f.direct(fmt.Sprint("d-", n), f.storefront(fmt.Sprintf("shop%03d", n)))
		}
	}
	add(0, 3)
	selective := read()
	require.Positive(t, selective)
	add(3, 300)
	require.Equal(t, selective, read())
	require.LessOrEqual(t, selective, int64(8))
}

func TestStatsCountEventsWithoutAKnownStorefront(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	f.direct("d-1", bosley)
	f.exec("INSERT INTO marketing_events (event_id, order_id, event_type, storefront_code, event_payload, source_system, status) VALUES ('u-1', 'u-1', 'purchase_completed', 'nowhere', '{}', 'oms_direct', 'pending')")
	lost := f.exec("INSERT INTO marketing_events (event_id, order_id, event_type, storefront_code, event_payload, source_system, status) VALUES ('u-2', 'u-2', 'purchase_completed', 'nowhere', '{}', 'oms_direct', 'pending')")
	f.exec("UPDATE marketing_events SET status = 'failed', reason = 'unknown_storefront', finished_at = UTC_TIMESTAMP(6) WHERE id = ?", lost)
	gone := f.direct("d-2", 4711) // of a storefront that was deleted
	f.exec("UPDATE marketing_events SET status = 'processing' WHERE id = ?", gone)
	f.rollUp()
	now := time.Now().UTC()
	r, err := f.Stats(t.Context(), 0, now.Add(-48*time.Hour), now.Add(time.Hour))
	require.NoError(t, err)
	require.Equal(t, int64(3), r.Unknown.Received)
	require.Equal(t, int64(2), r.Unknown.Open)
	require.Equal(t, int64(1), r.Unknown.Retrying)
	require.Equal(t, map[relay.Reason]int64{"unknown_storefront": 1}, r.Unknown.Failed)
	require.False(t, r.Unknown.OldestPending.IsZero())
	require.Equal(t, int64(1), r.Storefronts[0].Received)

	r, err = f.Stats(t.Context(), bosley, now.Add(-48*time.Hour), now.Add(time.Hour))
	require.NoError(t, err)
	require.Zero(t, r.Unknown, "another question")
}

// TestTheOldestPendingEventIsFoundLeasedOrNot covers both parts of one metric.
func TestTheOldestPendingEventIsFoundLeasedOrNot(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley, pfizer, none := f.storefront("bosley"), f.storefront("pfizer"), f.storefront("none")
	at := func(id int64, age, lease string) {
		f.exec("UPDATE marketing_events SET created_at = UTC_TIMESTAMP(6) - INTERVAL "+age+" MINUTE, claimed_until = "+lease+" WHERE id = ?", id)
	}
	const free, soon, later = "'1970-01-01 00:00:00'", "UTC_TIMESTAMP(6) + INTERVAL 10 SECOND", "UTC_TIMESTAMP(6) + INTERVAL 20 SECOND"
	at(f.direct("b-1", bosley), "30", soon)
	at(f.direct("b-2", bosley), "20", free)
	at(f.direct("b-3", bosley), "10", later)
	at(f.direct("p-1", pfizer), "20", free)
	at(f.direct("p-2", pfizer), "10", soon)
	f.rollUp()
	for _, id := range []int64{0, bosley} {
		r, err := f.Stats(t.Context(), id, time.Now().Add(-time.Hour), time.Now())
		require.NoError(t, err)
		require.WithinDuration(t, time.Now().Add(-30*time.Minute), r.Storefronts[0].OldestPending, time.Minute)
	}
	all := f.stats()
	require.WithinDuration(t, time.Now().Add(-20*time.Minute), all["pfizer"].OldestPending, time.Minute)
	require.True(t, all["none"].OldestPending.IsZero())
	require.Positive(t, none)
}

func TestASearchMatchesPercentSignsAndUnderscoresLiterally(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	codes := func(search string) []string {
		list, err := f.Platforms().List(t.Context(), ops.ListQuery{Sort: "code", Search: search, Limit: 200})
		require.NoError(t, err)
		var codes []string
		for _, p := range list.Items {
			codes = append(codes, p.Value.Code)
		}
		return codes
	}
	require.Contains(t, codes("meta_capi"), "meta_capi")
	require.Contains(t, codes("META_CAPI"), "meta_capi")
	require.Contains(t, codes("eta_c"), "meta_capi")
	require.NotContains(t, codes("meta_"), "metaxcapi")
	require.Empty(t, codes("m%capi"))
	require.Empty(t, codes("metaXcapi"))
	require.Empty(t, codes(`meta\_capi`))
	require.Empty(t, codes(`\`))
	f.storefront(`a%b`)
	f.exec(`UPDATE storefronts SET name = 'one\\two' WHERE storefront_id = 'a%b'`)
	for search, n := range map[string]int{"a%b": 1, `e\t`: 1, `%`: 1, "_": 0} {
		list, err := f.Storefronts().List(t.Context(), ops.ListQuery{Sort: "id", Search: search, Limit: 10})
		require.NoError(t, err)
		require.Len(t, list.Items, n, search)
	}
}
