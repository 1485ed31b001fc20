package db_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"relay/internal/ops"
	"relay/internal/relay"
)

func TestStorefrontKeepsOMSsOwnID(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	id, err := f.CreateStorefront(t.Context(), relay.Storefront{ID: 4711, Code: "bosley"})
	require.NoError(t, err)
	require.EqualValues(t, 4711, id)
	for _, taken := range []relay.Storefront{{ID: 4711, Code: "other"}, {Code: "bosley"}} {
		_, err = f.CreateStorefront(t.Context(), taken)
		require.ErrorIs(t, err, relay.ErrConflict)
	}
	next := f.storefront("pfizer")
	require.Greater(t, next, id)

	found, err := f.StorefrontIDs(t.Context(), []string{"pfizer", "bosley", "Bosley", "bosley ", "nobody"})
	require.NoError(t, err)
	require.Equal(t, map[string]int64{"pfizer": next, "bosley": 4711}, found, "inactive ones too")
	none, err := f.StorefrontIDs(t.Context(), nil)
	require.NoError(t, err)
	require.Empty(t, none)
}

func TestSecretsAreStoredEncrypted(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	require.NoError(t, f.PutSGTM(t.Context(), bosley, theContainer))
	stored := f.text("SELECT CONCAT(api_secret, custom_headers) FROM storefront_sgtm_config")
	require.NotContains(t, stored, "your")
	require.Contains(t, stored, `{"X-Api-Key":"gAAAA`)

	require.NoError(t, f.PutSGTM(t.Context(), bosley, ops.SGTMConfig{URL: "https://other", ClientType: "custom"}))
	require.Equal(t, "https://other|custom|direct|fail|0|{}", f.text(`SELECT CONCAT_WS('|', sgtm_url, client_type, fallback, on_exhausted, is_active, options,
		api_secret, custom_headers) FROM storefront_sgtm_config`), "a storefront has one container")
}

func TestSettingsOfMissingStorefrontsAreNotFound(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	bosley := f.storefront("bosley")
	for name, err := range map[string]error{
		"container of no storefront":  f.PutSGTM(t.Context(), 99, theContainer),
		"credential of no storefront": f.PutCredential(t.Context(), 99, ops.Credential{Platform: "ga4"}),
		"credential at no platform":   f.PutCredential(t.Context(), bosley, ops.Credential{Platform: "nonsense"}),
		"switch of no storefront":     f.SetStorefrontActive(t.Context(), 99, true),
		"switch of no container":      f.SetSGTMActive(t.Context(), bosley, true),
		"switch of no platform":       f.SetPlatformActive(t.Context(), "nonsense", true),
		"switch of no credential":     f.SetCredentialActive(t.Context(), bosley, "ga4", true),
	} {
		require.ErrorIs(t, err, relay.ErrNotFound, name)
	}
	require.NoError(t, f.SetPlatformActive(t.Context(), "ga4", true), "what is on already")
}

func TestPlatformIsAddedOnce(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	sandbox := ops.Platform{Code: "sandbox", Name: "Sandbox", APIBaseURL: "http://127.0.0.1:1", Fields: []ops.CredentialField{{Field: "key", Secret: true}}}
	require.NoError(t, f.AddPlatform(t.Context(), sandbox))
	sandbox.Name = "Other"
	require.NoError(t, f.AddPlatform(t.Context(), sandbox))
	require.Equal(t, "Sandbox", f.text("SELECT name FROM ad_analytics_platforms WHERE code = 'sandbox'"))
}
