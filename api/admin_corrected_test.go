package api_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// A later release may correct the fields of a platform. A credential of before can still be changed: a field that the platform no
// longer has stays until it is removed, and no new one is accepted.
func TestAStoredFieldThatThePlatformNoLongerHasDoesNotRefuseAChange(t *testing.T) {
	t.Parallel()
	a := newAdminTest(t)
	a.storefront("bosley")
	platform := a.post("platforms", `{"code":"corrected","name":"Corrected","credential_fields":[{"field":"account","secret":false,"required":true},
		{"field":"former","secret":false,"required":true}]}`).id()
	path := fmt.Sprintf("/admin/v1/credentials/%d", a.post("credentials", `{"storefront_code":"bosley","platform_code":"corrected",
		"credentials":{"account":"1","former":"as it was"}}`).id())
	a.must(http.MethodPatch, fmt.Sprintf("/admin/v1/platforms/%d", platform), `{"credential_fields":[{"field":"account","secret":false,"required":true}]}`)

	a.must(http.MethodPatch, path, `{"credentials":{"account":"2"}}`)
	for _, body := range []string{`{"credentials":{"former":"another value"}}`, `{"credentials":{"unheard_of":"as it was"}}`} {
		refused := a.call(http.MethodPatch, path, body)
		require.Equal(t, http.StatusUnprocessableEntity, refused.status, refused.text)
		require.Contains(t, refused.text, "unknown_field")
	}
	r := a.must(http.MethodPatch, path, `{"credentials":{"former":""}}`)
	require.Equal(t, map[string]any{"account": "2"}, r.body["credentials"])
	require.Empty(t, r.body["secrets"])
	a.must(http.MethodPatch, path, `{"is_active":false}`)
}
