package cli_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Codes of an exit.
const (
	usage        = 2
	notFound     = 3
	unauthorized = 4
	refused      = 5
	conflict     = 6
	unavailable  = 7
	aProblem     = 8
)

func TestAStorefrontIsConfiguredFromATerminal(t *testing.T) {
	w, anna := setup(t), as(t, admin)
	anna.ok("storefronts", "create", "--storefront-id", "corso", "--name", "Corso", "--currency", "EUR", "--require-consent", "true", "--note", "ticket 1")
	require.Contains(t, anna.ok("storefronts", "list", "--search", "cors"), "Corso")
	shown := object(t, anna.ok("storefronts", "show", "corso", "--json"))
	require.Equal(t, "EUR", shown["currency"])
	require.Equal(t, true, shown["require_consent"])
	require.Contains(t, anna.ok("storefronts", "set", "corso", "--name", "Corso Due"), "Corso Due")

	r := anna.run("a secret of eight\n", "containers", "create", "--storefront-code", "corso", "--sgtm-url", w.Sandbox.BaseURL+"/corso", "--measurement-id", "G-CORSO",
		"--secret", "api_secret=-")
	require.Equal(t, 0, r.code, r.notices)
	require.NotContains(t, r.out+r.notices, "a secret of eight")
	require.Contains(t, anna.ok("containers", "show", "corso"), "api_secret.is_set")
	require.Contains(t, anna.ok("containers", "list", "--storefront", "corso"), w.Sandbox.BaseURL)

	token := secretFile(t, "EAAB-of-a-file")
	out := anna.ok("credentials", "create", "--storefront-code", "corso", "--platform-code", "meta_capi", "--field", "pixel_id=1234567890", "--secret", "access_token=@"+token,
		"--options", `{"identifiers":"hashed"}`)
	require.Contains(t, out, "1234567890")
	require.NotContains(t, out, "EAAB")
	require.Contains(t, anna.ok("credentials", "show", "corso", "meta_capi"), "options.identifiers")
	require.Contains(t, anna.ok("check", "corso", "meta_capi"), "the settings are complete")
	require.Contains(t, anna.ok("audit", "list", "--entity", "storefronts"), "ticket 1")
	require.Contains(t, anna.ok("audit", "export", "--actor", admin), `"note":"ticket 1"`)

	require.Contains(t, anna.fails(conflict, "storefronts", "delete", "corso", "--yes"), "used by 1")
	require.Contains(t, anna.ok("credentials", "delete", "corso", "meta_capi", "--yes"), "done")
	anna.ok("containers", "delete", "corso", "--yes")
	anna.ok("storefronts", "delete", "corso", "--yes")
	require.Contains(t, anna.fails(notFound, "storefronts", "show", "corso"), "there is no storefront corso")
}

func TestSecretsInArgumentsAreRefusedUnseen(t *testing.T) {
	anna := as(t, admin)
	open := secretFile(t, "hunter2-of-a-file")
	require.NoError(t, os.Chmod(open, 0o644))
	for name, args := range map[string][]string{
		"a field of its own":     {"containers", "create", "--storefront-code", "x", "--sgtm-url", "https://x.example.com", "--api-secret", "hunter2-hunter2"},
		"headers":                {"containers", "set", "x", "--custom-headers", `{"X-Key":"hunter2-hunter2"}`},
		"credentials as JSON":    {"credentials", "set", "x", "meta_capi", "--credentials", `{"access_token":"hunter2-hunter2"}`},
		"a plain field":          {"credentials", "set", "x", "meta_capi", "--field", "access_token=hunter2-hunter2"},
		"a value of --secret":    {"credentials", "set", "x", "meta_capi", "--secret", "access_token=hunter2-hunter2"},
		"a file others can read": {"credentials", "set", "x", "meta_capi", "--secret", "access_token=@" + open},
		"a password":             {"login", "http://localhost:1", "--username", "anna", "--password", "hunter2-hunter2"},
	} {
		said := anna.fails(usage, args...)
		require.NotContains(t, said, "hunter2-", name)
		require.Regexp(t, "secret|others can read", said, name)
	}
	said := newUser(t)
	said.env = append(said.env, "RELAY_URL=http://anna:hunter2@localhost:1")
	words := said.fails(usage, "backlog")
	require.Contains(t, words, "has a login in it")
	require.NotContains(t, words, "hunter2")
}

func TestAChangeInTheMeantimeIsAConflict(t *testing.T) {
	w, anna := setup(t), as(t, admin)
	w.Storefront(t, "meantime")
	require.Contains(t, anna.fails(conflict, "storefronts", "set", "meantime", "--name", "x", "--if-match", `"old"`), "version_mismatch")
	anna.ok("storefronts", "set", "meantime", "--name", "x", "--if-match", "*")
	require.Contains(t, anna.fails(conflict, "switches", "off", "storefront", "meantime", "--if-match", `"old"`), "version_mismatch")
	require.Contains(t, anna.fails(refused, "storefronts", "set", "meantime", "--currency", "euros"), "currency")
	require.Contains(t, anna.fails(usage, "storefronts", "set", "meantime"), "nothing to write")
	require.Contains(t, anna.fails(usage, "storefronts", "set", "meantime", "--is-active", "perhaps"), "true or false")
	require.Contains(t, anna.fails(aProblem, "storefronts", "delete", "meantime"), "not confirmed")
}

func TestKillSwitchesAreSetAndListed(t *testing.T) {
	w, anna := setup(t), as(t, admin)
	w.Storefront(t, "flips")
	require.Contains(t, anna.ok("switches", "off", "sgtm", "flips", "--dry-run"), "nothing was changed")
	require.Contains(t, anna.ok("switches", "off", "sgtm", "flips", "--fallback", "stop", "--note", "ticket 9"), "events of flips now go nowhere")
	list := anna.ok("switches", "list", "--off", "--storefront", "flips")
	require.Regexp(t, `sgtm +flips +OFF +stop +anna`, list)
	require.NotContains(t, list, "storefront  flips")
	require.Contains(t, anna.ok("switches", "off", "sgtm", "flips"), "it was switched so before")
	require.Contains(t, anna.ok("switches", "on", "sgtm", "flips"), "events of flips now go to: sgtm")
	require.Contains(t, anna.ok("destinations", "show", "flips", "sgtm"), "ticket 9")
	require.Contains(t, as(t, reader).fails(unauthorized, "switches", "off", "storefront", "flips"), "read-only")
	require.Contains(t, anna.fails(notFound, "switches", "off", "storefront", "nobody"), "there is no storefront nobody")
	require.Contains(t, anna.fails(notFound, "switches", "on", "platform", "id:999999"), "404")
	id := object(t, anna.ok("storefronts", "show", "flips", "--json"))["id"]
	require.NotNil(t, id)
	require.Contains(t, anna.ok("platforms", "show", "meta_capi"), "credential_fields:")
	require.Contains(t, anna.ok("platforms", "list", "--tier", "1", "--limit", "1"), "There are more")
}

func TestEveryListAndViewIsShown(t *testing.T) {
	w, rita := setup(t), as(t, reader)
	w.Storefront(t, "shown")
	for line, part := range map[string]string{
		"whoami":                          "rita",
		"system show":                     "temporal.reached",
		"system alive":                    "status",
		"system ready":                    "database",
		"backlog":                         "in all",
		"destinations":                    "shown",
		"destinations show shown sgtm":    "health.state",
		"containers list":                 "STOREFRONT",
		"credentials list":                "ID",
		"platforms list --limit 0":        "meta_capi",
		"storefronts list":                "shown",
		"switches list":                   "LEVEL",
		"stats events --from 2h":          "received from",
		"stats attempts":                  "STOREFRONT",
		"stats levels":                    "fresh_within_seconds",
		"stats levels --json":             `"windows"`,
		"notify status":                   "last sent",
		"stats series --by outcome":       "HOUR (UTC)",
		"audit list":                      "ID",
		"erasures list":                   "ID",
		"replay list --state running":     "ID",
		"events list --status failed":     "ID",
		"events count":                    "",
		"audit export --entity nothing":   "",
		"events list --json --from 1h":    `"items"`,
		"storefronts list --json":         `"items"`,
		"stats attempts --json --from 1h": `"destinations"`,
	} {
		require.Contains(t, rita.ok(strings.Fields(line)...), part, line)
	}
	require.Contains(t, as(t, "mallory").fails(unauthorized, "backlog"), "401")
	for _, line := range []string{"replay show 99999", "erasures show 99999", "destinations show shown tiktok", "events show 99999"} {
		rita.fails(notFound, strings.Fields(line)...)
	}
	nowhere := newUser(t)
	nowhere.env = append(nowhere.env, "RELAY_URL=http://127.0.0.1:1")
	require.Contains(t, nowhere.fails(unavailable, "backlog"), "no relay responds")
	for _, line := range []string{"storefront", "storefronts show", "storefronts show a b", "stats events --from yesterday", "events tail --since -1s", "stats", "backlog --nonsense"} {
		rita.fails(usage, strings.Fields(line)...)
	}
}
