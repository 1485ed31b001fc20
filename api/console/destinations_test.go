package console_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func destinationOf(storefront, key, health string) object {
	d := object{"storefront_id": 5, "storefront_code": storefront, "destination": key, "receives_events": true, "switches": list{
		object{"level": "storefront", "id": 5, "is_active": true}, object{"level": "platform", "id": 3, "is_active": true},
		object{"level": "credential", "id": 7, "is_active": true, "switched_by": "rita", "switched_at": "2026-01-14T10:00:00Z"}},
		"health": object{"state": health, "failures": 0}, "waiting": 0, "failed": 0, "limits": object{}}
	if health != "healthy" {
		d["health"] = object{"state": health, "reason": "server_error", "last_status": 503, "failures": 240, "failing_since": "2026-01-15T22:00:00Z",
			"last_failure_at": "2026-01-15T22:10:00Z", "last_accepted_at": "2026-01-15T21:59:00Z", "next_probe_at": "2026-01-15T23:10:00Z", "probes": 3, "last_probe_at": "2026-01-15T22:20:00Z"}
		d["waiting"], d["failed"] = 12, 40
	}
	return d
}

func destinationSite(items ...any) *site {
	s := newSite()
	s.on("GET /admin/v1/destinations", object{"items": items})
	for _, d := range items {
		d := d.(object)
		s.on(fmt.Sprintf("GET /admin/v1/destinations/%v/%v", d["storefront_code"], d["destination"]), d)
	}
	s.on("GET /admin/v1/replays", object{"items": list{object{"id": 9, "state": "running", "remaining": 30,
		"filter": object{"storefront_id": 5, "failed_at": "tiktok", "reasons": list{"exhausted"}}}}})
	s.on("GET /admin/v1/stats/series", object{"times": list{"2026-01-15T22:00:00Z", "2026-01-15T23:00:00Z"}, "series": list{
		object{"key": "delivered", "values": list{12, 0}}, object{"key": "failed", "values": list{1, 47}}}})
	s.on("GET /admin/v1/attempts/stats", object{"total": object{"n": 1200, "failed": 24, "error_rate": 0.02, "p50_ms": 80, "p95_ms": 310, "p99_ms": 900,
		"statuses": list{object{"status": 200, "n": 1176}, object{"status": 0, "n": 24}}}})
	return s
}

func TestDestinationsAreListedTheWorstFirst(t *testing.T) {
	t.Parallel()
	off := destinationOf("acme", "ga4", "healthy")
	off["receives_events"], off["reason"] = false, "storefront_disabled"
	s := destinationSite(off, destinationOf("brio", "ga4", "healthy"), destinationOf("brio", "snapchat", "failing"), destinationOf("brio", "tiktok", "unhealthy"))
	body := s.get(t, "destinations").Body.String()
	place := func(what string) int {
		require.Contains(t, body, what)
		return strings.Index(body, what)
	}
	require.Less(t, place(`data-row="brio/tiktok"`), place(`data-row="brio/snapchat"`))
	require.Less(t, place(`data-row="brio/snapchat"`), place(`data-row="brio/ga4"`))
	require.Equal(t, 1, strings.Count(body, `data-row="brio/tiktok"`), "it is on both lists")
	for _, want := range []string{"server error (503)", "Probe now", `replays/9">#9</a> running, 30 to go`, "storefront disabled", "240", "waiting_at=tiktok"} {
		require.Contains(t, body, want)
	}
	require.LessOrEqual(t, len(s.calls()), 4, "three, and the bar's")
}

func TestAPageOfDestinationsKeepsItsFilter(t *testing.T) {
	t.Parallel()
	s := destinationSite(destinationOf("brio", "tiktok", "unhealthy"))
	s.on("GET /admin/v1/destinations", object{"items": list{destinationOf("brio", "tiktok", "unhealthy")}, "next_cursor": "abc"})
	body := s.get(t, "destinations?state=unhealthy&storefront=brio").Body.String()
	require.Contains(t, body, "destinations?cursor=abc&amp;state=unhealthy&amp;storefront=brio")
	require.Equal(t, 1, s.count("GET /admin/v1/destinations"))
	require.Equal(t, "unhealthy", s.last(t, "GET /admin/v1/destinations").query.Get("state"))
}

func TestAProbeLeadsBackToItsPageOfTheList(t *testing.T) {
	t.Parallel()
	s := destinationSite(destinationOf("brio", "tiktok", "unhealthy"))
	body := s.get(t, "destinations?state=ill&cursor=abc").Body.String()
	require.Contains(t, body, `action="./destinations?cursor=abc&amp;state=ill"`)
	s.on("POST /admin/v1/destinations/brio/tiktok/probe", object{"probe": "started"})
	w := s.post("destinations?state=ill&cursor=abc", "do", "probe", "storefront", "brio", "destination", "tiktok")
	require.Equal(t, "./destinations?cursor=abc&done=request-of-page&state=ill", w.Header().Get("Location"))
}

// REST lists them by storefront: those that are unhealthy may come after many that are but failing.
func TestTheOverviewNamesTheWorstDestinations(t *testing.T) {
	t.Parallel()
	var items []any
	for i := range 30 {
		items = append(items, destinationOf(fmt.Sprintf("brio-%d", i), "ga4", "failing"))
	}
	s := destinationSite(append(items, destinationOf("zeta", "tiktok", "unhealthy"))...)
	body := s.get(t, "").Body.String()
	require.Equal(t, "100", s.last(t, "GET /admin/v1/destinations").query.Get("limit"))
	require.Less(t, indexOf(t, body, "zeta / tiktok"), indexOf(t, body, "brio-0 / ga4"))
	require.Contains(t, body, "brio-18 / ga4")
	require.NotContains(t, body, "brio-19 / ga4", "twenty are enough")
	require.Contains(t, body, "20 destinations and more in trouble")
}

func TestAProbeIsAskedForWithItsNote(t *testing.T) {
	t.Parallel()
	s := destinationSite(destinationOf("brio", "tiktok", "unhealthy"))
	s.on("POST /admin/v1/destinations/brio/tiktok/probe", object{"probe": "started", "event_id": 4711})
	w := s.post("destinations?state=ill", "do", "probe", "storefront", "brio", "destination", "tiktok", "note", "ticket 12")
	require.Equal(t, http.StatusSeeOther, w.Code)
	require.Equal(t, "./destinations?done=request-of-page&state=ill", w.Header().Get("Location"))
	require.Equal(t, "ticket 12", s.last(t, "POST /admin/v1/destinations/brio/tiktok/probe").header.Get("Relay-Note"))

	w = s.post("storefronts/brio/tiktok", "do", "probe")
	require.Equal(t, "../../storefronts/brio/tiktok?done=request-of-page", w.Header().Get("Location"))

	s.answers["POST /admin/v1/destinations/brio/tiktok/probe"] = problem(http.StatusConflict, "destination_off", "the destination gets no events: the storefront is off")
	w = s.post("storefronts/brio/tiktok", "do", "probe")
	require.Equal(t, http.StatusConflict, w.Code)
	require.Contains(t, w.Body.String(), "the destination gets no events: the storefront is off")
	require.Equal(t, http.StatusBadRequest, s.post("storefronts/brio/tiktok", "do", "drop").Code)
}

func TestADestinationShowsHowItFares(t *testing.T) {
	t.Parallel()
	d := destinationOf("brio", "tiktok", "unhealthy")
	line := func(action, entity, name string, changes ...any) object {
		return object{"at": "2026-01-14T10:00:00Z", "actor": "rita", "action": action, "entity": entity, "name": name, "note": "ticket 12", "changes": changes}
	}
	d["history"] = list{line("probe", "destinations", "brio/tiktok"), line("deactivate", "platforms", "tiktok", object{"field": "is_active", "from": true, "to": false}),
		line("patch", "credentials", "brio/tiktok", object{"field": "options.send_ip", "from": true, "to": false}), line("test", "credentials", "brio/tiktok")}
	s := destinationSite(d)
	body := s.get(t, "storefronts/brio/tiktok").Body.String()
	for _, want := range []string{"<b>rita</b> probed the destination", "<b>rita</b> switched off the platform", "<b>rita</b> changed the credential", "<code>options.send_ip</code>",
		"<b>rita</b> sent a test event to the destination", "“ticket 12”", "audit?entity=credentials&amp;entity_id=7"} {
		require.Contains(t, body, want)
	}
	require.NotContains(t, body, "is_active", "the line says it")
	for _, want := range []string{"<title>brio / tiktok · relay</title>", "server error (503)", "240 attempts in a row", "p50 80 ms, p95 310 ms, p99 900 ms", "24, 2 %",
		"no response", "1,176", "Last accepted</dt><dd><time datetime=\"2026-01-15T21:59:00Z\"", "3 so far", "by rita", "Probe now", "Replay what failed since", `value="2026-01-15T22:00"`, "40 failed events"} {
		require.Contains(t, body, want)
	}
	require.LessOrEqual(t, len(s.calls()), 4, "three, and the bar's")

	s.on("GET /admin/v1/me", object{"name": "rita", "read_only": true})
	body = s.get(t, "storefronts/brio/tiktok").Body.String()
	require.NotContains(t, body, `method="post" action="../../storefronts`)
	require.NotContains(t, body, "Probe now")
}

func TestAPartOfADestinationFailsAlone(t *testing.T) {
	t.Parallel()
	s := destinationSite(destinationOf("brio", "tiktok", "healthy"))
	s.answers["GET /admin/v1/attempts/stats"] = problem(http.StatusServiceUnavailable, "database_unavailable", "the database does not respond")
	w := s.get(t, "storefronts/brio/tiktok")
	require.Equal(t, http.StatusOK, w.Code)
	require.Contains(t, w.Body.String(), "the database does not respond")
	require.Contains(t, w.Body.String(), "Switches")

	w = destinationSite().get(t, "storefronts/brio/nowhere")
	require.Equal(t, http.StatusNotFound, w.Code)
	require.Contains(t, w.Body.String(), "no settings for this destination")
}
