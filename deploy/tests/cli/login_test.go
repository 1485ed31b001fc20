package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestALoginIsKeptInFilesOfItsOwner(t *testing.T) {
	w, u := setup(t), newUser(t)
	require.Contains(t, u.fails(usage, "login", w.Relay.URL, "--username", admin), "there is no terminal")
	require.Contains(t, u.run("wrong", "login", w.Relay.URL, "--username", admin, "--password-file", "-").notices, "401")
	_, err := os.Stat(filepath.Join(u.home, "relay"))
	require.ErrorIs(t, err, os.ErrNotExist, "a login that was refused is not kept")

	r := u.run(password+"\n", "login", w.Relay.URL, "--username", admin, "--password-file", "-", "--profile", "home")
	require.Equal(t, 0, r.code, r.notices)
	require.NotContains(t, r.out+r.notices, password)
	u.ok("login", w.Relay.URL+"/", "--username", reader, "--password-file", secretFile(t, password), "--profile", "other")
	require.Contains(t, u.ok("whoami"), "rita", "the latest login is the current profile")
	require.Contains(t, u.ok("whoami", "--profile", "home"), "anna")
	u.ok("profiles", "use", "home")
	require.Regexp(t, `home +\S+ +anna +yes +yes`, u.ok("profiles"))
	require.Contains(t, u.ok("whoami"), "anna")
	u.fails(notFound, "profiles", "use", "nowhere")
	require.Contains(t, u.fails(usage, "backlog", "--profile", "nowhere"), "there is no profile nowhere")

	keyring := filepath.Join(u.home, "relay", "keyring.json")
	for _, name := range []string{"keyring.json", "profiles.json"} {
		info, err := os.Stat(filepath.Join(u.home, "relay", name))
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	}
	require.NoError(t, os.Chmod(keyring, 0o640))
	require.Contains(t, u.fails(usage, "whoami"), "others can read")
	require.NoError(t, os.Chmod(keyring, 0o600))
	u.ok("logout")
	u.ok("logout", "--profile", "other")
	u.fails(notFound, "logout", "--profile", "other")
	stored, err := os.ReadFile(keyring)
	require.NoError(t, err)
	require.NotContains(t, string(stored), password)
}

func TestALoginOfTheEnvironmentAndAProfileAreNotMixed(t *testing.T) {
	w, u := setup(t), newUser(t)
	require.Equal(t, 0, u.run(password, "login", w.Relay.URL, "--username", admin, "--password-file", "-").code)
	u.env = append(u.env, "RELAY_URL=http://127.0.0.1:1")
	require.Contains(t, u.fails(unavailable, "whoami"), "RELAY_URL", "the address of the environment has no login of a profile")
	require.Contains(t, u.ok("whoami", "--profile", "default"), "anna", "a profile that is named comes first")
}

func TestCompletionsKnowTheNamesOfARelay(t *testing.T) {
	w, rita := setup(t), as(t, reader)
	w.Storefront(t, "completed")
	for line, name := range map[string]string{
		"storefronts show com":                    "completed",
		"check com":                               "completed",
		"check completed sg":                      "sgtm",
		"switches off credential completed meta":  "meta_capi",
		"events list --storefront com":            "completed",
		"credentials create --platform-code meta": "meta_capi",
		"storefronts create --is-active t":        "true",
		"completion b":                            "bash\tPrint the script for bash",
	} {
		require.Contains(t, strings.Split(rita.ok(append([]string{"__complete"}, strings.Fields(line)...)...), "\n"), name, line)
	}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		require.Contains(t, rita.ok("completion", shell), "__complete", shell)
	}
	away := newUser(t)
	away.env = append(away.env, "RELAY_URL=http://127.0.0.1:1")
	require.Contains(t, away.ok("__complete", "storefronts", "show", ""), ":4", "a shell gets no error, and no files")
}
