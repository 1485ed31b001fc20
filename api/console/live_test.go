package console_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheTailListensToItsFilter(t *testing.T) {
	t.Parallel()
	s := newSite()
	body := s.get(t, "live?storefront=brio&outcome=retry").Body.String()
	require.Contains(t, body, `data-live="./../admin/v1/live?outcome=retry&amp;storefront=brio"`)
	require.Contains(t, body, "It is a sample")
	require.Contains(t, body, `<template id="is-accepted"><span class="state ok">`)
	require.Empty(t, s.count("GET /admin/v1/live"), "the script listens")
}

// What happens elsewhere is no reason to read a page again.
func TestAPageListensToItsStorefrontAndDestination(t *testing.T) {
	t.Parallel()
	for path, filter := range map[string]string{
		"events": "", "events?status=failed": "", "events?storefront=brio&status=failed": "?storefront=brio",
		"events?storefront=brio&destination=ga4": "?destination=ga4&amp;storefront=brio", "events?waiting_at=sgtm": "?destination=sgtm",
		"events?destination=ga4&waiting_at=sgtm": "", "events?destination=g%24": "", // the list says what is wrong with it
		"storefronts/brio/meta_capi": "?destination=meta_capi&amp;storefront=brio", "destinations?storefront=brio": "?storefront=brio", "?storefront=brio": "?storefront=brio",
	} {
		require.Contains(t, world("brio").get(t, path).Body.String(), `admin/v1/live`+filter+`"`, path)
	}
}

// The script takes the list alone out of what it reads again, and a count is not cheap.
func TestAListThatIsReadAgainIsNotCountedAgain(t *testing.T) {
	t.Parallel()
	s := world("brio")
	r := httptest.NewRequest(http.MethodGet, "/console/events?status=failed", nil)
	r.Header.Set("Relay-Refresh", "1")
	w := s.do(r)
	require.Equal(t, http.StatusOK, w.Code)
	require.Contains(t, w.Body.String(), `data-row="7"`)
	require.Zero(t, s.count("GET /admin/v1/events/count"))
	s.get(t, "events?status=failed")
	require.Equal(t, 1, s.count("GET /admin/v1/events/count"))
}

func TestWithoutAScriptTheTailIsReadOnce(t *testing.T) {
	t.Parallel()
	s := newSite()
	s.on("GET /admin/v1/live", strings.Join([]string{"retry: 3000", `event: figures
data: {"received":1}`, `event: attempt
data: {"id":1,"event_id":4711,"storefront":"brio","destination":"tiktok","number":1,"outcome":"sending","at":"2026-01-15T10:00:00Z"}`, `event: attempt
data: {"id":2,"event_id":4712,"storefront":"brio","destination":"ga4","number":1,"outcome":"accepted","status":204,"ms":8,"at":"2026-01-15T10:00:01Z"}`, `event: attempt
data: {"id":1,"event_id":4711,"storefront":"brio","destination":"tiktok","number":1,"outcome":"retry","reason":"server_error","status":503,"ms":12,"at":"2026-01-15T10:00:00Z"}`, ": heartbeat"}, "\n\n"))
	body := s.get(t, "live?now=1&destination=tiktok").Body.String()
	require.Less(t, indexOf(t, body, `data-row="2"`), indexOf(t, body, `data-row="1"`), "the newest first")
	require.Equal(t, 1, strings.Count(body, `data-row="1"`))
	require.Contains(t, body, "server error")
	require.NotContains(t, strings.Split(body, "<template")[0], "sending</span>")
	require.Equal(t, "tiktok", s.last(t, "GET /admin/v1/live").query.Get("destination"))

	s.answers["GET /admin/v1/live"] = problem(http.StatusServiceUnavailable, "database_unavailable", "the database does not respond")
	w := s.get(t, "live?now=1")
	require.Equal(t, http.StatusOK, w.Code)
	require.Contains(t, w.Body.String(), "the database does not respond")
}
