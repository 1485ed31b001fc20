package cli_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	firstDestinations = `{"items":[{"storefront_code":"bosley","destination":"sgtm","receives_events":true,"waiting":3,"failed":40,
		"limits":{"in_flight":10,"per_second":2.5},"health":{"state":"unhealthy","reason":"server_error","last_status":503,"failures":240,
		"failing_since":"2026-01-15T10:25:00Z","last_accepted_at":"2026-01-15T10:24:58Z","next_probe_at":"2026-01-15T10:30:00Z"}}],"next_cursor":"abc"}`
	lastDestinations = `{"items":[{"storefront_code":"bosley","destination":"ga4","receives_events":false,"reason":"credential_disabled","limits":{},
		"switches":[{"level":"storefront","is_active":true},{"level":"credential","is_active":false,"switched_by":"ann"}],
		"health":{"state":"healthy","failures":0}},
		{"storefront_code":"bosley","destination":"meta_capi","receives_events":true,"reason":"behind_container","limits":{},"health":{"state":"healthy"}}]}`
)

func TestDestinationsAreShownWithCauseAndReason(t *testing.T) {
	t.Parallel()
	c := &canned{responses: map[string][]string{"GET /admin/v1/destinations": {firstDestinations, lastDestinations}}}
	out, err := c.run(t, "", "destinations", "--storefront", "bosley", "--health", "unhealthy")
	require.NoError(t, err)
	require.Equal(t, []string{
		"anna GET /admin/v1/destinations?health=unhealthy&limit=100&storefront=bosley",
		"anna GET /admin/v1/destinations?cursor=abc&health=unhealthy&limit=100&storefront=bosley",
	}, c.asked)
	for _, part := range []string{"unhealthy", "server_error, 503", "2026-01-15 10:25:00", "2026-01-15 10:24:58", "2026-01-15 10:30:00", "10 at a time, 2.5 a second",
		"no (credential_disabled, by ann)", "some (behind_container)"} {
		require.Contains(t, out, part)
	}
	c.responses["GET /admin/v1/destinations"] = []string{lastDestinations}
	out, err = c.run(t, "", "destinations", "--json")
	require.NoError(t, err)
	require.Contains(t, out, `"receives_events": false`)
}

func TestAProbePrintsItsResult(t *testing.T) {
	t.Parallel()
	const path = "POST /admin/v1/destinations/bosley/sgtm/probe"
	c := &canned{responses: map[string][]string{path: {`{"probe":"started","event_id":7,"text":"Event 7 is sent again."}`,
		`{"probe":"not_needed","text":"The destination is not unhealthy."}`}}}
	out, err := c.run(t, "", "probe", "bosley", "sgtm")
	require.NoError(t, err)
	require.Equal(t, "Event 7 is sent again.\n", out)
	out, err = c.run(t, "", "probe", "bosley", "sgtm", "--json")
	require.ErrorContains(t, err, "nothing was probed", "a command without effect fails")
	require.Contains(t, out, "not_needed")
	_, err = c.run(t, "", "probe", "bosley")
	require.Error(t, err)
	_, err = c.run(t, "", "probe", "bosley", "tiktok")
	require.ErrorContains(t, err, "404")
}

func TestAReplayAtAnUnhealthyDestinationWarnsBeforeItAsks(t *testing.T) {
	t.Parallel()
	c := &canned{responses: map[string][]string{"POST /admin/v1/replays": {`{"dry_run":{"events":3,"by":[]},"unhealthy":[{"storefront_code":"bosley",
		"destination":"sgtm","reason":"server_error","last_status":503,"next_probe_at":"2026-01-15T10:30:00Z"}]}`}}}
	out, err := c.run(t, "n\n", "replay", "start", "--dry-run")
	require.NoError(t, err)
	require.Contains(t, out, "sgtm of bosley is unhealthy (server_error, 503)")
}
