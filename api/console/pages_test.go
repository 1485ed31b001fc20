package console_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/api/console"
)

// hostile is what OMS or a vendor may write anywhere: markup, quotes, the end of an attribute, writing from right to left.
const hostile = `"><script>alert(1)</script><img src=x onerror=alert(1)>'"&` + "\u202e\u05d0\u05d1 \U0001f389"

// addresses are those of all pages, with parts that the played API knows.
var addresses = map[string]string{
	"": "", "keys": "keys", "events": "events?status=failed&window=24h", "search": "search", "events/{id}": "events/7?preview=1",
	"events/{id}/cancel": "events/7/cancel", "routes": "routes", "switches/{kind}/{id}": "switches/sgtm-configs/3?to=off",
	"replays": "replays", "replays/new": "replays/new?status=failed&storefront=brio", "replays/{id}": "replays/3",
	"replays/{id}/events": "replays/3/events", "replays/{id}/cancel": "replays/3/cancel",
}

// world plays an API in which every text is as given.
func world(text string) *site {
	s := newSite()
	s.on("GET /admin/v1/service-levels", object{"objective": 0.99, "fresh_within_seconds": 60, "windows": list{object{"window": text, "success": 1, "freshness": 1}}})
	event := object{"id": 7, "event_id": text, "order_id": text, "event_type": text, "storefront_code": text, "source_system": text, "status": "failed",
		"reason": "exhausted", "reason_text": text, "detail": text, "warnings": list{text}, "generation": 1, "created_at": "2026-01-15T10:00:00Z",
		"updated_at": "2026-01-15T10:00:00Z", "finished_at": "2026-01-15T10:01:00Z", "workflow_url": "https://temporal.example.com/" + text}
	detail := object{"payload": object{text: text}, "revealed": false, "ends": list{object{"destination": "tiktok", "outcome": "exhausted", "reason_text": text, "cause_text": text, "status": 503}},
		"attempts": list{object{"attempt_id": "a1", "generation": 1, "destination": "tiktok", "number": 1, "started_at": "2026-01-15T10:00:01Z", "duration_ms": 12.5,
			"outcome": "retry", "reason_text": text, "detail": text, "request": object{"method": "POST", "url": text, "header_names": list{text}, "body": object{text: text}, "dropped_fields": list{text}, "warnings": list{text}},
			"response": object{"status": 503, "trace_id": text, "fields": object{text: text}}}}}
	for k, v := range event {
		detail[k] = v
	}
	destination := object{"storefront_id": 4, "storefront_code": text, "destination": text, "receives_events": true, "health": object{"state": "unhealthy", "reason": text,
		"last_status": 503, "failures": 3, "failing_since": "2026-01-15T09:00:00Z", "next_probe_at": "2026-01-15T11:00:00Z"}, "waiting": 3, "failed": 2,
		"switches": list{object{"level": "storefront", "id": 4, "is_active": false, "switched_by": text, "switched_at": "2026-01-15T09:00:00Z"},
			object{"level": "platform", "id": 2, "is_active": true}, object{"level": "credential", "id": 9, "is_active": true}}}
	route := object{"storefront_code": text, "text": text}
	replay := object{"id": 3, "state": "running", "filter": object{"storefront": text, "type": text, "statuses": list{"failed"}, "reasons": list{text}}, "resend": list{text}, "rate": 20,
		"created_by": text, "created_at": "2026-01-15T10:00:00Z", "matched": 10, "started": 4, "delivered": 3, "failed": 1, "in_flight": 0, "held": 1, "remaining": 6, "workflow_url": "https://x/" + text}
	s.on("GET /admin/v1/stats", object{"as_of": "2026-01-15T23:59:30Z", "storefronts": list{storefrontStats(text)}})
	s.on("GET /admin/v1/stats/series", object{"times": list{"2026-01-15T00:00:00Z", "2026-01-15T01:00:00Z"}, "series": list{object{"key": "delivered", "values": list{3, 0}}, object{"key": "failed", "values": list{1, 0}}}})
	s.on("GET /admin/v1/destinations", object{"items": list{destination}})
	alone := maps.Clone(destination)
	alone["history"] = list{object{"id": 3, "at": "2026-01-15T10:00:00Z", "actor": text, "action": text, "entity": text, "name": text, "note": text, "changes": list{object{"field": text, "from": text, "to": text}}}}
	s.on("GET /admin/v1/destinations/brio/meta_capi", alone)
	s.on("GET /admin/v1/events", object{"items": list{event}, "next_cursor": text})
	s.on("GET /admin/v1/events/count", object{"count": 1, "text": "1"})
	s.on("GET /admin/v1/events/7", detail)
	s.on("POST /admin/v1/preview", object{"levels": list{object{"level": "storefront", "name": text, "active": true, "reason_text": text}}, "route": object{"destinations": list{text}},
		"destinations": list{object{"destination": text, "sends": true, "reason_text": text, "field": text, "event_name": text, "request": object{"method": "POST", "url": text, "headers": object{text: text}, "body": object{text: text}},
			"dropped_fields": list{text}, "withheld": list{object{"field": text, "why": text}}, "warnings": list{text}}}})
	s.on("GET /admin/v1/sgtm-configs/3", object{"id": 3, "storefront_code": text, "is_active": true})
	s.on("POST /admin/v1/sgtm-configs/3/deactivate", object{"is_active": false, "changed": true, "routes": list{route}, "effect": object{"storefronts": 1, "in_flight": 12, "before": list{route}}})
	s.on("GET /admin/v1/replays", object{"items": list{replay}, "next_cursor": text})
	s.on("GET /admin/v1/replays/3", replay)
	s.on("GET /admin/v1/replays/3/events", object{"items": list{event}})
	s.on("POST /admin/v1/replays", object{"dry_run": object{"events": 10, "by": list{object{"storefront_code": text, "destination": text, "reason": text, "events": 10, "too_old": 1}}},
		"unhealthy": list{object{"storefront_code": text, "destination": text, "reason": text}}})
	s.playConfiguration(text)
	return s
}

func storefrontStats(code string) object {
	return object{"storefront": code, "received": 1204, "delivered": 1100, "failed": object{"destination_unhealthy": 47}, "skipped": object{"not_mapped": 19}, "open": 5,
		"oldest_pending_seconds": 3.2, "destinations": object{"tiktok": object{"health": "unhealthy", "failing_since": "2026-01-15T22:00:00Z"}}}
}

func TestEveryPage(t *testing.T) {
	t.Parallel()
	for path, title := range console.Pages() {
		address, ok := addresses[path]
		require.True(t, ok, "no address of %s", path)
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			s := world("brio")
			s.get(t, "keys") // the counts of the bar are read every few seconds, whatever the page
			s.asked = nil
			w := s.get(t, address)
			require.Equal(t, http.StatusOK, w.Code, w.Body.String())
			require.Equal(t, "text/html; charset=utf-8", w.Header().Get("Content-Type"))
			body := w.Body.String()
			require.Equal(t, 1, strings.Count(body, "<h1"), body)
			require.NotContains(t, body, `role="alert"`, "nothing failed")
			require.NotContains(t, body, "<no value>")
			most := 3
			if path == "" { // stats, series, service levels, and what is in trouble
				most = 4
			}
			require.LessOrEqual(t, len(s.calls()), most, "a page asks little: %s", s.calls())
		})
	}
}

func TestNothingFromOutsideIsMarkup(t *testing.T) {
	t.Parallel()
	for path := range console.Pages() {
		body := world(hostile).get(t, addresses[path]).Body.String()
		for _, bad := range []string{"<script>alert", "<img src=x", "onerror=alert(1)>", "javascript:"} {
			require.NotContains(t, body, bad, path)
		}
		require.Equal(t, 1, strings.Count(body, "<script"), path)
	}
	s := world("brio")
	body := s.get(t, "events?storefront="+`%22%3E%3Cscript%3Ealert(1)%3C/script%3E&cursor=%22%3E`).Body.String()
	require.NotContains(t, body, "<script>alert")
	s.on("GET /admin/v1/events", object{"items": list{object{"id": 7}, object{"id": 8}}})
	body = s.post("search", "id", hostile).Body.String()
	require.NotContains(t, body, "<script>alert")
}

func TestTheOverviewShowsServiceLevels(t *testing.T) {
	t.Parallel()
	s := world("brio")
	s.on("GET /admin/v1/service-levels", object{"objective": 0.99, "fresh_within_seconds": 60, "windows": list{
		object{"window": "1h"}, object{"window": "24h", "success": 0.99999, "failed": 1, "freshness": 0.98, "late": 20}}})
	body := s.get(t, "").Body.String()
	require.Contains(t, body, "the objective is 99 % of the deliveries")
	require.Contains(t, body, "Within 60 s of acceptance")
	require.Contains(t, body, `<span title="1 did not">99.99 %</span>`)
	require.Contains(t, body, `<span class="bad" title="20 did not">■ 98 %</span>`)
	require.NotContains(t, s.get(t, "?storefront=brio").Body.String(), "Service levels", "they are those of all storefronts")
}

// A read-only login sees no form that changes anything.
func TestAReaderSeesNoForms(t *testing.T) {
	t.Parallel()
	for path := range console.Pages() {
		s := world("brio")
		s.on("GET /admin/v1/me", object{"name": "rita", "read_only": true})
		body := s.get(t, addresses[path]).Body.String()
		require.Equal(t, 1, strings.Count(body, `method="post"`), "%s: the search alone", path)
		require.Contains(t, body, "read-only", path)
		require.NotContains(t, body, `class="flip"`, path)
	}
	s := world("brio")
	s.answers["POST /admin/v1/events/7/retry"] = problem(http.StatusForbidden, "forbidden", "this login is read-only")
	w := s.post("events/7", "do", "retry")
	require.Equal(t, http.StatusForbidden, w.Code, "REST refuses what was made by hand")
	require.Contains(t, w.Body.String(), "this login is read-only")
}

func TestThreeHundredStorefrontsFitInAPage(t *testing.T) {
	t.Parallel()
	s := world("brio")
	var stats, destinations list
	for i := range 300 {
		code := fmt.Sprintf("storefront-%d", i*7919%1000)
		stats = append(stats, storefrontStats(code))
		for d := range 20 {
			if i < 50 {
				destinations = append(destinations, object{"storefront_id": i, "storefront_code": code, "destination": fmt.Sprintf("platform_%d", d), "receives_events": true,
					"health": object{"state": "healthy"}, "switches": list{object{"level": "storefront", "id": i + 1, "is_active": true}, object{"level": "platform", "id": d + 1, "is_active": true},
						object{"level": "credential", "id": i*20 + d + 1, "is_active": true}}})
			}
		}
	}
	s.on("GET /admin/v1/stats", object{"storefronts": stats})
	for path, most := range map[string]int{"": 25 << 10, "routes": 25 << 10} {
		if path == "routes" {
			s.on("GET /admin/v1/destinations", object{"items": destinations, "next_cursor": "x"})
		}
		w := s.get(t, path)
		require.Equal(t, http.StatusOK, w.Code)
		require.LessOrEqual(t, packed(t, w.Body.Bytes()), most, "%q", path)
	}
}

func packed(t *testing.T, page []byte) int {
	t.Helper()
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestSpeed) // as the API does
	require.NoError(t, err)
	_, err = z.Write(page)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return b.Len()
}

// With the database away a page is there, says so with the request's id, and has a way to try again.
func TestWithoutADatabaseEveryPageStaysUsable(t *testing.T) {
	t.Parallel()
	for path := range console.Pages() {
		s := world("brio")
		for what := range s.answers {
			if what != "GET /admin/v1/me" {
				s.answers[what] = problem(http.StatusServiceUnavailable, "database_unavailable", "the database does not respond")
			}
		}
		w := s.get(t, addresses[path])
		body := w.Body.String()
		require.Contains(t, body, "<nav", path)
		require.Contains(t, body, "The counts are not available now", path)
		if path != "keys" && path != "search" && path != "storefronts/_new" && path != "erasures/_new" {
			require.Contains(t, body, "the database does not respond", path)
			require.Contains(t, body, "request-of-rest", path)
			require.Contains(t, body, "Retry", path)
		}
	}
}
