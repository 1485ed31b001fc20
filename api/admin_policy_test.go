package api_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// privacy are the two privacy rules of a storefront, as an answer has them.
func (r reply) privacy() string {
	return fmt.Sprint(r.body["data_policy"], " ", r.body["require_consent"])
}

func TestANewStorefrontHasTheHealthPolicyAndKeepsItsRulesThroughEveryChange(t *testing.T) {
	t.Parallel()
	a := newAdminTest(t)
	path := fmt.Sprintf("/admin/v1/storefronts/%d", a.storefront("bosley"))
	require.Equal(t, "health false", a.must(http.MethodGet, path, "").privacy())
	require.Equal(t, "standard true", a.must(http.MethodPatch, path, `{"data_policy":"standard","require_consent":true}`).privacy())
	require.Equal(t, "standard true", a.must(http.MethodPatch, path, `{"name":"Bosley"}`).privacy())
	require.Equal(t, "standard true", a.must(http.MethodPut, path, `{"storefront_id":"bosley"}`).privacy(),
		"a client that does not know these rules must not loosen them")
	require.Equal(t, "health false", a.must(http.MethodPut, path, `{"storefront_id":"bosley","data_policy":"health","require_consent":false}`).privacy())
	made := a.post("storefronts", `{"storefront_id":"open","data_policy":"standard","require_consent":true}`)
	require.Equal(t, "standard true", made.privacy())

	list := a.must(http.MethodGet, "/admin/v1/storefronts?data_policy=standard", "").items(t)
	require.Len(t, list, 1)
	require.Equal(t, "open", list[0]["storefront_id"])
	require.Contains(t, a.must(http.MethodGet, "/admin/v1/audit?entity=storefronts", "").text, `"field":"data_policy","from":"health","to":"standard"`)

	for body, want := range map[string]string{`{"data_policy":"none"}`: "invalid_value data_policy", `{"data_policy":null}`: "wrong_type data_policy",
		`{"require_consent":null}`: "wrong_type require_consent", `{"require_consent":"yes"}`: "wrong_type require_consent"} {
		r := a.call(http.MethodPatch, path, body)
		require.Equal(t, http.StatusUnprocessableEntity, r.status, body)
		require.Equal(t, want, r.problem(), body)
	}
}

func TestAContainerHasAnOptionForConsentAndAPlatformHasNone(t *testing.T) {
	t.Parallel()
	a := newAdminTest(t)
	a.storefront("bosley")
	container := fmt.Sprintf("/admin/v1/sgtm-configs/%d", a.sgtm("bosley"))
	for _, value := range []string{"forward", "enforce"} {
		r := a.must(http.MethodPatch, container, fmt.Sprintf(`{"options":{"consent":%q}}`, value))
		require.Equal(t, map[string]any{"consent": value}, r.body["options"])
	}
	require.Equal(t, "invalid_value options.consent", a.call(http.MethodPatch, container, `{"options":{"consent":"ignore"}}`).problem())
	credential := fmt.Sprintf("/admin/v1/credentials/%d", a.meta("bosley"))
	require.Equal(t, "invalid_value options.consent", a.call(http.MethodPatch, credential, `{"options":{"consent":"forward"}}`).problem(),
		"nothing makes a platform ignore a refusal")
}
