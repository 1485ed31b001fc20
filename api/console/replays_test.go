package console_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAReplayStartsWhatWasCounted(t *testing.T) {
	t.Parallel()
	s := world("brio")
	body := s.get(t, "replays/new?status=failed&storefront=brio&window=24h").Body.String()
	require.Contains(t, body, "10 events would be started")
	require.Equal(t, "true", s.last(t, "POST /admin/v1/replays").query.Get("dry_run"))
	s.answers["POST /admin/v1/replays"] = reply{http.StatusCreated, object{"replay": object{"id": 3}}}
	require.NotContains(t, body, `name="counted"`)
	require.NotContains(t, body, "oldest of them only")
	w := s.post("replays/new", "status", "failed,skipped", "storefront", "brio", "failed_at", "ga4", "from", "2026-01-15T10:00:00Z", "rate", "50")
	require.Equal(t, http.StatusSeeOther, w.Code, w.Body.String())
	require.Equal(t, "../replays/3?done=request-of-page", w.Header().Get("Location"))
	require.JSONEq(t, `{"filter":{"status":["failed","skipped"],"storefront":"brio","failed_at":"ga4","from":"2026-01-15T10:00:00Z"},"rate":50}`, s.last(t, "POST /admin/v1/replays").body,
		"REST compares a number: where events still fail, it is another one by now")

	w = s.post("replays/new", "status", "delivered", "resend", "1", "destinations", "ga4, sgtm", "typed", "1,0x")
	require.Equal(t, http.StatusUnprocessableEntity, w.Code)
	w = s.post("replays/new", "status", "delivered", "resend", "1", "destinations", "ga4, sgtm", "typed", "1,234")
	require.Equal(t, http.StatusSeeOther, w.Code)
	require.JSONEq(t, `{"filter":{"status":["delivered"]},"resend":true,"destinations":["ga4","sgtm"],"confirm":1234}`, s.last(t, "POST /admin/v1/replays").body)
}

func TestACountOfTheOldestEventsOnlySaysSo(t *testing.T) {
	t.Parallel()
	s := world("brio")
	s.answers["POST /admin/v1/replays"] = reply{http.StatusOK, object{"dry_run": object{"events": 40_000, "partial": true,
		"by": list{object{"storefront_code": "brio", "destination": "ga4", "reason": "exhausted", "events": 10_000, "too_old": 1}}}}}
	body := s.get(t, "replays/new?status=failed").Body.String()
	require.Contains(t, body, "40,000 events would be started")
	require.Contains(t, body, "The table counts the oldest of them only")
}

func TestAReplayOfTooManyEventsToCountStarts(t *testing.T) {
	t.Parallel()
	s := world("brio")
	s.answers["POST /admin/v1/replays"] = problem(http.StatusUnprocessableEntity, "too_many_events", "counting takes too long; narrow the filter, by time for example")
	body := s.get(t, "replays/new?status=failed&storefront=brio").Body.String()
	require.Contains(t, body, "Too many events to count")
	require.Contains(t, body, "Start the replay</button>")
	require.Contains(t, body, `<input type="hidden" name="storefront" value="brio">`)
	body = s.get(t, "replays/new?status=delivered&resend=1&destinations=ga4").Body.String()
	require.Contains(t, body, "counting takes too long")
	require.NotContains(t, body, "Start the replay", "a resend needs the number")

	s.answers["POST /admin/v1/replays"] = problem(http.StatusUnprocessableEntity, "invalid_value", "there is no such storefront")
	require.NotContains(t, s.get(t, "replays/new?storefront=unknown").Body.String(), "Start the replay")
}

func TestAReplayIsSteered(t *testing.T) {
	t.Parallel()
	s := world("brio")
	for _, do := range []string{"pause", "resume", "cancel"} {
		s.on("POST /admin/v1/replays/3/"+do, object{"id": 3})
		require.Equal(t, http.StatusSeeOther, s.post("replays/3", "do", do).Code, do)
		require.Equal(t, 1, s.count("POST /admin/v1/replays/3/"+do))
	}
	s.on("PATCH /admin/v1/replays/3", object{"id": 3})
	require.Equal(t, http.StatusSeeOther, s.post("replays/3", "do", "rate", "rate", "50").Code)
	require.JSONEq(t, `{"rate":50}`, s.last(t, "PATCH /admin/v1/replays/3").body)
	require.Equal(t, http.StatusUnprocessableEntity, s.post("replays/3", "do", "rate", "rate", "fast").Code)
}
