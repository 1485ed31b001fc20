package db_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/internal/relay"
)

func TestTheBacklogIsCountedByStorefrontAndDestination(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley, pfizer := f.storefront("bosley"), f.storefront("pfizer")
	f.storefront("idle")
	f.exec("UPDATE marketing_events SET created_at = UTC_TIMESTAMP(6) - INTERVAL 30 MINUTE WHERE id = ?", f.direct("p-1", bosley))
	f.direct("p-2", bosley)
	f.direct("gone", 4711)
	f.exec("INSERT INTO marketing_events (event_id, order_id, event_type, storefront_code, event_payload, source_system, status) VALUES ('u', 'u', 'x', 'nowhere', '{}', 'oms_direct', 'pending')")
	attempt := func(id int64, destination string, outcome relay.Outcome) {
		require.NoError(t, f.RecordSending(t.Context(), relay.Attempt{AttemptID: fmt.Sprint(id, destination, outcome), EventID: id, Destination: destination,
			Number: 1, Result: relay.Result{Outcome: outcome}}))
	}
	for n, storefront := range []int64{bosley, bosley, pfizer} {
		id := f.direct(fmt.Sprint("r-", n), storefront)
		f.taken(id, "r")
		attempt(id, "tiktok", relay.Retry)
		attempt(id, "ga4", relay.Retry)
		attempt(id, "ga4", relay.Accepted)
		require.NoError(t, f.Wait(t.Context(), id, relay.Waiting{For: relay.WaitsForRetry, After: time.Duration(n+1) * time.Minute}))
	}
	limited := f.direct("l-1", pfizer)
	f.taken(limited, "r")
	attempt(limited, "tiktok", relay.Retry)
	require.NoError(t, f.Wait(t.Context(), limited, relay.Waiting{For: relay.WaitsForLimit, After: time.Minute}))

	r, err := f.Backlog(t.Context())
	require.NoError(t, err)
	require.False(t, r.More)
	require.Len(t, r.Storefronts, 2, "those that have any")
	require.Equal(t, []any{"bosley", int64(2), int64(2)}, []any{r.Storefronts[0].StorefrontCode, r.Storefronts[0].Pending, r.Storefronts[0].Processing})
	require.WithinDuration(t, r.At.Add(-30*time.Minute), r.Storefronts[0].Oldest, time.Minute)
	require.Equal(t, []any{"pfizer", int64(0), int64(2)}, []any{r.Storefronts[1].StorefrontCode, r.Storefronts[1].Pending, r.Storefronts[1].Processing})
	require.True(t, r.Storefronts[1].Oldest.IsZero())
	require.Equal(t, []any{int64(2), int64(0)}, []any{r.Unknown.Pending, r.Unknown.Processing})
	require.Len(t, r.Retries, 2)
	require.Equal(t, []any{"bosley", "tiktok", int64(2)}, []any{r.Retries[0].StorefrontCode, r.Retries[0].Destination, r.Retries[0].Events})
	require.WithinDuration(t, r.At.Add(time.Minute), r.Retries[0].Next, 20*time.Second)
	require.Equal(t, []any{"pfizer", "tiktok", int64(1)}, []any{r.Retries[1].StorefrontCode, r.Retries[1].Destination, r.Retries[1].Events})
}

func TestTheBacklogTakesAsManyStatementsForManyStorefronts(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	store, count := f.selects()
	read := func() int64 {
		return count(func() {
			_, err := store.Backlog(t.Context())
			require.NoError(t, err)
		})
	}
	add := func(from, to int) {
		for n := from; n < to; n++ {
			f.direct(fmt.Sprint("d-", n), f.storefront(fmt.Sprintf("shop%03d", n)))
		}
	}
	add(0, 3)
	few := read()
	add(3, 300)
	require.Equal(t, few, read())
	require.LessOrEqual(t, few, int64(6))
	r, err := store.Backlog(t.Context())
	require.NoError(t, err)
	require.Len(t, r.Storefronts, 300)
}
