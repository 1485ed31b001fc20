package db_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"relay/internal/relay"
)

func TestCancelEndsARowBeforeAndAfterItsRunTakesIt(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	waiting, taken, others, ended := f.direct("1", bosley), f.direct("2", bosley), f.direct("3", bosley), f.direct("4", bosley)
	f.taken(taken, "run")
	f.taken(others, "another run")
	f.taken(ended, "run")
	require.NoError(t, f.Finish(t.Context(), ended, "run", relay.EventOutcome{Status: relay.StatusDelivered}))

	c := relay.EventOutcome{Status: relay.StatusFailed, Reason: relay.ReasonCancelled, Detail: relay.ReasonCancelled.Text()}
	for id, want := range map[int64]string{waiting: "failed cancelled", taken: "failed cancelled", others: "processing -", ended: "delivered -"} {
		require.NoError(t, f.Cancel(t.Context(), id, "run", c))
		require.Equal(t, want, f.text("SELECT CONCAT(status, ' ', COALESCE(reason, '-')) FROM marketing_events WHERE id = ?", id))
	}
	for _, id := range []int64{waiting, taken} {
		again, err := f.Take(t.Context(), id, "run")
		require.NoError(t, err)
		require.True(t, again, "a reset of the run begins a new generation")
		require.Equal(t, 1, f.count("SELECT generation FROM marketing_events WHERE id = ?", id))
	}
}
