package cli_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/cmd/cli"
)

// healthy is a relay whose storefront bosley has no problem.
func healthy() *canned {
	return &canned{responses: map[string][]string{
		"GET /admin/v1/storefronts":  {`{"items":[{"id":5,"storefront_id":"bosley","name":"Bosley","is_active":true}]}`},
		"GET /admin/v1/sgtm-configs": {`{"items":[{"id":3,"sgtm_url":"https://gtm.example.com","client_type":"ga4","is_active":true,"fallback":"direct"}]}`},
		"GET /admin/v1/destinations": {`{"items":[{"storefront_code":"bosley","destination":"sgtm","receives_events":true,
			"health":{"state":"healthy","last_accepted_at":"2999-01-15T10:24:58Z"}}]}`},
		"GET /admin/v1/backlog": {`{"storefronts":[{"storefront":"bosley","pending":2,"processing":1,"oldest_pending_seconds":3}],"retries":[]}`},
		"GET /admin/v1/stats":   {`{"from":"2026-01-15T10:00:00Z","storefronts":[{"storefront":"bosley","received":40,"delivered":40,"failed":{},"skipped":{},"destinations":{}}]}`},
		"GET /admin/v1/events":  {`{"items":[]}`},
		"GET /admin/v1/replays": {`{"items":[{"id":9,"state":"running","filter":{"storefront":"brio"}}]}`},
		"GET /admin/v1/me":      {`{"name":"anna"}`},
		"GET /admin/v1/system": {`{"version":"v1","role":"serve","checks":{"database":"ok"},"workers":[{"id":"w"}],"temporal":{"reached":true},
			"started_at":"2026-01-15T10:00:00Z"}`},
		"POST /admin/v1/sgtm-configs/3/check": {`{"destination":"sgtm","ok":true,"warnings":["the test mode is on"]}`},
	}}
}

func TestTheProblemsOfAStorefrontComeFirst(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		path, response, says string
	}{
		"the storefront is off": {"GET /admin/v1/storefronts", `{"items":[{"storefront_id":"bosley","is_active":false,"switched_by":"rita","switched_at":"2026-01-15T10:00:00Z"}]}`,
			"! the storefront is off, by rita at 2026-01-15 10:00:00 UTC"},
		"the container is off": {"GET /admin/v1/sgtm-configs", `{"items":[{"id":3,"is_active":false,"fallback":"stop"}]}`, "! the container is off: fallback stop"},
		"an unreadable secret": {"GET /admin/v1/sgtm-configs", `{"items":[{"id":3,"is_active":true,"secrets_unreadable":true}]}`, "! sgtm: no key decrypts its secrets"},
		"nothing receives": {"GET /admin/v1/destinations", `{"items":[{"destination":"sgtm","receives_events":false,"health":{"state":"healthy"}}]}`,
			"! events go nowhere"},
		"a platform is off": {"GET /admin/v1/destinations", `{"items":[{"destination":"sgtm","receives_events":true,"health":{"state":"healthy","last_accepted_at":"2999-01-15T10:24:58Z"}},
			{"destination":"ga4","reason":"platform_disabled","switches":[{"level":"platform","is_active":false,"switched_by":"rita"}],"health":{"state":"healthy"}}]}`,
			"! ga4 gets no events: its platform is off, by rita"},
		"unhealthy": {"GET /admin/v1/destinations", `{"items":[{"destination":"sgtm","receives_events":true,"waiting":3,"failed":1,
			"health":{"state":"unhealthy","reason":"server_error","last_status":503,"failing_since":"2026-01-15T10:25:01Z"}}]}`,
			"! sgtm is unhealthy since 2026-01-15 10:25:01 UTC: server_error, 503; 3 events\n    in delivery, 1 event"},
		"a refused credential": {"GET /admin/v1/destinations", `{"items":[{"destination":"meta_capi","receives_events":true,
			"health":{"state":"failing","reason":"unauthorized","last_status":401,"failing_since":"2026-01-15T10:25:01Z"}}]}`,
			"! meta_capi refuses the credential (unauthorized, 401) since"},
		"quiet": {"GET /admin/v1/destinations", `{"items":[{"destination":"sgtm","receives_events":true,"health":{"state":"healthy","last_accepted_at":"2026-01-15T10:24:58Z"}}]}`,
			"! sgtm receives events, and has accepted none for 24 hours"},
		"an old pending event": {"GET /admin/v1/backlog", `{"storefronts":[{"storefront":"bosley","pending":2,"oldest_pending_seconds":7200}]}`,
			"! the oldest pending event has waited for 2 h"},
		"failures": {"GET /admin/v1/stats", `{"from":"2026-01-15T10:00:00Z","storefronts":[{"failed":{"exhausted":2,"unauthorized":7}}]}`,
			"! 9 events failed since 10:00:00: unauthorized=7 exhausted=2"},
		"a setting":     {"POST /admin/v1/sgtm-configs/3/check", `{"destination":"sgtm","ok":false,"message":"measurement_id: is required"}`, "! sgtm: measurement_id: is required"},
		"no worker":     {"GET /admin/v1/system", `{"checks":{"database":"ok"},"temporal":{"reached":true}}`, "! no worker shows a sign of life"},
		"no Temporal":   {"GET /admin/v1/system", `{"checks":{"temporal":"down"},"workers":[{"id":"w"}],"temporal":{"reached":false}}`, "1 problem:\n  ! Temporal does not respond"},
		"a lame relay":  {"GET /admin/v1/system", `{"checks":{"migrations":"old"},"workers":[{"id":"w"}],"temporal":{"reached":true}}`, "! the relay's check migrations: old"},
		"another place": {"GET /admin/v1/destinations", `{"items":[]}`, "! events go nowhere"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			relay := healthy()
			relay.responses[c.path] = []string{c.response}
			out, err := relay.run(t, "", "check", "bosley")
			require.Contains(t, out, c.says)
			require.ErrorContains(t, err, "bosley has ")
			require.Equal(t, cli.ExitProblem, cli.ExitCode(err))
			before, _, _ := strings.Cut(out, "KILL SWITCHES")
			require.Contains(t, before, "!")
			for line := range strings.Lines(before) {
				require.LessOrEqual(t, len(line), 81)
			}
		})
	}
}

func TestAStorefrontWithoutProblems(t *testing.T) {
	t.Parallel()
	c := healthy()
	out, err := c.run(t, "", "check", "bosley")
	require.NoError(t, err)
	for _, part := range []string{"no problem found", "2 pending, the oldest for 3 s; 1 in delivery", "40 received, 40 delivered, 0 failed", "sgtm: the test mode is on", "1 worker"} {
		require.Contains(t, out, part)
	}
	require.NotContains(t, out, "REPLAYS", "that of another storefront is none of this one")
	out, err = c.run(t, "", "check", "bosley", "--json")
	require.NoError(t, err)
	require.Contains(t, out, `"problems": []`)
}

func TestAPartThatCannotBeReadHidesNoOther(t *testing.T) {
	t.Parallel()
	c := healthy()
	delete(c.responses, "GET /admin/v1/backlog")
	out, err := c.run(t, "", "check", "bosley")
	require.Equal(t, cli.ExitUnavailable, cli.ExitCode(err))
	require.Contains(t, out, "? not read: backlog: ")
	require.Contains(t, out, "DESTINATIONS")
	c.responses["GET /admin/v1/me"] = []string{`{"read_only":true}`}
	out, err = c.run(t, "", "check", "bosley")
	require.Equal(t, cli.ExitUnavailable, cli.ExitCode(err), "for the backlog")
	require.Contains(t, out, "- not checked: settings: a login that may only read cannot check them")
	c.responses["GET /admin/v1/storefronts"] = []string{`{"items":[]}`}
	_, err = c.run(t, "", "check", "nobody")
	require.Equal(t, cli.ExitNotFound, cli.ExitCode(err))
}

func TestALoginThatMayOnlyReadFindsNoProblem(t *testing.T) {
	t.Parallel()
	c := healthy()
	c.responses["GET /admin/v1/me"] = []string{`{"read_only":true}`}
	out, err := c.run(t, "", "check", "bosley")
	require.NoError(t, err)
	require.Contains(t, out, "no problem found\n  - not checked: settings: a login that may only read cannot check them\n")
	out, err = c.run(t, "", "check", "bosley", "--json")
	require.NoError(t, err)
	require.Contains(t, out, `"unread": []`)
	require.Contains(t, out, `"not_checked": [`)
}
