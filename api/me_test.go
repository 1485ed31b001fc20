package api_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/api"
	"relay/internal/relay"
)

const me = "/admin/v1/me"

func TestALoginReadsWhoItIs(t *testing.T) {
	t.Parallel()
	o := newOpsTest(t)
	for login, want := range map[[2]string]map[string]any{
		anna: {"name": "anna", "read_only": false, "is_oms": false},
		rita: {"name": "rita", "read_only": true, "is_oms": false},
	} {
		r := o.as(login).call(http.MethodGet, me, "")
		require.Equal(t, http.StatusOK, r.status, r.text)
		require.Equal(t, want, r.body)
	}
	require.Equal(t, http.StatusForbidden, o.as([2]string{user, password}).call(http.MethodGet, me, "").status)
	require.Equal(t, http.StatusUnauthorized, o.as([2]string{"nobody", "x"}).call(http.MethodGet, me, "").status)

	handler, err := api.New(api.Config{Role: api.RoleServe, Username: user, Password: relay.NewSecret(password)}, o.deps())
	require.NoError(t, err)
	o.handler = handler
	require.Equal(t, map[string]any{"name": user, "read_only": false, "is_oms": true}, o.as([2]string{user, password}).call(http.MethodGet, me, "").body)
}
