package console_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/api/console"
)

func TestARetryLeadsBackToTheEventWithItsLineOfTheAudit(t *testing.T) {
	t.Parallel()
	s := world("brio")
	s.on("POST /admin/v1/events/7/retry", object{"retried": true})
	w := s.post("events/7", "do", "retry", "note", " ticket 4711 ")
	require.Equal(t, http.StatusSeeOther, w.Code, w.Body.String())
	require.Equal(t, "../events/7?done=request-of-page", w.Header().Get("Location"))
	require.Equal(t, "ticket 4711", s.last(t, "POST /admin/v1/events/7/retry").header.Get("Relay-Note"))

	s.on("GET /admin/v1/audit", object{"items": list{
		object{"id": 2, "at": "2026-01-15T10:00:00Z", "actor": "anna", "action": "patch", "entity": "platforms", "name": "other", "request_id": "another"},
		object{"id": 1, "at": "2026-01-15T10:00:00Z", "actor": "anna", "action": "retry", "entity": "events", "name": "event 7", "request_id": "request-of-page"}}})
	body := s.get(t, "events/7?done=request-of-page").Body.String()
	require.Contains(t, body, "Done.")
	require.Contains(t, body, "anna retried  <bdi>event 7</bdi>")
	require.NotContains(t, body, "other")
	require.Equal(t, "anna", s.last(t, "GET /admin/v1/audit").query.Get("actor"))
	require.Contains(t, s.get(t, "events/7?done=forged").Body.String(), "Nothing to do.", "an address alone claims nothing")
}

func TestARefusedActionIsShownOnThePage(t *testing.T) {
	t.Parallel()
	s := world("brio")
	s.answers["POST /admin/v1/events/7/retry"] = problem(http.StatusConflict, "not_retryable", "the event is delivered")
	w := s.post("events/7", "do", "retry")
	require.Equal(t, http.StatusConflict, w.Code)
	require.Contains(t, w.Body.String(), "the event is delivered")
	require.Contains(t, w.Body.String(), "Destinations</h2>", "the page is around it")
	require.Equal(t, http.StatusBadRequest, s.post("events/7", "do", "format").Code)
}

func TestARevealIsShownOnceAndKeptNowhere(t *testing.T) {
	t.Parallel()
	s := world("brio")
	s.on("POST /admin/v1/events/7/reveal", object{"id": 7, "status": "failed", "event_type": "purchase_completed", "created_at": "2026-01-15T10:00:00Z", "revealed": true,
		"payload": object{"email": "jane@example.com"}})
	w := s.post("events/7", "do", "reveal", "note", "ticket", "once", "x")
	require.Equal(t, http.StatusOK, w.Code)
	require.Contains(t, w.Body.String(), "jane@example.com")
	require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	require.JSONEq(t, `{"note":"ticket"}`, s.last(t, "POST /admin/v1/events/7/reveal").body)
	require.NotContains(t, s.get(t, "events/7").Body.String(), "jane@example.com")
	require.NotContains(t, s.post("events/7", "do", "reveal", "note", "ticket", "once", "x").Body.String(), "jane@example.com", "the same form again reveals nothing")
}

// Every form that does something takes a note for the audit.
func TestEveryFormThatActsHasANote(t *testing.T) {
	t.Parallel()
	s := world("brio")
	forms := regexp.MustCompile(`(?s)<form[^>]*method="post".*?</form>`)
	for path, acts := range map[string]int{"events/7": 2, "replays/3": 2, "replays/3/cancel": 1, "events/7/cancel": 0, "replays/new?status=failed": 1} {
		found := forms.FindAllString(s.get(t, path).Body.String(), -1)[1:] // the first one is the search
		require.Len(t, found, acts, path)
		for _, form := range found {
			require.Contains(t, form, `name="note"`, path)
		}
	}
	s.on("POST /admin/v1/replays/3/pause", object{"id": 3})
	s.post("replays/3", "do", "pause", "note", "ticket 12")
	require.Equal(t, "ticket 12", s.last(t, "POST /admin/v1/replays/3/pause").header.Get("Relay-Note"))
	s.on("PATCH /admin/v1/replays/3", object{"id": 3})
	s.post("replays/3", "do", "rate", "rate", "50", "note", "ticket 13")
	require.Equal(t, "ticket 13", s.last(t, "PATCH /admin/v1/replays/3").header.Get("Relay-Note"))

	replay := object{"id": 3, "state": "paused", "rate": 20, "created_at": "2026-01-15T10:00:00Z", "filter": object{}}
	s.on("GET /admin/v1/replays/3", replay)
	found := forms.FindAllString(s.get(t, "replays/3").Body.String(), -1)
	require.Contains(t, found[1], `value="resume"`)
	require.Contains(t, found[1], `name="note"`)
}

func TestAFormThatIsSentTwiceActsOnce(t *testing.T) {
	t.Parallel()
	s := world("brio")
	s.on("POST /admin/v1/events/7/retry", object{"retried": true})
	var all sync.WaitGroup
	for range 5 {
		all.Go(func() { s.post("events/7", "do", "retry", "once", "form-1") })
	}
	all.Wait()
	require.Equal(t, 1, s.count("POST /admin/v1/events/7/retry"))
	s.post("events/7", "do", "retry", "once", "form-2")
	s.post("events/7", "do", "retry")
	s.post("events/7", "do", "retry")
	require.Equal(t, 4, s.count("POST /admin/v1/events/7/retry"))
}

// A page has one value of once for all its forms: what a form asks for tells them apart.
func TestTwoFormsOfOnePageBothAct(t *testing.T) {
	t.Parallel()
	s := world("brio")
	for _, key := range []string{"x", "y"} {
		s.on("POST /admin/v1/destinations/a/"+key+"/probe", object{"probe": "started"})
		for range 2 {
			w := s.post("destinations", "once", "page-1", "do", "probe", "storefront", "a", "destination", key)
			require.Equal(t, http.StatusSeeOther, w.Code)
		}
		require.Equal(t, 1, s.count("POST /admin/v1/destinations/a/"+key+"/probe"), "a double click probes %s once", key)
	}
	s.on("POST /admin/v1/events/7/retry", object{"retried": true})
	s.on("POST /admin/v1/events/8/retry", object{"retried": true})
	s.post("events/7", "do", "retry", "once", "page-1")
	s.post("events/8", "do", "retry", "once", "page-1")
	require.Equal(t, 1, s.count("POST /admin/v1/events/8/retry"), "another address is another action")
}

// Of a double click the browser keeps the second request and drops the first, which is the one that acts.
func TestAFormActsThoughItsRequestIsDropped(t *testing.T) {
	t.Parallel()
	s := world("brio")
	s.on("POST /admin/v1/events/7/retry", object{"retried": true})
	ctx, drop := context.WithCancel(t.Context())
	var left error
	var bounded bool
	pages := console.New(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			drop()
			left = r.Context().Err()
			_, bounded = r.Context().Deadline()
		}
		s.ServeHTTP(w, r)
	}), slog.New(slog.DiscardHandler))
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/console/events/7", strings.NewReader("do=retry&once=page-1"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	pages.ServeHTTP(w, r)
	require.NoError(t, left, "what was begun is done")
	require.True(t, bounded, "but not for ever")
	require.Equal(t, http.StatusSeeOther, w.Code)
}

func TestSearchFindsByRowAndByOrderAndKeepsTheIdOutOfTheAddress(t *testing.T) {
	t.Parallel()
	s := world("brio")
	w := s.post("search", "id", " 7 ")
	require.Equal(t, http.StatusSeeOther, w.Code)
	require.Equal(t, "./events/7", w.Header().Get("Location"))
	s.on("GET /admin/v1/events", object{"items": list{object{"id": 8, "status": "failed"}, object{"id": 9, "status": "delivered"}}})
	w = s.post("search", "id", "2025020100003333")
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, "2025020100003333", s.last(t, "GET /admin/v1/events").query.Get("order_id"))
	require.Contains(t, w.Body.String(), "events/9")
	s.on("GET /admin/v1/events", object{"items": list{}})
	require.Contains(t, s.post("search", "id", "unknown").Body.String(), "No event has this row")
}

func TestAFilterIsInEveryLinkAndGoesToRESTAsItIs(t *testing.T) {
	t.Parallel()
	s := world("brio")
	body := s.get(t, "events?status=failed&storefront=brio&from=2026-01-15T10:00&order_id=secret").Body.String()
	q := s.last(t, "GET /admin/v1/events").query
	require.Equal(t, "2026-01-15T10:00:00Z", q.Get("from"))
	require.Empty(t, q.Get("order_id"), "an order's id is searched by a form alone")
	require.Equal(t, q.Get("status"), s.last(t, "GET /admin/v1/events/count").query.Get("status"))
	require.Contains(t, body, "replays/new?from=2026-01-15T10%3A00&amp;status=failed&amp;storefront=brio")
	require.Contains(t, body, "relay events list --status failed --storefront brio --from 2026-01-15T10:00:00Z")
	require.NotContains(t, body, "secret")
	s.answers["GET /admin/v1/events"] = problem(http.StatusUnprocessableEntity, "invalid_value", "there is no such storefront")
	require.Contains(t, s.get(t, "events?storefront=nobody").Body.String(), "there is no such storefront")
}

// A chip says only what the list was filtered by.
func TestAWindowThatIsNoneIsNoFilter(t *testing.T) {
	t.Parallel()
	s := world("brio")
	body := s.get(t, "events?window=90d&status=failed").Body.String()
	require.Empty(t, s.last(t, "GET /admin/v1/events").query.Get("from"))
	require.NotContains(t, body, "90d")
	require.Contains(t, s.get(t, "events?window=7d").Body.String(), "last 7d")
}

func TestAWideSwitchWantsItsNameTyped(t *testing.T) {
	t.Parallel()
	s := world("brio")
	s.on("GET /admin/v1/storefronts/4", object{"id": 4, "storefront_id": "brio", "is_active": true})
	s.on("POST /admin/v1/storefronts/4/deactivate", object{"changed": true, "routes": list{}, "effect": object{"storefronts": 1, "in_flight": 12}})
	body := s.get(t, "switches/storefronts/4?to=off").Body.String()
	require.Contains(t, body, "12 events")
	require.Contains(t, body, `name="typed"`)
	require.Equal(t, "true", s.last(t, "POST /admin/v1/storefronts/4/deactivate").query.Get("dry_run"))
	v := version(t, body)
	w := s.post("switches/storefronts/4?to=off", "to", "off", "version", v, "typed", "brioo")
	require.Equal(t, http.StatusUnprocessableEntity, w.Code)
	require.Contains(t, w.Body.String(), "Type brio to confirm")
	for _, a := range s.asked {
		require.False(t, strings.HasSuffix(a.path, "/deactivate") && a.query.Get("dry_run") == "", "nothing was switched")
	}
	w = s.post("switches/storefronts/4?to=off", "to", "off", "version", v, "typed", "brio", "note", "incident 7")
	require.Equal(t, http.StatusSeeOther, w.Code, w.Body.String())
	require.Equal(t, "../../routes?done=request-of-page&storefront=brio", w.Header().Get("Location"))
	sent := s.last(t, "POST /admin/v1/storefronts/4/deactivate")
	require.Empty(t, sent.query.Get("dry_run"))
	require.Equal(t, "incident 7", sent.header.Get("Relay-Note"))
	require.Equal(t, http.StatusNotFound, s.get(t, "switches/audit/4?to=off").Code)
}

func TestASwitchOfWhatWasChangedMeanwhileIsNotSet(t *testing.T) {
	t.Parallel()
	s := world("brio")
	body := s.get(t, "switches/sgtm-configs/3?to=off").Body.String()
	require.NotContains(t, body, "Changed meanwhile")
	s.on("GET /admin/v1/sgtm-configs/3", object{"id": 3, "storefront_code": "brio", "is_active": true, "fallback": "stop"})
	s.on("GET /admin/v1/audit", object{"items": list{object{"id": 2, "at": "2026-01-15T10:00:00Z", "actor": "rita", "action": "patch", "entity": "sgtm-configs", "note": "ticket 5",
		"changes": list{object{"field": "fallback", "from": "direct", "to": "stop"}}}}})
	for _, sent := range []string{version(t, body), "", "another"} {
		w := s.post("switches/sgtm-configs/3?to=off", "to", "off", "version", sent, "fallback", "direct", "note", "incident 7")
		require.Equal(t, http.StatusPreconditionFailed, w.Code)
		for _, want := range []string{"Nothing was done", "Changed meanwhile", "<b>rita</b> changed the container", "<del>direct</del> → <ins>stop</ins>", "ticket 5", `value="incident 7"`} {
			require.Contains(t, w.Body.String(), want)
		}
		body = w.Body.String()
	}
	require.Equal(t, "3", s.last(t, "GET /admin/v1/audit").query.Get("entity_id"))
	for _, a := range s.asked {
		require.False(t, strings.HasSuffix(a.path, "/deactivate") && a.query.Get("dry_run") == "", "nothing was switched")
	}
	w := s.post("switches/sgtm-configs/3?to=off", "to", "off", "version", version(t, body), "fallback", "direct")
	require.Equal(t, http.StatusSeeOther, w.Code, "now it is meant")
}

// Between the console's look and the flip REST guards the version by its tag.
func TestASwitchIsSetByTheTagOfWhatWasShown(t *testing.T) {
	t.Parallel()
	s := world("brio")
	s.tags = map[string]string{"GET /admin/v1/sgtm-configs/3": `"tag-3"`}
	body := s.get(t, "switches/sgtm-configs/3?to=off").Body.String()
	require.Equal(t, http.StatusSeeOther, s.post("switches/sgtm-configs/3?to=off", "to", "off", "version", version(t, body), "fallback", "stop").Code)
	require.Equal(t, `"tag-3"`, s.last(t, "POST /admin/v1/sgtm-configs/3/deactivate").header.Get("If-Match"))
}

func TestAContainerSaysWhereItsEventsGo(t *testing.T) {
	t.Parallel()
	s := world("brio")
	body := s.get(t, "switches/sgtm-configs/3?to=off").Body.String()
	require.Contains(t, body, "to the platforms directly")
	require.Contains(t, body, "they end skipped")
	w := s.post("switches/sgtm-configs/3?to=off", "to", "off", "version", version(t, body), "fallback", "stop")
	require.Equal(t, http.StatusSeeOther, w.Code)
	require.Equal(t, "stop", s.last(t, "POST /admin/v1/sgtm-configs/3/deactivate").query.Get("fallback"))
}

// Of too many events there is no number, and none is needed: only a resend is confirmed by it.
