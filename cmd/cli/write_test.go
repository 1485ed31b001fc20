package cli_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEventsAreCountedAndCancelled(t *testing.T) {
	t.Parallel()
	c := &canned{responses: map[string][]string{
		"GET /admin/v1/events/count":     {`{"count":10000,"more":true,"text":"10,000+"}`},
		"POST /admin/v1/events/7/cancel": {`{"id":7,"cancelled":true,"message":"the event is cancelled","status":"failed"}`},
		"POST /admin/v1/events/8/cancel": {`{"id":8,"cancelled":false,"message":"its delivery was asked to end","status":"processing"}`},
	}}
	out, err := c.run(t, "", "events", "count", "--status", "failed", "--waiting-at", "sgtm", "--failed-at", "ga4")
	require.NoError(t, err)
	require.Equal(t, "10,000+\n", out)
	require.Equal(t, []string{"anna GET /admin/v1/events/count?failed_at=ga4&status=failed&waiting_at=sgtm"}, c.asked)
	out, err = c.run(t, "", "events", "cancel", "7", "--note", "ticket 4711")
	require.NoError(t, err)
	require.Equal(t, "event 7: the event is cancelled\n", out)
	require.Equal(t, "ticket 4711", c.note)
	out, err = c.run(t, "", "events", "cancel", "7", "8", "9")
	require.ErrorContains(t, err, "2 of 3 events were not cancelled")
	require.Contains(t, out, "event 8: its delivery was asked to end\n")
	require.Contains(t, out, "event 9: there is no event with this id (404 not_found)\n")
	require.Empty(t, c.note)
	_, err = c.run(t, "", "replay", "start", "--waiting-at", "sgtm")
	require.ErrorContains(t, err, "unknown flag", "a replay selects ended events")
}

func TestTheBacklogIsATable(t *testing.T) {
	t.Parallel()
	c := &canned{responses: map[string][]string{"GET /admin/v1/backlog": {`{"pending":121,"processing":15,"oldest_pending_seconds":3.2,
		"storefronts":[{"storefront":"bosley","pending":120,"processing":15,"oldest_pending_seconds":3.2}],"unknown_storefront":{"pending":1},
		"retries":[{"storefront":"bosley","destination":"tiktok","events":5,"next_attempt_at":"2026-01-15T10:26:01Z"}]}`}}}
	out, err := c.run(t, "", "backlog")
	require.NoError(t, err)
	for _, part := range []string{"bosley      120", "(none)", "in all", "3 s", "tiktok", "2026-01-15 10:26:01"} {
		require.Contains(t, out, part)
	}
	out, err = c.run(t, "", "backlog", "--json")
	require.NoError(t, err)
	require.Contains(t, out, `"pending": 121`)
}
