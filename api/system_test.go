package api_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/internal/ops"
	"relay/internal/relay"
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
	require.Equal(t, map[string]any{"configured": false, "unsent": 0.0}, away.body["notices"])

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

func TestATestNoticeReportsItsResult(t *testing.T) {
	t.Parallel()
	const path = "/admin/v1/system/test-notice"
	o := newOpsTest(t)
	require.Equal(t, map[string]any{"ok": false, "message": "NOTIFY_URL is not set for this process"}, o.call(http.MethodPost, path, "").body)
	require.Equal(t, http.StatusForbidden, o.as(rita).call(http.MethodPost, path, "").status)
	result := relay.Result{Outcome: relay.Accepted, Status: 200}
	o.system.TestNotice = func(context.Context) relay.Result { return result }
	require.Equal(t, true, o.call(http.MethodPost, path, "").body["ok"])
	result = relay.Result{Outcome: relay.Rejected, Reason: relay.ReasonNotFound, Status: 404}
	require.Equal(t, map[string]any{"ok": false, "message": "the notice was not accepted: " + relay.ReasonNotFound.Text(), "reason": "not_found", "status": 404.0},
		o.call(http.MethodPost, path, "").body)
}

func TestATestNoticeIsInTheAudit(t *testing.T) {
	t.Parallel()
	const path, audit = "/admin/v1/system/test-notice", "/admin/v1/audit?entity=notices"
	o := newOpsTest(t)
	o.call(http.MethodPost, path, "")
	require.Empty(t, o.call(http.MethodGet, audit, "").body["items"], "nothing was sent")
	sent := 0
	o.system.TestNotice = func(context.Context) relay.Result { sent++; return relay.Result{Outcome: relay.Accepted, Status: 200} }
	require.Equal(t, http.StatusUnprocessableEntity, o.call(http.MethodPost, path, "", "Relay-Note", strings.Repeat("x", 501)).status)
	require.Zero(t, sent)
	require.Equal(t, true, o.call(http.MethodPost, path, "", "Relay-Note", "ticket 7").body["ok"])
	lines := o.call(http.MethodGet, audit, "").body["items"].([]any)
	require.Len(t, lines, 1)
	line := lines[0].(map[string]any)
	require.Equal(t, []any{"anna", "test", "ticket 7"}, []any{line["actor"], line["action"], line["note"]})
}

func TestServiceLevelsAreSharesOfDeliveries(t *testing.T) {
	t.Parallel()
	const path = "/admin/v1/service-levels"
	o := newOpsTest(t)
	windows := func() map[string]map[string]any {
		r := o.as(rita).call(http.MethodGet, path, "")
		require.Equal(t, http.StatusOK, r.status, r.text)
		require.Equal(t, []any{0.99, 60.0}, []any{r.body["objective"], r.body["fresh_within_seconds"]})
		by := map[string]map[string]any{}
		for _, w := range r.body["windows"].([]any) {
			by[w.(map[string]any)["window"].(string)] = w.(map[string]any)
		}
		return by
	}
	require.NotContains(t, windows()["30d"], "success", "nothing ended")
	now := time.Now().UTC().Truncate(ops.ServiceStep)
	for range 2 { // two workers
		require.NoError(t, o.store.AddServiceCounts(t.Context(), map[time.Time]ops.ServiceCounts{
			now:                           {Delivered: 3, Failed: 1, Fresh: 2},
			now.Add(-2 * time.Hour):       {Delivered: 5, Late: 2},
			now.Add(-20 * 24 * time.Hour): {Failed: 8},
			now.Add(-40 * 24 * time.Hour): {Failed: 100},
		}))
	}
	w := windows()
	require.Equal(t, []any{6.0, 2.0, 0.75, 1.0}, []any{w["1h"]["delivered"], w["1h"]["failed"], w["1h"]["success"], w["1h"]["freshness"]})
	require.Equal(t, []any{16.0, 2.0, 4.0, 4.0, 0.5}, []any{w["24h"]["delivered"], w["24h"]["failed"], w["24h"]["fresh"], w["24h"]["late"], w["24h"]["freshness"]})
	require.Equal(t, []any{18.0, 0.47058823529411764}, []any{w["30d"]["failed"], w["30d"]["success"]})
	_, err := o.store.PurgeAttemptStats(t.Context(), 100)
	require.NoError(t, err)
	c, err := o.store.ServiceCounts(t.Context(), now.Add(-100*24*time.Hour))
	require.NoError(t, err)
	require.Equal(t, int64(18), c[0].Failed, "older counts are deleted")
}
