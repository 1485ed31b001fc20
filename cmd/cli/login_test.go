package cli_test

import (
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/cmd/cli"
)

func TestALoginAndALogoutAreOfTheProfileOfTheEnvironment(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(&canned{responses: map[string][]string{"GET /admin/v1/me": {`{"name":"anna"}`}}})
	defer server.Close()
	dir, staging := t.TempDir(), cli.Environment{Profile: "staging"}
	login := []string{"login", server.URL, "--username", "anna", "--password-file", "-"}
	_, err := run(t, cli.Environment{}, dir, "x", append(login, "--profile", "production")...)
	require.NoError(t, err)
	out, err := run(t, staging, dir, "x", login...)
	require.NoError(t, err)
	require.Contains(t, out, "profile staging")
	out, err = run(t, staging, dir, "", "profiles")
	require.NoError(t, err)
	require.Regexp(t, `production +\S+ +anna +yes +no`, out)
	require.Regexp(t, `staging +\S+ +anna +yes +yes`, out)

	_, err = run(t, staging, dir, "", "profiles", "use", "production")
	require.NoError(t, err)
	out, err = run(t, staging, dir, "", "logout")
	require.NoError(t, err)
	require.Equal(t, "profile staging is forgotten\n", out)
	out, err = run(t, staging, dir, "", "logout", "--profile", "production")
	require.NoError(t, err)
	require.Equal(t, "profile production is forgotten\n", out, "the flag comes first")
}

func TestALoginAtAnotherRelayReplacesNoProfileUnasked(t *testing.T) {
	t.Parallel()
	relays := make([]*httptest.Server, 2)
	for i := range relays {
		relays[i] = httptest.NewServer(&canned{responses: map[string][]string{"GET /admin/v1/me": {`{"name":"anna"}`}}})
		defer relays[i].Close()
	}
	dir := t.TempDir()
	login := func(e cli.Environment, url string, more ...string) error {
		_, err := run(t, e, dir, "x", append([]string{"login", url, "--username", "anna", "--password-file", "-"}, more...)...)
		return err
	}
	require.NoError(t, login(cli.Environment{}, relays[0].URL, "--profile", "production"))
	for _, e := range []cli.Environment{{}, {Profile: "production"}} {
		err := login(e, relays[1].URL)
		require.ErrorContains(t, err, "profile production is of "+relays[0].URL)
		require.Equal(t, cli.ExitUsage, cli.ExitCode(err))
	}
	out, err := run(t, cli.Environment{}, dir, "", "profiles")
	require.NoError(t, err)
	require.Contains(t, out, relays[0].URL)
	require.NoError(t, login(cli.Environment{}, relays[0].URL+"/"), "the same relay")
	require.NoError(t, login(cli.Environment{}, relays[1].URL, "--profile", "staging"), "a new profile")
	require.NoError(t, login(cli.Environment{}, relays[1].URL, "--profile", "production"), "it was named")
}
