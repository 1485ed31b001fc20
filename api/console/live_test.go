package console_test

import (
	"net/http"
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
