package api_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/internal/ops"
)

func TestTheSystemShowsItsPartsAndNoSecret(t *testing.T) {
	t.Parallel()
	const system = "/admin/v1/system"
	o := newOpsTest(t)
	_, err := o.store.WorkerAlive(t.Context(), "worker-1")
	require.NoError(t, err)
	_, err = o.store.RollUp(t.Context(), time.Minute)
	require.NoError(t, err)
	away := o.as(rita).call(http.MethodGet, system, "")
	require.Equal(t, http.StatusOK, away.status, away.text)
	require.Equal(t, false, away.body["temporal"].(map[string]any)["reached"])
	require.Equal(t, []any{}, away.body["schedules"])

	o.temporal = ops.TemporalReport{Reached: true, Pollers: []ops.Poller{{TaskQueue: "relay", Kind: "workflow", Identity: "1@host", SeenAt: time.Now()}},
		Schedules: []ops.Schedule{{ID: "reconcile", NextRun: time.Now()}, {ID: "purge-events", Paused: true}}}
	r := o.call(http.MethodGet, system, "")
	require.Equal(t, []any{"v1", "serve"}, []any{r.body["version"], r.body["role"]})
	require.Equal(t, "ok", r.body["checks"].(map[string]any)["database"])
	require.Equal(t, "worker-1", r.body["workers"].([]any)[0].(map[string]any)["id"])
	require.Contains(t, r.body, "counted_at")
	require.Len(t, r.body["schedules"], 2)
	require.Len(t, r.body["temporal"].(map[string]any)["pollers"], 1)
	secret := r.body["settings"].([]any)[1].(map[string]any)
	require.Equal(t, map[string]any{"name": "DATABASE_URL", "secret": true, "is_set": true}, secret)
}
