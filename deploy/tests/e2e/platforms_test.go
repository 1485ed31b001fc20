package e2e_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"

	"relay/adapters"
	"relay/deploy/dev/demo"
	"relay/deploy/sandbox/vendors"
	"relay/internal/ops"
	"relay/internal/relay"
)

// allAtOnce covers every platform of the registry: an admin configures each by the API with the account that the sandbox knows, and one
// workflow delivers an event to all of them, each of which checks the request as its vendor does.
func allAtOnce(t *testing.T, w *town) {
	platforms := slices.DeleteFunc(slices.Sorted(maps.Keys(adapters.All())), func(code string) bool { return code == relay.SGTM })
	require.Equal(t, platforms, vendors.Codes(), "the sandbox plays each of them")
	asked(t, w.one, http.StatusCreated, http.MethodPost, "/admin/v1/storefronts",
		`{"storefront_id": "all", "name": "All at once", "base_url": "https://all.example"}`)
	for _, code := range platforms {
		asked(t, w.one, http.StatusCreated, http.MethodPost, "/admin/v1/credentials", accountBody(t, w.account(code)))
	}
	i := withPerson("all", "all-1", purchase)
	maps.Copy(i, demo.ClickIDs())
	post(t, w.two, i)
	e := w.ended(t, "all-1", purchase)
	require.Equal(t, relay.StatusDelivered, e.Status, e.Detail)

	got := map[string]int{}
	for _, r := range w.atVendors(t, e) {
		code, _, _ := strings.Cut(strings.TrimPrefix(r.Path, vendors.Prefix), "/")
		got[code]++
		require.NotContains(t, r.Path+r.Query+r.Body, markName, code)
		if w.account(code).Options.PlainIdentifiers == "" {
			require.NotContains(t, r.Path+r.Query+r.Body, markEmail, code)
		}
	}
	for _, code := range platforms {
		require.Equal(t, []relay.Outcome{relay.Accepted}, outcomes(e, code), code)
		require.Equal(t, 1, got[code], "requests at %s", code)
	}
	require.Equal(t, enums.WORKFLOW_EXECUTION_STATUS_COMPLETED, w.closed(t, deliver(e)))
	run, err := w.temporal.DescribeWorkflowExecution(t.Context(), deliver(e), "")
	require.NoError(t, err)
	require.Equal(t, run.GetWorkflowExecutionInfo().GetFirstRunId(), run.GetWorkflowExecutionInfo().GetExecution().GetRunId(), "one run for all")
}

// account is the sandbox's account at a platform, with marks in place of its tokens.
func (w *world) account(platform string) ops.Credential {
	c := demo.Account(w.Sandbox.BaseURL, platform)
	for field, secret := range c.Fields {
		if strings.HasPrefix(secret.Reveal(), demo.TokenPrefix) {
			c.Fields[field] = relay.NewSecret(markSecret)
		}
	}
	return c
}

// accountBody is the body of a request that creates a credential of the storefront "all".
func accountBody(t *testing.T, c ops.Credential) string {
	t.Helper()
	fields := map[string]string{}
	for name, value := range c.Fields {
		fields[name] = value.Reveal()
	}
	body, err := json.Marshal(map[string]any{"storefront_code": "all", "platform_code": c.Platform, "credentials": fields, "options": c.Options})
	require.NoError(t, err)
	return string(body)
}
