package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/adapters"
	"relay/adapters/canonical"
	"relay/adapters/meta"
	"relay/api"
	"relay/db"
	"relay/db/dbtest"
	"relay/internal/relay"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

// administered is an API on a real database of its own, with an admin of each kind.
type administered struct {
	*relayed
	t     testing.TB
	store *db.Store
	dsn   string
	login [2]string

	recorder *recorder // of the store's statements

	contract     *contract // of the handler that follows; every answer is held against it
	contractable http.Handler
}

var (
	anna = [2]string{"anna", "a longer horse"}
	rita = [2]string{"rita", "a reading horse"}
)

func newAdminTest(t testing.TB) *administered {
	t.Helper()
	a := newAdminOn(t, dbtest.New(t))
	_, err := a.store.Up(t.Context())
	require.NoError(t, err)
	return a
}

// newAdminOn is an API with an encryption key of its own.
func newAdminOn(t testing.TB, dsn string) *administered {
	t.Helper()
	key, err := db.GenerateKey()
	require.NoError(t, err)
	keys, err := db.NewKeys(key)
	require.NoError(t, err)
	a := &administered{t: t, dsn: dsn, login: anna, relayed: newTest(t), recorder: &recorder{}}
	store, err := db.Open(db.Config{URL: dsn, Keys: keys, Wrap: a.recorder.wrap})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	a.store = store
	deps := a.deps()
	deps.Admin = adminOn(store)
	a.handler, err = api.New(api.Config{Role: api.RoleServe, Username: user, Password: relay.NewSecret(password), Admins: []api.AdminLogin{
		{Name: anna[0], Password: relay.NewSecret(anna[1])},
		{Name: rita[0], Password: relay.NewSecret(rita[1]), ReadOnly: true},
	}}, deps)
	require.NoError(t, err)
	return a
}

// adminOn are the collaborators as cmd puts them together, with rules in place of the network's.
func adminOn(store *db.Store) *api.Admin {
	return &api.Admin{
		Storefronts: store.Storefronts(), SGTMConfigs: store.SGTMConfigs(), Platforms: store.Platforms(), Credentials: store.Credentials(),
		Audit: store, Destinations: store,
		Adapters:   adapters.All(),
		HasAdapter: func(code string) bool { return code == "meta_capi" || code == "ga4" },
		EventNames: func(code string) relay.EventNames {
			if code != "meta_capi" {
				return relay.EventNames{}
			}
			return meta.Events.Relay()
		},
		Check: func(d relay.Destination) error {
			if a, ok := adapters.All()[d.Key]; ok {
				return a.Check(d)
			}
			return nil
		},
		CheckURL: func(_ context.Context, raw string) error {
			if !strings.HasPrefix(raw, "https://") {
				return errors.New("must be an absolute https URL")
			}
			return nil
		},
		CheckHeader: canonical.CheckHeader,
	}
}

// reply is an answer of the admin API.
type reply struct {
	status int
	header http.Header
	text   string
	body   map[string]any
}

// code and field of a problem document.
func (r reply) problem() string { return fmt.Sprint(r.body["code"], " ", r.body["field"]) }

func (r reply) id() int64 { return int64(r.body["id"].(float64)) }

func (a *administered) call(method, path, body string, headers ...string) reply {
	a.t.Helper()
	var in io.Reader
	if body != "" {
		in = strings.NewReader(body)
	}
	req := httptest.NewRequest(method, path, in)
	req.SetBasicAuth(a.login[0], a.login[1])
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	w := a.do(req)
	if a.contract == nil || a.contractable != a.handler {
		a.contract, a.contractable = readContract(a.t, a.handler), a.handler
	}
	a.contract.documented(a.t, method, path, w.Code, w.Header(), w.Body.Bytes())
	r := reply{status: w.Code, header: w.Header(), text: w.Body.String()}
	if w.Body.Len() > 0 {
		require.NoError(a.t, json.Unmarshal(w.Body.Bytes(), &r.body), r.text)
	}
	if r.status >= 400 {
		require.Equal(a.t, "application/problem+json", w.Header().Get("Content-Type"), r.text)
		require.NotEmpty(a.t, r.body["code"])
		require.NotEmpty(a.t, r.body["detail"])
		require.NotEmpty(a.t, r.body["request_id"])
	}
	return r
}

// must is a call that succeeds.
func (a *administered) must(method, path, body string, headers ...string) reply {
	a.t.Helper()
	r := a.call(method, path, body, headers...)
	require.Less(a.t, r.status, 300, r.text)
	return r
}

func (a *administered) post(path, body string) reply {
	a.t.Helper()
	return a.must(http.MethodPost, "/admin/v1/"+path, body)
}

func (a *administered) storefront(code string) int64 {
	a.t.Helper()
	return a.post("storefronts", fmt.Sprintf(`{"storefront_id":%q}`, code)).id()
}

func (a *administered) sgtm(code string) int64 {
	a.t.Helper()
	return a.post("sgtm-configs", fmt.Sprintf(`{"storefront_code":%q,"sgtm_url":"https://tags.example.com","measurement_id":"G-ABC123",
		"api_secret":"mJ7nR2vT4xW8zB"}`, code)).id()
}

func (a *administered) meta(code string) int64 {
	a.t.Helper()
	return a.post("credentials", fmt.Sprintf(`{"storefront_code":%q,"platform_code":"meta_capi",
		"credentials":{"pixel_id":"1234567890","access_token":"EAAB-very-long-token-x9Kq"}}`, code)).id()
}

func TestAStorefrontIsCreatedReadChangedAndDeleted(t *testing.T) {
	t.Parallel()
	a := newAdminTest(t)

	made := a.call(http.MethodPost, "/admin/v1/storefronts", `{"id":5,"storefront_id":"bosley","name":"Bosley"}`)
	require.Equal(t, http.StatusCreated, made.status, made.text)
	require.Equal(t, "/admin/v1/storefronts/5", made.header.Get("Location"))
	require.InDelta(t, 5, made.body["id"], 0)
	require.Equal(t, true, made.body["is_active"])
	require.Equal(t, "USD", made.body["currency"])
	require.Equal(t, "anna", made.body["switched_by"])

	read := a.must(http.MethodGet, "/admin/v1/storefronts/5", "")
	require.Equal(t, made.body, read.body)
	require.Equal(t, made.header.Get("ETag"), read.header.Get("ETag"))

	patched := a.must(http.MethodPatch, "/admin/v1/storefronts/5", `{"currency":"EUR","base_url":"https://www.bosley.com"}`)
	require.Equal(t, "EUR", patched.body["currency"])
	require.Equal(t, "Bosley", patched.body["name"])
	require.NotEqual(t, read.header.Get("ETag"), patched.header.Get("ETag"))

	replaced := a.must(http.MethodPut, "/admin/v1/storefronts/5", `{"storefront_id":"bosley"}`)
	require.Equal(t, "USD", replaced.body["currency"])
	require.Empty(t, replaced.body["base_url"])

	gone := a.call(http.MethodDelete, "/admin/v1/storefronts/5", "")
	require.Equal(t, http.StatusNoContent, gone.status)
	require.Empty(t, gone.text)
	require.Equal(t, http.StatusNotFound, a.call(http.MethodGet, "/admin/v1/storefronts/5", "").status)
}

func TestIdsNeverChangeAndAreNeverUsedAgain(t *testing.T) {
	t.Parallel()
	a := newAdminTest(t)
	a.post("storefronts", `{"id":900,"storefront_id":"bosley"}`)
	require.Equal(t, int64(901), a.storefront("pfizer"))
	a.must(http.MethodDelete, "/admin/v1/storefronts/900", "")
	a.must(http.MethodDelete, "/admin/v1/storefronts/901", "")

	again := a.call(http.MethodPost, "/admin/v1/storefronts", `{"id":900,"storefront_id":"other"}`)
	require.Equal(t, http.StatusConflict, again.status)
	require.Equal(t, "id_retired id", again.problem())
	require.Equal(t, int64(902), a.storefront("pfizer"), "a code may be used again, an id may not")

	moved := a.call(http.MethodPut, "/admin/v1/storefronts/902", `{"id":5,"storefront_id":"pfizer"}`)
	require.Equal(t, "immutable_field id", moved.problem())
	renamed := a.call(http.MethodPut, "/admin/v1/storefronts/902", `{"storefront_id":"viatris"}`)
	require.Equal(t, "immutable_field storefront_id", renamed.problem())
}

func TestADuplicateIsAConflictThatNamesTheField(t *testing.T) {
	t.Parallel()
	a := newAdminTest(t)
	a.post("storefronts", `{"id":5,"storefront_id":"bosley"}`)
	a.sgtm("bosley")
	a.meta("bosley")
	platform := a.must(http.MethodGet, "/admin/v1/platforms?code=meta_capi", "").body["items"].([]any)[0].(map[string]any)["id"]
	for _, c := range []struct{ path, body, problem string }{
		{"storefronts", `{"id":5,"storefront_id":"other"}`, "already_exists id"},
		{"storefronts", `{"storefront_id":"bosley"}`, "already_exists storefront_id"},
		{"sgtm-configs", `{"storefront_id":5,"sgtm_url":"https://t.example.com","measurement_id":"G-A"}`, "already_exists storefront_id"},
		{"platforms", `{"code":"meta_capi","name":"Mine"}`, "already_exists code"},
		{"credentials", `{"storefront_id":5,"platform_code":"meta_capi","credentials":{"pixel_id":"1","access_token":"a-test-token"}}`,
			"already_exists platform_code"},
		{"sgtm-configs", `{"storefront_code":"bosley","sgtm_url":"https://t.example.com","measurement_id":"G-A"}`, "already_exists storefront_code"},
		{"credentials", fmt.Sprintf(`{"storefront_code":"bosley","platform_id":%v,"credentials":{"pixel_id":"1","access_token":"a-test-token"}}`, platform),
			"already_exists platform_id"},
	} {
		r := a.call(http.MethodPost, "/admin/v1/"+c.path, c.body)
		require.Equal(t, http.StatusConflict, r.status, r.text)
		require.Equal(t, c.problem, r.problem())
		require.Equal(t, r.body["field"], r.body["errors"].([]any)[0].(map[string]any)["field"])
		require.NotZero(t, r.body["existing_id"], r.text)
		a.must(http.MethodGet, fmt.Sprintf("/admin/v1/%s/%v", c.path, r.body["existing_id"]), "")
	}
}

func TestADeleteOfWhatIsInUseIsRefusedWithItsUses(t *testing.T) {
	t.Parallel()
	a := newAdminTest(t)
	id := a.storefront("bosley")
	config, credential := a.sgtm("bosley"), a.meta("bosley")
	event := relay.NewEvent{EventID: "1", OrderID: "1", Type: "rx_issued", StorefrontID: id, StorefrontCode: "bosley", Payload: []byte(`{}`)}
	_, err := a.store.InsertEvents(t.Context(), []relay.NewEvent{event}, 0)
	require.NoError(t, err)

	r := a.call(http.MethodDelete, fmt.Sprintf("/admin/v1/storefronts/%d", id), "")
	require.Equal(t, http.StatusConflict, r.status)
	require.Equal(t, "in_use", r.body["code"])
	require.Equal(t, []any{map[string]any{"kind": "sgtm-configs", "count": 1.0}, map[string]any{"kind": "credentials", "count": 1.0},
		map[string]any{"kind": "events", "count": 1.0}}, r.body["used_by"])

	platform := a.must(http.MethodGet, "/admin/v1/platforms?code=meta_capi", "").body["items"].([]any)[0].(map[string]any)
	r = a.call(http.MethodDelete, fmt.Sprintf("/admin/v1/platforms/%v", platform["id"]), "")
	require.Equal(t, []any{map[string]any{"kind": "credentials", "count": 1.0}}, r.body["used_by"])

	a.must(http.MethodDelete, fmt.Sprintf("/admin/v1/sgtm-configs/%d", config), "")
	a.must(http.MethodDelete, fmt.Sprintf("/admin/v1/credentials/%d", credential), "")
}

func TestALostUpdateIsRefused(t *testing.T) {
	t.Parallel()
	a := newAdminTest(t)
	path := fmt.Sprintf("/admin/v1/storefronts/%d", a.storefront("bosley"))
	first := a.must(http.MethodGet, path, "").header.Get("ETag")
	a.must(http.MethodPatch, path, `{"name":"One"}`, "If-Match", first)
	for method, body := range map[string]string{http.MethodPatch: `{"name":"Two"}`, http.MethodPut: `{"storefront_id":"bosley"}`, http.MethodDelete: ""} {
		r := a.call(method, path, body, "If-Match", first)
		require.Equal(t, http.StatusPreconditionFailed, r.status, method)
		require.Equal(t, "version_mismatch", r.body["code"])
	}
	now := a.must(http.MethodGet, path, "")
	require.Equal(t, "One", now.body["name"])
	a.must(http.MethodPatch, path, `{"name":"Two"}`, "If-Match", `"other", W/`+now.header.Get("ETag"))
	a.must(http.MethodPatch, path, `{"name":"Three"}`, "If-Match", "*")
}
