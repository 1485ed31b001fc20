package db_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"relay/internal/relay"
)

// The two statements of the brief, verbatim.
const (
	insertByID = `INSERT INTO marketing_events (
    event_id,
    storefront_id,      -- Integer FK (same as OMS storefronts.id)
    event_type,
    event_payload,
    source_system,
    status
) VALUES (
    '2025020100003333',
    5,                  -- Integer storefront ID
    'purchase_completed',
    '{"order_id": "2025020100003333", "order_revenue": 80.79, "utm_source": "google"}',
    'oms_direct',
    'pending'
);`
	insertByCode = `INSERT INTO marketing_events (
    event_id,
    storefront_code,    -- String code, worker resolves to storefront_id
    event_type,
    event_payload,
    source_system,
    status
) VALUES (
    '2025020100003333',
    'bosley',           -- String storefront code
    'purchase_completed',
    '{"order_id": "2025020100003333", "order_revenue": 80.79, "utm_source": "google"}',
    'oms_direct',
    'pending'
);`
)

func TestBriefsInsertsWorkFromAnyTimeZone(t *testing.T) {
	t.Parallel()
	for name, statement := range map[string]string{"by id": insertByID, "by code": insertByCode} {
		for _, zone := range []string{"+05:00", "-08:00"} {
			t.Run(name+" at "+zone, func(t *testing.T) {
				t.Parallel()
				f := migrated(t)
				_, err := f.CreateStorefront(t.Context(), relay.Storefront{ID: 5, Code: "bosley", Active: true})
				require.NoError(t, err)
				session := open(t, f.dsn+"?time_zone="+url.QueryEscape("'"+zone+"'"))
				before := time.Now().Add(-time.Minute)
				_, err = session.ExecContext(t.Context(), statement)
				require.NoError(t, err)

				starts := f.claim(aPage)
				require.Equal(t, []relay.PendingDelivery{{ID: starts[0].ID, EventID: "2025020100003333", Type: "purchase_completed",
					StorefrontCode: "bosley", Source: "oms_direct"}}, starts)
				f.taken(starts[0].ID, "run")
				d, err := f.Delivery(t.Context(), starts[0].ID, "run", relay.SGTM)
				require.NoError(t, err)
				require.True(t, d.Owned)
				require.Equal(t, "80.79", d.Event.Payload.Number("order_revenue").String())
				require.WithinRange(t, d.Event.CreatedAt, before, time.Now().Add(time.Minute), "created_at is UTC")
				require.EqualValues(t, 5, d.Event.Storefront.ID)
			})
		}
	}
}

func TestDirectRowsAreRefusedByTheDatabase(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	insert := func(values string) uint16 {
		_, err := f.raw.ExecContext(t.Context(), `INSERT INTO marketing_events
			(event_id, storefront_id, storefront_code, event_type, event_payload, source_system, status) VALUES `+values)
		var my *mysql.MySQLError
		require.ErrorAs(t, err, &my)
		return my.Number
	}
	t.Run("without storefront id and code", func(t *testing.T) {
		require.Contains(t, []uint16{3819, 4025}, insert(`('1', NULL, NULL, 'x', '{}', 'oms_direct', 'pending')`))
	})
	t.Run("with a status that does not exist", func(t *testing.T) {
		require.Contains(t, []uint16{3819, 4025}, insert(`('1', 5, NULL, 'x', '{}', 'oms_direct', 'sent')`))
	})
	t.Run("with an event that exists", func(t *testing.T) {
		f.exec(insertByID)
		require.EqualValues(t, 1062, insert(`('2025020100003333', NULL, 'bosley', 'purchase_completed', '{}', 'oms_direct', 'pending')`))
	})
	t.Run("not with another type of the same order", func(t *testing.T) {
		f.exec(strings.ReplaceAll(insertByID, "purchase_completed", "rx_issued"))
		require.Equal(t, 2, f.count("SELECT COUNT(*) FROM marketing_events"))
	})
}

func TestInsertedEventsComeBackWithTheirIDs(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	first := f.insert(newEvents(0, 5, bosley, "bosley"))
	for n, s := range first {
		require.Equal(t, relay.Inserted, s.Verdict)
		require.Equal(t, newEvent(n, 0, "").EventID, f.text("SELECT event_id FROM marketing_events WHERE id = ?", s.ID))
	}
	require.Len(t, f.claim(aPage), 5)
	require.Empty(t, f.claim(aPage))
}
