package api_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"relay/api"
	"relay/db"
	"relay/internal/relay"
)

func TestSecretsAreWriteOnlyAndAPatchWithoutThemKeepsThem(t *testing.T) {
	t.Parallel()
	a := newAdminTest(t)
	a.storefront("bosley")
	config := fmt.Sprintf("/admin/v1/sgtm-configs/%d", a.sgtm("bosley"))
	credential := fmt.Sprintf("/admin/v1/credentials/%d", a.meta("bosley"))

	a.must(http.MethodPatch, config, `{"custom_headers":{"X-Api-Key":"0123456789abcdef","X-Short":"abc"},"on_exhausted":"direct"}`)
	read := a.must(http.MethodGet, config, "")
	require.Equal(t, map[string]any{"is_set": true, "last_four": "W8zB"}, read.body["api_secret"])
	require.Equal(t, map[string]any{"X-Api-Key": map[string]any{"is_set": true, "last_four": "cdef"},
		"X-Short": map[string]any{"is_set": true, "last_four": ""}}, read.body["custom_headers"])

	a.must(http.MethodPatch, credential, `{"credentials":{"test_event_code":"TEST1"}}`)
	read = a.must(http.MethodGet, credential, "")
	require.Equal(t, map[string]any{"pixel_id": "1234567890", "test_event_code": "TEST1"}, read.body["credentials"])
	require.Equal(t, map[string]any{"access_token": map[string]any{"is_set": true, "last_four": "x9Kq"}}, read.body["secrets"])

	for _, path := range []string{config, credential, "/admin/v1/sgtm-configs", "/admin/v1/credentials", "/admin/v1/audit"} {
		text := a.must(http.MethodGet, path, "").text
		for _, secret := range []string{"mJ7nR2vT4xW8zB", "0123456789abcdef", "EAAB-very", "gAAAA"} {
			require.NotContains(t, text, secret, path)
		}
	}
	require.NotContains(t, a.log.String(), "EAAB-very")

	rec, err := a.store.Credentials().Find(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, "EAAB-very-long-token-x9Kq", rec.Value.Fields["access_token"].Reveal())

	a.must(http.MethodPatch, config, `{"api_secret":null,"custom_headers":{"X-Short":""}}`)
	read = a.must(http.MethodGet, config, "")
	require.Equal(t, map[string]any{"is_set": false, "last_four": ""}, read.body["api_secret"])
	require.Len(t, read.body["custom_headers"], 1)
}

func TestASecretThatDoesNotDecryptIsReportedAndReplaced(t *testing.T) {
	t.Parallel()
	a := newAdminTest(t)
	a.storefront("bosley")
	id := a.meta("bosley")
	path := fmt.Sprintf("/admin/v1/credentials/%d", id)
	other := newAdminOn(t, a.dsn)

	read := other.must(http.MethodGet, path, "")
	require.Equal(t, true, read.body["secrets_unreadable"])
	require.Empty(t, read.body["secrets"])
	require.Equal(t, "missing_field credentials", other.call(http.MethodPatch, path, `{"options":{"send_ip":true}}`).problem())
	other.must(http.MethodPost, path+"/deactivate", "")
	require.Equal(t, "x9Kq", a.must(http.MethodGet, path, "").body["secrets"].(map[string]any)["access_token"].(map[string]any)["last_four"],
		"a flip left the secret as it was")
	other.must(http.MethodPatch, path, `{"credentials":{"pixel_id":"1","access_token":"a-new-one-of-some-length"}}`)
	require.NotContains(t, other.must(http.MethodGet, path, "").body, "secrets_unreadable")
}

func TestEveryWriteIsAuditedWithoutSecrets(t *testing.T) {
	t.Parallel()
	a := newAdminTest(t)
	id := a.storefront("bosley")
	a.meta("bosley")
	a.must(http.MethodPatch, "/admin/v1/credentials/1", `{"credentials":{"access_token":"another-token-of-some-length","test_event_code":"T"}}`,
		"X-Request-Id", "my-request")
	a.must(http.MethodPatch, "/admin/v1/credentials/1", `{"credentials":{"test_event_code":"T"}}`)
	a.must(http.MethodDelete, "/admin/v1/credentials/1", "")

	all := a.must(http.MethodGet, "/admin/v1/audit", "")
	var lines []string
	for _, e := range all.body["items"].([]any) {
		e := e.(map[string]any)
		lines = append(lines, fmt.Sprint(e["actor"], " ", e["action"], " ", e["entity"], " ", e["name"]))
	}
	require.Equal(t, []string{"anna delete credentials bosley/meta_capi", "anna patch credentials bosley/meta_capi",
		"anna create credentials bosley/meta_capi", "anna create storefronts bosley"}, lines, "what changed nothing leaves none")
	patch := all.body["items"].([]any)[1].(map[string]any)
	require.Equal(t, "my-request", patch["request_id"])
	require.Equal(t, []any{map[string]any{"field": "credentials.access_token", "to": "changed"},
		map[string]any{"field": "credentials.test_event_code", "to": "T"}}, patch["changes"])
	require.NotContains(t, all.text, "another-token")

	some := a.must(http.MethodGet, fmt.Sprintf("/admin/v1/audit?entity=storefronts&entity_id=%d&actor=anna&action=create&from=2020-01-01T00:00:00Z", id), "")
	require.InDelta(t, 1, some.body["total"], 0)
	require.Empty(t, a.must(http.MethodGet, "/admin/v1/audit?to=2020-01-01T00:00:00Z", "").body["items"])

	first := a.must(http.MethodGet, "/admin/v1/audit?limit=3", "")
	require.Len(t, first.body["items"], 3)
	rest := a.must(http.MethodGet, "/admin/v1/audit?limit=3&cursor="+first.body["next_cursor"].(string), "")
	require.Len(t, rest.body["items"], 1)
	require.NotContains(t, rest.body, "next_cursor")
}

func TestARefusedWriteStoresNothing(t *testing.T) {
	t.Parallel()
	a := newAdminTest(t)
	a.storefront("bosley")
	before := a.must(http.MethodGet, "/admin/v1/audit", "").body["total"]
	a.call(http.MethodPatch, "/admin/v1/storefronts/1", `{"name":"x","base_url":"http://x"}`)
	a.call(http.MethodPatch, "/admin/v1/storefronts/1", `{"name":"x"}`, "If-Match", `"old"`)
	require.Equal(t, before, a.must(http.MethodGet, "/admin/v1/audit", "").body["total"])
	require.Equal(t, "bosley", a.must(http.MethodGet, "/admin/v1/storefronts/1", "").body["name"])
}

func TestWhoMayUseTheAdminAPI(t *testing.T) {
	t.Parallel()
	a := newAdminTest(t)
	a.storefront("bosley")
	for name, c := range map[string]struct {
		login        [2]string
		read, change int
	}{
		"an admin reads and writes":                     {anna, 200, 200},
		"a read-only admin reads":                       {rita, 200, 403},
		"OMS is no admin where there are admins":        {[2]string{user, password}, 403, 403},
		"a stranger is told nothing":                    {[2]string{"anna", "wrong"}, 401, 401},
		"an admin's name with another admin's password": {[2]string{"anna", rita[1]}, 401, 401},
	} {
		t.Run(name, func(t *testing.T) {
			a := *a
			a.t, a.login = t, c.login
			require.Equal(t, c.read, a.call(http.MethodGet, "/admin/v1/storefronts/1", "").status)
			require.Equal(t, c.change, a.call(http.MethodPatch, "/admin/v1/storefronts/1", `{"name":"`+c.login[0]+`"}`).status)
		})
	}
	t.Run("no login at all is asked for one, before the body is read", func(t *testing.T) {
		body := &reading{r: strings.NewReader(`{}`)}
		w := a.do(httptest.NewRequest(http.MethodPost, "/admin/v1/storefronts", body))
		require.Equal(t, http.StatusUnauthorized, w.Code)
		require.NotEmpty(t, w.Header().Get("WWW-Authenticate"))
		require.Zero(t, body.read)
	})
	t.Run("an admin is not OMS", func(t *testing.T) {
		req := request(strings.NewReader(sample))
		req.SetBasicAuth(anna[0], anna[1])
		require.Equal(t, http.StatusUnauthorized, a.do(req).Code)
	})
}

func TestAdminsOfAFileAreKnownByBcrypt(t *testing.T) {
	t.Parallel()
	hash, err := bcrypt.GenerateFromPassword([]byte(anna[1]), bcrypt.MinCost)
	require.NoError(t, err)
	r := newTest(t)
	deps := r.deps()
	deps.Admin = adminOn(newAdminTest(t).store)
	h, err := api.New(api.Config{Role: api.RoleServe, Username: user, Password: relay.NewSecret(password),
		Admins: []api.AdminLogin{{Name: anna[0], Hash: strings.Replace(string(hash), "$2a$", "$2y$", 1)}, {Name: rita[0], Hash: string(hash), ReadOnly: true}}}, deps)
	require.NoError(t, err)
	r.handler = h
	get := func(name, password string) int {
		req := httptest.NewRequest(http.MethodGet, "/admin/v1/storefronts", nil)
		req.SetBasicAuth(name, password)
		return r.do(req).Code
	}
	for range 2 { // verified, then remembered
		require.Equal(t, http.StatusOK, get(anna[0], anna[1]))
		require.Equal(t, http.StatusUnauthorized, get(anna[0], anna[1]+"x"))
		require.Equal(t, http.StatusUnauthorized, get("nobody", anna[1]))
		require.Equal(t, http.StatusUnauthorized, get(anna[0], strings.Repeat("x", 100)))
		require.Equal(t, http.StatusForbidden, get(user, password))
	}
}

func TestWithoutAdminsOMSIsOne(t *testing.T) {
	t.Parallel()
	r := newTest(t)
	deps := r.deps()
	deps.Admin = adminOn(newAdminTest(t).store)
	h, err := api.New(api.Config{Role: api.RoleServe, Username: user, Password: relay.NewSecret(password)}, deps)
	require.NoError(t, err)
	r.handler = h
	req := httptest.NewRequest(http.MethodGet, "/admin/v1/storefronts", nil)
	req.SetBasicAuth(user, password)
	require.Equal(t, http.StatusOK, r.do(req).Code)
}

func TestNewNamesWhatIsWrongWithAdmins(t *testing.T) {
	t.Parallel()
	for words, admins := range map[string][]api.AdminLogin{
		"a name is missing":        {{Password: relay.NewSecret("x")}},
		"anna has no password":     {{Name: "anna"}},
		"anna is there twice":      {{Name: "anna", Password: relay.NewSecret("x")}, {Name: "anna", Hash: "x"}},
		"admin anna has no hash":   {{Name: "anna", Hash: "no-hash"}},
		"Admin lacks a check":      nil,
		"Admin.Audit is missing":   nil,
		"Admin lacks a collection": nil,
	} {
		deps := newTest(t).deps()
		if admins == nil {
			deps.Admin = adminOn(&db.Store{})
			switch words {
			case "Admin lacks a check":
				deps.Admin.CheckURL = nil
			case "Admin.Audit is missing":
				deps.Admin.Audit = nil
			default:
				deps.Admin.Platforms = nil
			}
		}
		_, err := api.New(api.Config{Role: api.RoleAPI, Username: user, Password: relay.NewSecret(password), Admins: admins}, deps)
		require.ErrorContains(t, err, words)
	}
}

// TestAShortSecretShowsNothingOfItself holds the border: four of twelve characters are a third, four of eleven too many.
func TestAShortSecretShowsNothingOfItself(t *testing.T) {
	t.Parallel()
	a := newAdminTest(t)
	a.storefront("bosley")
	path := fmt.Sprintf("/admin/v1/sgtm-configs/%d", a.sgtm("bosley"))
	for secret, shown := range map[string]string{"abcdefgh": "", "abcdefghijk": "", "abcdefghijkl": "ijkl", "äöüßäöüßäöü": "", "äöüßäöüßäöüß": "äöüß"} {
		r := a.must(http.MethodPatch, path, fmt.Sprintf(`{"api_secret":%q,"custom_headers":null}`, secret))
		require.Equal(t, map[string]any{"is_set": true, "last_four": shown}, r.body["api_secret"], secret)
		if shown == "" {
			require.NotContains(t, a.must(http.MethodGet, path, "").body["api_secret"].(map[string]any)["last_four"], secret[len(secret)-1:])
		}
	}
}
