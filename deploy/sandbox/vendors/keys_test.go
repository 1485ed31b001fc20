package vendors_test

import (
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/adapters"
	"relay/adapters/outbound"
	"relay/deploy/sandbox"
	"relay/deploy/sandbox/vendors"
	"relay/internal/relay"
)

// Each of these platforms takes what its adapter makes, under both data policies, and refuses a key that it has revoked.
func TestVendorsTakeAKeyUntilItIsRevoked(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(sandbox.New(sandbox.Options{Play: vendors.Play}))
	t.Cleanup(s.Close)
	client := outbound.New(outbound.Config{AllowedPrivateNets: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	t.Cleanup(client.Close)
	for code, key := range map[string]string{"klaviyo": "private_api_key", "customer_io": "api_key", "mixpanel": "project_token", "amplitude": "api_key"} {
		a, d := adapters.All()[code], destination(s.URL, code)
		for _, policy := range []relay.DataPolicy{relay.DataPolicyHealth, relay.DataPolicyStandard} {
			r, err := a.Request(d, sale(t, policy))
			require.NoError(t, err, code)
			res := a.Outcome(client.Send(t.Context(), r))
			require.Equal(t, relay.Accepted, res.Outcome, "%s under %s: %+v: %s", code, policy, res, r.Body)
			require.NotContains(t, strings.ToLower(string(r.Body)), "jane", code)
		}
		d.Secrets[key] = relay.NewSecret("pk_revoked")
		r, err := a.Request(d, sale(t, relay.DataPolicyStandard))
		require.NoError(t, err, code)
		res := a.Outcome(client.Send(t.Context(), r))
		require.Equal(t, relay.Unauthorized, res.Outcome, "%s: %+v", code, res)
		require.Equal(t, relay.ReasonUnauthorized, res.Reason, code)
	}
}
