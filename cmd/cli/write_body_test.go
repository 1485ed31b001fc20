package cli_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/cmd/cli"
)

const platformMeta = `{"items":[{"id":1,"code":"meta_capi","credential_fields":[{"field":"pixel_id","secret":false},{"field":"access_token","secret":true}]}]}`

func file(t *testing.T, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	require.NoError(t, os.Chmod(path, mode))
	return path
}

func TestABodyIsMadeOfFlagsFilesAndSecrets(t *testing.T) {
	t.Parallel()
	token := file(t, "EAAB-token\r\n", 0o600)
	for name, c := range map[string]struct {
		in   string
		args []string
		sent string
	}{
		"flags by their types": {"", []string{"storefronts", "create", "--storefront-id", "5", "--id", "7", "--is-active", "false", "--name", ""},
			`POST /admin/v1/storefronts {"id":7,"is_active":false,"name":"","storefront_id":"5"}`},
		"a file, and flags over it": {"", []string{"platforms", "create", "--file", file(t, `{"code":"x","tier":1.0,"name":"a"}`, 0o644), "--name", "b"},
			`POST /admin/v1/platforms {"code":"x","name":"b","tier":1.0}`},
		"a file without a secret": {"", []string{"containers", "create", "--file", file(t, `{"storefront_code":"bosley","api_secret":null}`, 0o644)},
			`POST /admin/v1/sgtm-configs {"api_secret":null,"storefront_code":"bosley"}`},
		"a file with one": {"", []string{"containers", "create", "--file", file(t, `{"storefront_code":"bosley","api_secret":"s3cret-s3cret"}`, 0o600)},
			`POST /admin/v1/sgtm-configs {"api_secret":"s3cret-s3cret","storefront_code":"bosley"}`},
		"standard input": {`{"code":"x"}`, []string{"platforms", "create", "--file", "-"}, `POST /admin/v1/platforms {"code":"x"}`},
		"JSON of a file": {"", []string{"platforms", "create", "--code", "x", "--limits", "@" + file(t, "{\"in_flight\":2}\n", 0o644)},
			`POST /admin/v1/platforms {"code":"x","limits":{"in_flight":2}}`},
		"a secret of standard input": {"s3cret-s3cret\n", []string{"containers", "create", "--storefront-code", "bosley", "--secret", "api_secret=-"},
			`POST /admin/v1/sgtm-configs {"api_secret":"s3cret-s3cret","storefront_code":"bosley"}`},
		"a header": {"", []string{"containers", "create", "--secret", "custom_headers.X-Key=@" + token},
			`POST /admin/v1/sgtm-configs {"custom_headers":{"X-Key":"EAAB-token"}}`},
		"fields of a credential": {"", []string{"credentials", "create", "--platform-code", "meta_capi", "--field", "pixel_id=12", "--secret", "access_token=@" + token},
			`POST /admin/v1/credentials {"credentials":{"access_token":"EAAB-token","pixel_id":"12"},"platform_code":"meta_capi"}`},
		"beside those of a file": {`{"platform_code":"meta_capi","credentials":{"pixel_id":"1","access_token":"a"}}`,
			[]string{"credentials", "create", "--file", "-", "--platform-code", "meta_capi", "--field", "pixel_id=", "--secret", "access_token="},
			`POST /admin/v1/credentials {"credentials":{"access_token":"","pixel_id":""},"platform_code":"meta_capi"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			relay := &canned{responses: map[string][]string{"GET /admin/v1/platforms": {platformMeta}, "POST /admin/v1/storefronts": {`{"id":7}`},
				"POST /admin/v1/platforms": {`{"id":1}`}, "POST /admin/v1/sgtm-configs": {`{"id":3}`}, "POST /admin/v1/credentials": {`{"id":4}`}}}
			out, err := relay.run(t, c.in, c.args...)
			require.NoError(t, err)
			require.Equal(t, "anna "+c.sent, relay.asked[len(relay.asked)-1])
			require.NotContains(t, out, "EAAB")
		})
	}
}

func TestABodyThatCannotBeMadeSendsNothing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in   string
		args []string
		says string
	}{
		"not JSON":            {"x", []string{"platforms", "create", "--file", "-"}, "not a JSON object"},
		"null":                {"null", []string{"platforms", "create", "--file", "-"}, "not a JSON object"},
		"a list":              {"[]", []string{"platforms", "create", "--file", "-"}, "not a JSON object"},
		"no file":             {"", []string{"platforms", "create", "--file", "/nowhere"}, "no such file"},
		"not a number":        {"", []string{"platforms", "create", "--tier", "one"}, "must be a number"},
		"text for a number":   {"", []string{"platforms", "create", "--tier", `"1"`}, "must be a number"},
		"not an object":       {"", []string{"platforms", "create", "--limits", "x"}, "--limits: is not JSON"},
		"twice from input":    {"x", []string{"containers", "create", "--file", "-", "--secret", "api_secret=-"}, "standard input can be read once"},
		"no such secret":      {"", []string{"containers", "create", "--secret", "password"}, "there is no secret of this name"},
		"a member of a text":  {"", []string{"containers", "create", "--secret", "api_secret.x=-"}, "there is no secret of this name"},
		"headers as a whole":  {"", []string{"containers", "create", "--secret", "custom_headers=-"}, "there is no secret of this name"},
		"an empty secret":     {"\n", []string{"containers", "create", "--secret", "api_secret=-"}, "is empty"},
		"no terminal":         {"", []string{"containers", "create", "--secret", "api_secret"}, "there is no terminal"},
		"an unlisted field":   {"", []string{"credentials", "create", "--platform-code", "meta_capi", "--field", "header:X-Key=abcdefgh"}, "a secret is not read from arguments"},
		"an unknown platform": {"", []string{"credentials", "create", "--field", "pixel_id=1"}, "name the platform by its code"},
		"not a field":         {"", []string{"credentials", "create", "--field", "pixel_id"}, "NAME=VALUE"},
		"credentials of text": {`{"credentials":"x"}`, []string{"credentials", "create", "--file", "-", "--secret", "access_token="}, "credentials is not an object"},
		"others can read it":  {"", []string{"containers", "create", "--secret", "api_secret=@" + file(t, "s3cret-s3cret", 0o640)}, "others can read"},
		"a body with a secret that others can read": {"", []string{"containers", "create", "--file", file(t, `{"storefront_code":"x","api_secret":"s3cret-s3cret"}`, 0o644)}, "--file: "},
		"a body with headers that others can read":  {"", []string{"containers", "set", "id:3", "--file", file(t, `{"custom_headers":{"X-Key":"s3cret-s3cret"}}`, 0o640)}, "others can read"},
		"credentials that others can read":          {"", []string{"credentials", "create", "--file", file(t, `{"credentials":{"access_token":"s3cret-s3cret"}}`, 0o604)}, "chmod 600"},
		"an argument":                               {"", []string{"containers", "create", "--secret", "api_secret=s3cret-s3cret"}, "not read from arguments"},
		"nothing":                                   {"", []string{"containers", "create"}, "nothing to write"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			relay := &canned{responses: map[string][]string{"GET /admin/v1/platforms": {platformMeta}}}
			_, err := relay.run(t, c.in, c.args...)
			require.ErrorContains(t, err, c.says)
			require.NotContains(t, err.Error(), "s3cret")
			require.NotContains(t, err.Error(), "abcdefgh")
			require.Equal(t, cli.ExitUsage, cli.ExitCode(err))
			for _, request := range relay.asked {
				require.NotContains(t, request, "POST")
			}
		})
	}
}

func TestAThingIsNamedByItsCodesOrItsID(t *testing.T) {
	t.Parallel()
	relay := &canned{responses: map[string][]string{"GET /admin/v1/storefronts": {`{"items":[{"id":12}]}`}, "GET /admin/v1/storefronts/12": {`{"id":12,"name":"Bosley","a":{"b":1}}`},
		"GET /admin/v1/storefronts/5": {`{"id":5,"items":[{"x":1},{"y":"2026-01-15T10:25:00Z"}]}`}, "DELETE /admin/v1/storefronts/12": {""}, "GET /admin/v1/credentials": {`{"items":[]}`}}}
	out, err := relay.run(t, "", "storefronts", "show", "5")
	require.NoError(t, err)
	require.Equal(t, "anna GET /admin/v1/storefronts?storefront_id=5", relay.asked[0], "digits alone are a code")
	require.Equal(t, "id    12\nname  Bosley\na.b   1\n", out)
	out, err = relay.run(t, "", "storefronts", "show", "id:5")
	require.NoError(t, err)
	require.Contains(t, out, "items:\nX  Y\n1  \n   2026-01-15 10:25:00\n")
	_, err = relay.run(t, "n\n", "storefronts", "delete", "bosley")
	require.Equal(t, cli.ExitProblem, cli.ExitCode(err))
	out, err = relay.run(t, "y\n", "storefronts", "delete", "bosley", "--note", "ticket 7")
	require.NoError(t, err)
	require.Contains(t, out, "Delete bosley from the storefronts? Its id is never used again. [y/N] done\n")
	require.Equal(t, "ticket 7", relay.note)
	_, err = relay.run(t, "", "credentials", "show", "bosley", "meta_capi")
	require.ErrorContains(t, err, "there is no credential bosley meta_capi")
	_, err = relay.run(t, "", "storefronts", "delete", "bosley", "--json")
	require.ErrorContains(t, err, "--yes")
}
