package api_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/internal/ops"
	"relay/internal/relay"
)

const destinations = "/admin/v1/destinations"

func (r reply) names(t testing.TB) []string {
	t.Helper()
	list := []string{}
	for _, d := range r.items(t) {
		list = append(list, fmt.Sprint(d["storefront_code"], "/", d["destination"]))
	}
	return list
}

func TestDestinationsReportTheirStateAndItsReason(t *testing.T) {
	t.Parallel()
	o := newOpsTest(t)
	container, credential := o.configured()
	o.must(http.MethodPost, fmt.Sprintf("/admin/v1/sgtm-configs/%d/deactivate", container), "")
	o.must(http.MethodPatch, fmt.Sprintf("/admin/v1/credentials/%d", credential), `{"options":{"limits":{"in_flight":3}}}`)
	o.unhealthy("vendor")
	o.ended(o.bosley, "b-1", relay.StatusFailed, relay.ReasonUnhealthy, relay.DeliveryResult{Destination: "vendor", Reason: relay.ReasonUnhealthy})

	accepted := time.Date(2026, 1, 15, 10, 24, 58, 0, time.UTC)
	require.NoError(t, o.store.NoteAttempts(t.Context(), map[ops.AttemptPlace]ops.LastAttempts{
		{Storefront: "bosley", Destination: "vendor"}: {Attempt: accepted.Add(time.Minute), Accepted: accepted}}))

	r := o.as(rita).call(http.MethodGet, destinations, "")
	require.Equal(t, http.StatusOK, r.status, r.text)
	require.Equal(t, []string{"bosley/other", "bosley/sgtm", "bosley/vendor"}, r.names(t))
	vendor, sgtm := r.items(t)[2], r.items(t)[1]
	health := vendor["health"].(map[string]any)
	require.Equal(t, "unhealthy", health["state"])
	require.Equal(t, "unauthorized", health["reason"])
	require.InDelta(t, 401, health["last_status"], 0)
	for _, at := range []string{"failing_since", "unhealthy_since", "next_probe_at", "last_failure_at"} {
		require.Contains(t, health, at)
	}
	require.Equal(t, "2026-01-15T10:24:58Z", health["last_accepted_at"])
	require.Equal(t, "2026-01-15T10:25:58Z", health["last_attempt_at"])
	require.NotContains(t, sgtm["health"], "last_accepted_at")
	one := o.call(http.MethodGet, destinations+"/bosley/vendor", "").body
	require.Contains(t, one, "history")
	delete(one, "history")
	require.Equal(t, vendor, one, "the rest is as in the list")
	for place, status := range map[string]int{"/bosley/tiktok": http.StatusNotFound, "/nobody/sgtm": http.StatusNotFound, "/bosley/%22": http.StatusUnprocessableEntity} {
		require.Equal(t, status, o.call(http.MethodGet, destinations+place, "").status, place)
	}
	require.Equal(t, true, vendor["receives_events"])
	require.NotContains(t, vendor, "reason")
	require.InDelta(t, 1, vendor["failed"], 0)
	require.Equal(t, map[string]any{"in_flight": 3.0}, vendor["limits"])
	require.Len(t, vendor["switches"], 4)
	require.Equal(t, false, sgtm["receives_events"])
	require.Equal(t, "sgtm_disabled", sgtm["reason"])
	off := sgtm["switches"].([]any)[1].(map[string]any)
	require.Equal(t, []any{"sgtm", false, "anna"}, []any{off["level"], off["is_active"], off["switched_by"]})
	require.Contains(t, off, "switched_at")
	require.InDelta(t, container, off["id"], 0)
	require.Equal(t, "direct", off["fallback"])

	t.Run("by health, destination and storefront, page by page", func(t *testing.T) {
		for query, want := range map[string][]string{
			"?health=unhealthy":  {"bosley/vendor"},
			"?destination=sgtm":  {"bosley/sgtm"},
			"?storefront=pfizer": {},
			"?limit=2":           {"bosley/other", "bosley/sgtm"},
			"?state=ill":         {"bosley/vendor"},
			"?state=off":         {"bosley/sgtm"},
			"?state=quiet":       {"bosley/other", "bosley/vendor"},
			"?storefronts=1":     {"bosley/other", "bosley/sgtm", "bosley/vendor"},
		} {
			require.Equal(t, want, o.call(http.MethodGet, destinations+query, "").names(t), query)
		}
		first := o.call(http.MethodGet, destinations+"?limit=2", "")
		next := o.call(http.MethodGet, destinations+"?limit=2&cursor="+first.body["next_cursor"].(string), "")
		require.Equal(t, []string{"bosley/vendor"}, next.names(t))
		require.NotContains(t, next.body, "next_cursor")
	})

	t.Run("a bad question is refused", func(t *testing.T) {
		for _, query := range []string{"?health=ill", "?limit=0", "?limit=101", "?limit=2&storefronts=2", "?storefronts=0", "?state=sick", "?cursor=x", "?storefront=nobody", "?destination=%22", "?color=red"} {
			require.Equal(t, http.StatusUnprocessableEntity, o.call(http.MethodGet, destinations+query, "").status, query)
		}
	})
}

func TestADestinationIsReadWithItsHistory(t *testing.T) {
	t.Parallel()
	o := newOpsTest(t)
	container, credential := o.configured()
	for _, path := range []string{fmt.Sprintf("sgtm-configs/%d/deactivate", container), fmt.Sprintf("credentials/%d/deactivate", credential), fmt.Sprintf("credentials/%d/activate", credential)} {
		o.must(http.MethodPost, "/admin/v1/"+path, "")
	}
	o.must(http.MethodPatch, fmt.Sprintf("/admin/v1/sgtm-configs/%d", container), `{"options":{"send_ip":true}}`)
	o.must(http.MethodPatch, fmt.Sprintf("/admin/v1/storefronts/%d", o.bosley), `{"name":"Bosley Hair"}`)
	o.must(http.MethodPost, fmt.Sprintf("/admin/v1/storefronts/%d/deactivate", o.bosley), "")
	o.must(http.MethodPost, fmt.Sprintf("/admin/v1/storefronts/%d/activate", o.bosley), "")
	o.unhealthy("vendor")
	o.must(http.MethodPost, destinations+"/bosley/vendor/probe", "")

	did := func(place string) []string {
		t.Helper()
		r := o.as(rita).call(http.MethodGet, destinations+"/"+place, "")
		require.Equal(t, http.StatusOK, r.status, r.text)
		list := []string{}
		for _, line := range r.body["history"].([]any) {
			list = append(list, fmt.Sprint(line.(map[string]any)["action"], " ", line.(map[string]any)["entity"]))
		}
		return list
	}
	require.Equal(t, []string{"probe destinations", "activate storefronts", "deactivate storefronts", "activate credentials", "deactivate credentials", "deactivate sgtm-configs",
		"create credentials", "create platforms", "create sgtm-configs", "create storefronts"}, did("bosley/vendor"), "of what more destinations have, its switches alone")
	require.Equal(t, []string{"activate storefronts", "deactivate storefronts", "patch sgtm-configs", "deactivate sgtm-configs", "create sgtm-configs", "create storefronts"}, did("bosley/sgtm"))
	require.Equal(t, "unhealthy", o.call(http.MethodGet, destinations+"/bosley/vendor", "").body["health"].(map[string]any)["state"])
	for range 6 {
		o.must(http.MethodPost, fmt.Sprintf("/admin/v1/credentials/%d/deactivate", credential), "")
		o.must(http.MethodPost, fmt.Sprintf("/admin/v1/credentials/%d/activate", credential), "")
	}
	require.Len(t, did("bosley/vendor"), 10)
	for _, place := range []string{"nobody/sgtm", "Bosley/sgtm", "bosley%20/sgtm", "pfizer/sgtm", "bosley/tiktok"} {
		require.Equal(t, http.StatusNotFound, o.call(http.MethodGet, destinations+"/"+place, "").status, place)
	}
}

func TestAProbeIsStartedByHand(t *testing.T) {
	t.Parallel()
	o := newOpsTest(t)
	container, _ := o.configured()
	probe := func(place string) reply { return o.call(http.MethodPost, destinations+"/"+place+"/probe", "") }
	lines := func() int { return len(o.call(http.MethodGet, "/admin/v1/audit?action=probe", "").items(t)) }

	require.Equal(t, http.StatusForbidden, o.as(rita).call(http.MethodPost, destinations+"/bosley/sgtm/probe", "").status)
	for _, place := range []string{"nobody/sgtm", "pfizer/sgtm", "bosley/tiktok"} {
		require.Equal(t, http.StatusNotFound, probe(place).status, place)
	}
	require.Equal(t, "not_needed", probe("bosley/sgtm").body["probe"])
	r := probe("bosley/vendor")
	require.Equal(t, http.StatusConflict, r.status, "it is behind the container: %s", r.text)
	require.Equal(t, "destination_off", r.body["code"])

	o.unhealthy(relay.SGTM)
	require.False(t, o.mayAttempt(relay.SGTM))
	require.Equal(t, "next_event", probe("bosley/sgtm").body["probe"])
	require.True(t, o.mayAttempt(relay.SGTM), "the next event is the probe")

	id := o.ended(o.bosley, "b-1", relay.StatusFailed, relay.ReasonUnhealthy, relay.DeliveryResult{Destination: relay.SGTM, Reason: relay.ReasonUnhealthy})
	r = probe("bosley/sgtm")
	require.Equal(t, "started", r.body["probe"], r.text)
	require.InDelta(t, id, r.body["event_id"], 0)
	event := o.call(http.MethodGet, fmt.Sprintf("/admin/v1/events/%d", id), "")
	require.Equal(t, "pending", event.body["status"])
	require.Equal(t, 2, lines(), "what did nothing is no line")
	line := o.call(http.MethodGet, "/admin/v1/audit?action=probe", "").items(t)[0]
	require.Equal(t, "bosley/sgtm", line["name"])
	require.Equal(t, "anna", line["actor"])

	o.must(http.MethodPost, fmt.Sprintf("/admin/v1/sgtm-configs/%d/deactivate", container), "")
	require.Equal(t, http.StatusConflict, probe("bosley/sgtm").status, "its events would be skipped")
}
