package sgtm_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/adapters/canonical"
	"relay/adapters/sgtm"
	"relay/internal/relay"
)

// made is the API's made-up event.
func made(t *testing.T) relay.Event {
	t.Helper()
	p, err := relay.ParsePayload([]byte(`{"order_id":"relay-test","event_name":"purchase_completed","storefront_id":"bosley","event_time":"2026-01-15T10:25:00Z",
		"currency":"USD","order_revenue":1.00,"page_location":"https://bosley.example/","client_ip":"203.0.113.10","user_agent":"UA","email":"relay-test@example.com",
		"state":"CA","session_id":"1700000000"}`))
	require.NoError(t, err)
	now := time.Date(2026, 1, 15, 10, 30, 0, 0, time.UTC)
	return relay.Event{EventID: "relay-test-1", Type: "purchase_completed", Source: relay.SourceAPI, Payload: p, CreatedAt: now, Now: now,
		Storefront: relay.Storefront{Code: "bosley", Currency: "USD", RequireConsent: true}}
}

func TestATestEventIsMarkedAndHasNeitherAmountNorPersonalData(t *testing.T) {
	t.Parallel()
	for _, client := range []string{sgtm.ClientGA4, sgtm.ClientCustom} {
		d := container(set(sgtm.SettingClientType, client))
		d.Options = relay.Options{Identifiers: "hashed", SendIP: true, SendUserAgent: true, MaxAgeHours: 1, Deny: []string{"storefront_id"}, CustomAliases: true,
			Events: map[string]relay.EventRule{"purchase_completed": {Name: "buy"}, sgtm.TestEvent: {Skip: true}}}
		e := made(t)
		e.Now = e.Now.Add(200 * time.Hour)
		r, err := sgtm.Adapter{}.TestRequest(d, e)
		require.NoError(t, err)
		require.Equal(t, sgtm.TestEvent, r.EventName)
		require.Contains(t, string(r.Body), `"relay_test"`)
		require.Contains(t, string(r.Body), e.Payload.Text("page_location"))
		for _, not := range []string{"purchase", "buy", `"value"`, "1.00", "relay-test@", "203.0.113.10", `"CA"`, "1700000000"} {
			require.NotContains(t, string(r.Body), not)
		}
		require.Contains(t, made(t).Payload, "email", "the event is the caller's")
	}
}

func TestATestEventHasTheConfiguredPreviewHeader(t *testing.T) {
	t.Parallel()
	const name = "X-Gtm-Server-Preview"
	d := container(header("x-gtm-server-preview", "stored"))
	r, err := sgtm.Adapter{}.TestRequest(d, made(t))
	require.NoError(t, err)
	require.Equal(t, "stored", r.Header[name])
	d.Settings[sgtm.SettingPreview] = "ZW52fDN8eA=="
	r, err = sgtm.Adapter{}.TestRequest(d, made(t))
	require.NoError(t, err)
	require.Equal(t, "ZW52fDN8eA==", r.Header[name])
	require.Equal(t, "stored", d.Secrets[canonical.SecretHeaderPrefix+"x-gtm-server-preview"].Reveal(), "the destination is the caller's")
	e := made(t)
	e.Storefront.RequireConsent = false
	live, err := sgtm.Adapter{}.Request(d, e)
	require.NoError(t, err)
	require.Equal(t, "stored", live.Header[name], "the setting is for test events alone")
	d.Settings[sgtm.SettingPreview] = "a\r\nb"
	_, err = sgtm.Adapter{}.TestRequest(d, made(t))
	var refusal *relay.Refusal
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, relay.Refusal{Reason: relay.ReasonInvalidField, Field: sgtm.SettingPreview}, *refusal)
	bare := container(func(_ map[string]string, secrets map[string]relay.Secret) { delete(secrets, sgtm.SecretAPI) })
	bare.Secrets = nil
	_, err = sgtm.Adapter{}.TestRequest(bare, made(t))
	require.NoError(t, err)
}
