package db_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/internal/relay"
)

func TestOneRunTakesARow(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	id := f.direct("1", f.storefront("bosley"))
	f.taken(id, "first")
	f.taken(id, "first") // an activity that runs twice
	ok, err := f.Take(t.Context(), id, "second")
	require.NoError(t, err)
	require.False(t, ok)
	ok, err = f.Take(t.Context(), id+1, "first")
	require.NoError(t, err)
	require.False(t, ok, "a row that is gone")
	require.Zero(t, f.count("SELECT generation FROM marketing_events WHERE id = ?", id))
	require.Empty(t, f.claim(aPage), "a taken row is not pending")
}

func TestFinishWritesTheOutcomeOnce(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	id := f.direct("1", f.storefront("bosley"))
	c := relay.EventOutcome{Status: relay.StatusFailed, Reason: relay.ReasonExhausted, Detail: "sgtm: no attempts left",
		Ends: []relay.DeliveryResult{{Destination: "sgtm", Outcome: relay.Exhausted, Reason: relay.ReasonExhausted, Status: 503}}}
	require.NoError(t, f.Finish(t.Context(), id, "run", c))
	status, _ := f.status(id)
	require.Equal(t, relay.StatusPending, status, "no run has taken it")

	f.taken(id, "run")
	require.NoError(t, f.Finish(t.Context(), id, "another", c))
	status, _ = f.status(id)
	require.Equal(t, relay.StatusProcessing, status, "it is another run's")

	require.NoError(t, f.Finish(t.Context(), id, "run", c))
	row := "SELECT CONCAT_WS('|', status, reason, detail, ends, finished_at) FROM marketing_events WHERE id = ?"
	first := f.text(row, id)
	require.Contains(t, first, `failed|exhausted|sgtm: no attempts left|[{"destination":"sgtm","outcome":"exhausted","reason":"exhausted","status":503}]|20`)

	require.NoError(t, f.Finish(t.Context(), id, "run", relay.EventOutcome{Status: relay.StatusDelivered}))
	require.Equal(t, first, f.text(row, id), "the first end stays")
}

func TestLongDetailIsCutAtACharacter(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	id := f.direct("1", f.storefront("bosley"))
	f.taken(id, "run")
	require.NoError(t, f.Finish(t.Context(), id, "run", relay.EventOutcome{Status: relay.StatusFailed, Detail: strings.Repeat("é", 40000)}))
	require.Equal(t, 65534, f.count("SELECT LENGTH(detail) FROM marketing_events WHERE id = ?", id))
}

func TestResetRunTakesItsFinishedRowBackAsANewGeneration(t *testing.T) {
	t.Parallel()
	for _, status := range []relay.Status{relay.StatusDelivered, relay.StatusFailed, relay.StatusSkipped} {
		t.Run(string(status), func(t *testing.T) {
			t.Parallel()
			f := migrated(t)
			id := f.direct("1", f.storefront("bosley"))
			f.taken(id, "run")
			require.NoError(t, f.Finish(t.Context(), id, "run", relay.EventOutcome{Status: status, Reason: "reason", Detail: "detail", Ends: []relay.DeliveryResult{{}}}))
			ok, err := f.Take(t.Context(), id, "another")
			require.NoError(t, err)
			require.False(t, ok)

			f.taken(id, "run")
			require.Equal(t, "processing|1|run", f.text(`SELECT CONCAT_WS('|', status, generation, run_id, reason, detail, ends, finished_at)
				FROM marketing_events WHERE id = ?`, id))
			f.taken(id, "run")
			require.Equal(t, 1, f.count("SELECT generation FROM marketing_events WHERE id = ?", id), "once for each reset")
		})
	}
}

func TestARetriedRowBelongsToItsNewRunOnly(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	id := f.direct("1", f.storefront("bosley"))
	f.taken(id, "old")
	require.NoError(t, f.Finish(t.Context(), id, "old", relay.EventOutcome{Status: relay.StatusFailed}))
	f.exec("UPDATE marketing_events SET status = 'pending', generation = generation + 1, claimed_until = DEFAULT WHERE id = ?", id)
	require.Equal(t, []int64{id}, ids(f.claim(aPage)))
	f.taken(id, "new")
	ok, err := f.Take(t.Context(), id, "old")
	require.NoError(t, err)
	require.False(t, ok)
	require.Equal(t, 1, f.count("SELECT generation FROM marketing_events WHERE id = ?", id))
}
