package db_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/db"
)

func TestEveryStorefrontBelongsToOnePoller(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	const shards = 3
	for i := range 12 {
		f.direct(fmt.Sprintf("order-%d", i), f.storefront(fmt.Sprintf("store-%d", i)))
	}
	f.exec(`INSERT INTO marketing_events (event_id, storefront_code, event_type, event_payload, source_system, status)
		VALUES ('2', 'store-0', 'purchase_completed', '{}', 'oms_direct', 'pending')`)
	claimed, most := map[int64]bool{}, 0
	for shard := range shards {
		rows, err := f.Claim(t.Context(), db.ClaimOptions{Page: 10, Lease: time.Minute, Shard: shard, Shards: shards})
		require.NoError(t, err)
		for _, r := range rows {
			require.False(t, claimed[r.ID])
			claimed[r.ID] = true
		}
		most = max(most, len(rows))
	}
	require.Len(t, claimed, 13)
	require.Less(t, most, 10, "none has nearly all of them")
}
