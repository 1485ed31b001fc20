package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/adapters/meta"
	"relay/api"
	"relay/internal/relay"
)

// fields are the JSON names of a struct and, below them, of the structs in it.
func fields(t reflect.Type) map[string]string {
	found := map[string]string{}
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		kind := f.Type
		for kind.Kind() == reflect.Pointer || kind.Kind() == reflect.Map || kind.Kind() == reflect.Slice {
			kind = kind.Elem()
		}
		found[name] = kind.Kind().String()
		if kind.Kind() == reflect.Struct {
			for inner, k := range fields(kind) {
				found[name+"."+inner] = k
			}
		}
	}
	return found
}

func TestTheAPIHasEveryOptionThatADestinationHas(t *testing.T) {
	t.Parallel()
	require.Equal(t, fields(reflect.TypeFor[relay.Options]()), fields(reflect.TypeFor[api.Options]()),
		"an option that is added to relay.Options needs its line, with a description, in api.Options")
}

func TestOptionsAreStoredAndShownAsTheyWereWritten(t *testing.T) {
	t.Parallel()
	a := newAdminTest(t)
	a.storefront("bosley")
	path := fmt.Sprintf("/admin/v1/credentials/%d", a.meta("bosley"))
	require.NotContains(t, a.must(http.MethodGet, path, "").body, "options")
	const written = `{"events":{"rx_issued":{"name":"Lead"},"page_view":{"skip":true}},"identifiers":"hashed","send_ip":true,"deny":["utm_term"],
		"api_version":"v24.0","max_age_hours":168,"limits":{"in_flight":20,"per_second":2.5}}`
	var want map[string]any
	require.NoError(t, json.Unmarshal([]byte(written), &want))
	require.Equal(t, want, a.must(http.MethodPatch, path, `{"options":`+written+`}`).body["options"])
	rec, err := a.store.Credentials().Find(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, relay.Limits{InFlight: 20, PerSecond: 2.5}, rec.Value.Options.Limits)
	require.Equal(t, want, a.must(http.MethodPatch, path, `{"credentials":{"test_event_code":"T"}}`).body["options"])
	require.NotContains(t, a.must(http.MethodPatch, path, `{"options":null}`).body, "options")
}

func TestAPlatformHasLimitsForAllStorefronts(t *testing.T) {
	t.Parallel()
	a := newAdminTest(t)
	list := a.must(http.MethodGet, "/admin/v1/platforms?code=meta_capi", "")
	platform := list.body["items"].([]any)[0].(map[string]any)
	require.NotContains(t, platform, "limits")
	path := fmt.Sprintf("/admin/v1/platforms/%v", platform["id"])
	want := map[string]any{"in_flight": 20.0, "per_second": 2.5}
	require.Equal(t, want, a.must(http.MethodPatch, path, `{"limits":{"in_flight":20,"per_second":2.5}}`).body["limits"])
	require.Equal(t, want, a.must(http.MethodPatch, path, `{"tier":2}`).body["limits"], "what is left out stays")
	require.Equal(t, want, a.must(http.MethodGet, path, "").body["limits"])
	require.Contains(t, a.must(http.MethodGet, "/admin/v1/audit?entity=platforms", "").text, "in_flight", "who set them is on record")
	require.Equal(t, http.StatusUnprocessableEntity, a.call(http.MethodPatch, path, `{"limits":{"in_flight":-1}}`).status)
	require.NotContains(t, a.must(http.MethodPatch, path, `{"limits":null}`).body, "limits")
}

func TestEveryPlatformOfTheCatalogueTakesACredentialAndAChange(t *testing.T) {
	t.Parallel()
	a := newAdminTest(t)
	a.storefront("bosley")
	list := a.must(http.MethodGet, "/admin/v1/platforms?limit=200", "")
	require.Nil(t, list.body["next_cursor"])
	for _, item := range list.body["items"].([]any) {
		p := item.(map[string]any)
		a.must(http.MethodPatch, fmt.Sprintf("/admin/v1/platforms/%v", p["id"]), `{"tier":2,"vendor":"Somebody"}`)
		body, err := json.Marshal(map[string]any{"storefront_id": 1, "platform_id": p["id"], "credentials": map[string]string{}})
		require.NoError(t, err)
		r := a.call(http.MethodPost, "/admin/v1/credentials", string(body))
		require.Less(t, r.status, 500, r.text)
	}
}

func TestAPlatformListsItsEventNamesAndItsDefaults(t *testing.T) {
	t.Parallel()
	a := newAdminTest(t)
	list := a.must(http.MethodGet, "/admin/v1/platforms?code=meta_capi", "")
	platform := list.body["items"].([]any)[0].(map[string]any)
	require.Equal(t, map[string]any{"purchase_completed": "Purchase", "consult_started": "Lead"}, platform["event_names"])
	proposed := platform["proposed_event_names"].(map[string]any)
	require.Len(t, proposed, len(meta.Events.Proposed))
	for kind, name := range meta.Events.Proposed {
		require.Equal(t, name, proposed[kind])
	}
}
