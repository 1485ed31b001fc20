package api_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/internal/relay"
)

func TestReplaysAreListedByStateAndChangeTheirRate(t *testing.T) {
	t.Parallel()
	const replays = "/admin/v1/replays"
	o := newOpsTest(t)
	event := o.ended(o.bosley, "o-1", relay.StatusFailed, relay.ReasonExhausted)
	o.must(http.MethodPost, replays, `{"filter":{"storefront":"bosley"}}`)
	o.must(http.MethodPost, replays, `{"filter":{}}`)
	o.must(http.MethodPost, replays+"/2/pause", "")
	ids := func(query string) []float64 {
		list := []float64{}
		for _, item := range o.as(rita).call(http.MethodGet, replays+query, "").items(t) {
			list = append(list, item["id"].(float64))
		}
		return list
	}
	require.Equal(t, []float64{2, 1}, ids(""))
	require.Equal(t, []float64{1}, ids("?state=running"))
	require.Equal(t, []float64{2, 1}, ids("?state=running,paused"))
	require.Empty(t, ids("?state=done"))
	first := o.call(http.MethodGet, replays+"?limit=1&state=running,paused", "")
	require.Equal(t, []float64{1}, ids("?limit=1&state=running,paused&cursor="+first.body["next_cursor"].(string)))
	one := o.call(http.MethodGet, replays+"/1", "")
	require.Equal(t, "bosley", one.body["filter"].(map[string]any)["storefront"])

	r := o.must(http.MethodPatch, replays+"/1", `{"rate":50}`)
	require.InDelta(t, 50, r.body["rate"], 0)
	require.Contains(t, o.runner.woken, int64(1))
	lines := o.call(http.MethodGet, "/admin/v1/audit?action=rate", "").items(t)
	require.Len(t, lines, 1)
	o.must(http.MethodPatch, replays+"/1", `{"rate":50}`)
	require.Len(t, o.call(http.MethodGet, "/admin/v1/audit?action=rate", "").items(t), 1, "nothing changed")
	for body, status := range map[string]int{`{"rate":0}`: 422, `{"rate":1001}`: 422, `{}`: 422, `{"rate":5,"state":"paused"}`: 422} {
		require.Equal(t, status, o.call(http.MethodPatch, replays+"/1", body).status, body)
	}
	require.Equal(t, http.StatusForbidden, o.as(rita).call(http.MethodPatch, replays+"/1", `{"rate":5}`).status)
	require.Equal(t, http.StatusNotFound, o.call(http.MethodPatch, replays+"/9", `{"rate":5}`).status)

	require.Empty(t, o.call(http.MethodGet, replays+"/1/events", "").items(t))
	_, err := o.store.StepReplay(t.Context(), 1, 10)
	require.NoError(t, err)
	items := o.call(http.MethodGet, replays+"/1/events", "").items(t)
	require.Len(t, items, 1)
	require.InDelta(t, event, items[0]["id"], 0)
	require.Equal(t, http.StatusNotFound, o.call(http.MethodGet, replays+"/9/events", "").status)

	o.must(http.MethodPost, replays+"/1/cancel", "")
	r = o.call(http.MethodPatch, replays+"/1", `{"rate":60}`)
	require.Equal(t, http.StatusConflict, r.status)
	require.Equal(t, "replay_ended", r.body["code"])
}

func TestErasuresAreListedWithoutWhatTheyLookFor(t *testing.T) {
	t.Parallel()
	const erasures = "/admin/v1/erasures"
	o := newOpsTest(t)
	o.runner.down = true
	for _, order := range []string{"secret-1", "secret-2", "secret-3"} {
		require.Equal(t, http.StatusCreated, o.call(http.MethodPost, erasures, `{"order_id":"`+order+`"}`).status)
	}
	r := o.as(rita).call(http.MethodGet, erasures+"?limit=2", "")
	require.Len(t, r.items(t), 2)
	require.NotContains(t, r.text, "secret-")
	require.InDelta(t, 3, r.items(t)[0]["id"], 0)
	require.Contains(t, r.items(t)[0]["subject_hash"], "erased:")
	next := o.call(http.MethodGet, erasures+"?limit=2&cursor="+r.body["next_cursor"].(string), "")
	require.Len(t, next.items(t), 1)
	require.NotContains(t, next.body, "next_cursor")
	require.Len(t, o.call(http.MethodGet, erasures+"?state=running", "").items(t), 3)
	require.Empty(t, o.call(http.MethodGet, erasures+"?state=done", "").items(t))
	for _, query := range []string{"?state=paused", "?limit=0", "?cursor=x", "?order_id=o-1"} {
		require.Equal(t, http.StatusUnprocessableEntity, o.call(http.MethodGet, erasures+query, "").status, query)
	}
}
