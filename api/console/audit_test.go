package console_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheAuditSaysWhatWasDoneInWords(t *testing.T) {
	t.Parallel()
	s := newSite()
	line := func(action, entity, name string, id int, changes ...any) object {
		return object{"id": 1, "at": "2026-01-15T10:00:00Z", "actor": "anna", "action": action, "entity": entity, "entity_id": id, "name": name, "request_id": "QH7V", "note": "ticket 9", "changes": changes}
	}
	s.on("GET /admin/v1/audit", object{"next_cursor": "abc", "items": list{
		line("deactivate", "storefronts", "brio", 5, object{"field": "is_active", "from": true, "to": false}, object{"field": "note", "to": "ticket 9"}),
		line("patch", "credentials", "brio/meta_capi", 7, object{"field": "credentials.access_token", "to": "changed"}, object{"field": "options", "from": object{"send_ip": true}, "to": object{}}),
		line("patch", "sgtm-configs", "nova", 3, object{"field": "sgtm_url", "from": "https://a.example"}),
		line("retry", "events", "", 4711), line("delete", "storefronts", "gone", 6), line("probe", "destinations", "brio/tiktok", 0)}})
	body := s.get(t, "audit?actor=anna&from=2026-01-15T00:00").Body.String()
	for _, want := range []string{"switched off", "→ <ins>changed</ins>", `<del>{&#34;send_ip&#34;:true}</del> → <ins>{}</ins>`,
		"<del>https://a.example</del> → <i>nothing</i>", `href="./storefronts/brio"`, `href="./storefronts/brio/meta_capi"`, `href="./storefronts/nova/sgtm"`, `href="./events/4711"`,
		`href="./storefronts/brio/tiktok"`, "ticket 9", "QH7V", "audit?actor=anna&amp;cursor=abc&amp;from=2026-01-15T00%3A00", "login: anna",
		`href="./../admin/v1/audit?actor=anna&amp;from=2026-01-15T00%3A00%3A00Z&amp;limit=200"`} {
		require.Contains(t, body, want)
	}
	require.NotContains(t, body, "<ins>ticket 9", "the note has a column of its own")
	require.NotContains(t, body, `storefronts/gone"`, "what was deleted has no page")
	require.Equal(t, "2026-01-15T00:00:00Z", s.last(t, "GET /admin/v1/audit").query.Get("from"))
}

func TestPlatformsAreFilteredByWhatRESTKnowsAndByTheirAdapter(t *testing.T) {
	t.Parallel()
	s := settingsSite()
	s.on("GET /admin/v1/platforms", object{"total": 152, "next_cursor": "abc", "items": list{object{"code": "meta_capi", "has_adapter": true}, object{"code": "bing", "has_adapter": false}}})
	body := s.get(t, "platforms?q=m&tier=1").Body.String()
	require.Contains(t, body, "152 platforms")
	require.Contains(t, body, "platforms?cursor=abc&amp;q=m&amp;tier=1")
	require.Equal(t, "limit=50&q=m&sort=tier&tier=1", s.last(t, "GET /admin/v1/platforms").query.Encode())
	body = s.get(t, "platforms?has_adapter=true").Body.String()
	require.Contains(t, body, `data-row="meta_capi"`)
	require.NotContains(t, body, `data-row="bing"`)
}

func TestAPlatformShowsWhoUsesIt(t *testing.T) {
	t.Parallel()
	s := settingsSite()
	s.on("GET /admin/v1/destinations", object{"items": list{destinationOf("acme", "meta_capi", "healthy"), destinationOf("brio", "meta_capi", "unhealthy")}})
	body := s.get(t, "platforms/meta_capi").Body.String()
	require.Less(t, indexOf(t, body, `data-row="brio"`), indexOf(t, body, `data-row="acme"`))
	for _, want := range []string{"switches/platforms/3?to=on", "access_token", "secret, required", "Purchase", "not sent; proposed: SubmitApplication"} {
		require.Contains(t, body, want)
	}
	s.on("GET /admin/v1/platforms", object{"items": list{}})
	require.Equal(t, http.StatusNotFound, s.get(t, "platforms/nowhere").Code)
}

func TestAnErasureWantsItsKindTypedAndPutsNoOneIntoAnAddress(t *testing.T) {
	t.Parallel()
	s := newSite()
	s.answers["POST /admin/v1/erasures"] = reply{http.StatusCreated, object{"id": 3, "kind": "external_id", "state": "running"}}
	w := s.post("erasures/_new", "kind", "person", "subject", "customer-4711", "typed", "order")
	require.Equal(t, http.StatusUnprocessableEntity, w.Code)
	require.Contains(t, w.Body.String(), "Nothing was erased")
	require.Zero(t, s.count("POST /admin/v1/erasures"))

	w = s.post("erasures/_new", "kind", "person", "subject", " customer-4711 ", "storefront", "brio", "typed", "person", "note", "request of 15 January")
	require.Equal(t, http.StatusSeeOther, w.Code)
	require.Equal(t, "../erasures/3?done=request-of-page", w.Header().Get("Location"))
	asked := s.last(t, "POST /admin/v1/erasures")
	require.JSONEq(t, `{"external_id":"customer-4711","storefront":"brio"}`, asked.body)
	require.Equal(t, "request of 15 January", asked.header.Get("Relay-Note"))
	s.post("erasures/_new", "kind", "order", "subject", "o-1", "typed", "order")
	require.JSONEq(t, `{"order_id":"o-1"}`, s.last(t, "POST /admin/v1/erasures").body)
}

func TestAnErasureShowsItsProgress(t *testing.T) {
	t.Parallel()
	s := newSite()
	s.on("GET /admin/v1/erasures/3", object{"id": 3, "kind": "external_id", "state": "running", "subject_hash": "erased:9f86", "created_by": "anna", "created_at": "2026-01-15T10:00:00Z", "total": 1000, "scanned": 400, "matched": 3, "erased": 2})
	body := s.get(t, "erasures/3").Body.String()
	for _, want := range []string{"400 of 1,000 events looked at, 2 of 3 erased", `<progress max="1000" value="400"`, "erased:9f86", "data-every"} {
		require.Contains(t, body, want)
	}
	s.on("GET /admin/v1/erasures", object{"items": list{}})
	require.Contains(t, s.get(t, "erasures").Body.String(), "Nothing was erased yet")
}

func TestTheSystemSaysWhatIsWrongWithIt(t *testing.T) {
	t.Parallel()
	s := newSite()
	s.on("GET /admin/v1/system", object{"version": "v1.0.0", "checks": object{"database": "ok", "temporal": "down"}, "workers": list{}, "temporal": object{"reached": false}, "counted_at": "2026-01-15T10:00:00Z",
		"reconciliation": object{"invariant": "repaired", "at": "2026-01-15T10:00:00Z", "reopened": 2},
		"settings":       list{object{"name": "POLL_INTERVAL", "value": "1s"}, object{"name": "TEMPORAL_UI_URL", "value": "https://temporal.example.com"}, object{"name": "BASIC_AUTH_PASSWORD", "secret": true, "is_set": true, "value": "never"}}})
	body := s.get(t, "system").Body.String()
	for _, want := range []string{"No worker shows a sign of life", "Temporal does not respond", `href="https://temporal.example.com"`, "more than five minutes", "rows without a running workflow were repaired", "POLL_INTERVAL", "is set"} {
		require.Contains(t, body, want)
	}
	require.NotContains(t, body, "never")
}
