package api_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/db/seed"
	"relay/internal/ops"
	"relay/internal/relay"
)

func TestASecretOfFewerThanEightCharactersIsRefusedByName(t *testing.T) {
	t.Parallel()
	a := newAdminTest(t)
	a.storefront("bosley")
	container := fmt.Sprintf("/admin/v1/sgtm-configs/%d", a.sgtm("bosley"))
	credential := fmt.Sprintf("/admin/v1/credentials/%d", a.meta("bosley"))
	for body, want := range map[string]string{
		`{"credentials":{"access_token":"1234567"}}`:      "invalid_value credentials.access_token",
		`{"credentials":{"access_token":"  12345  "}}`:    "invalid_value credentials.access_token",
		`{"credentials":{"access_token":"12345\t7"}}`:     "invalid_value credentials.access_token",
		`{"credentials":{"access_token":"EAAB-a-token"}}`: "",
		`{"credentials":{"pixel_id":"1"}}`:                "",
	} {
		r := a.call(http.MethodPatch, credential, body)
		if want == "" {
			require.Equal(t, http.StatusOK, r.status, r.text)
			continue
		}
		require.Equal(t, http.StatusUnprocessableEntity, r.status, body)
		require.Equal(t, want, r.problem(), body)
	}
	require.Equal(t, "invalid_value api_secret", a.call(http.MethodPatch, container, `{"api_secret":"secret"}`).problem())
	a.must(http.MethodPatch, container, `{"api_secret":""}`)
	a.must(http.MethodPatch, container, `{"custom_headers":{"X-Env":"prod"}}`)
}

func TestAStoredShortSecretStaysUsable(t *testing.T) {
	t.Parallel()
	o := newOpsTest(t)
	require.NoError(t, seed.On(o.store).PutSGTM(t.Context(), o.bosley, ops.SGTMConfig{URL: "https://gtm.example.com", ClientType: "ga4", MeasurementID: "G-ABC123",
		APISecret: relay.NewSecret("USD"), Active: true}))
	for platform, fields := range map[string]map[string]string{
		"snapchat":  {"pixel_id": "123", "access_token": "e"},
		"meta_capi": {"pixel_id": "123", "access_token": "1"},
		"tiktok":    {"pixel_code": "C1", "access_token": "purchas"},
		"vendor":    {"base_url": "https://vendor.example.com", "access_token": "o-1"},
	} {
		require.NoError(t, seed.On(o.store).AddPlatform(t.Context(), ops.Platform{Code: platform, Name: platform, ServerSide: true, Fields: []ops.CredentialField{
			{Field: "base_url"}, {Field: "access_token", Secret: true}}}))
		secrets := map[string]relay.Secret{}
		for name, value := range fields {
			secrets[name] = relay.NewSecret(value)
		}
		require.NoError(t, seed.On(o.store).PutCredential(t.Context(), o.bosley, ops.Credential{Platform: platform, Active: true, Fields: secrets,
			Options: relay.Options{Identifiers: "hashed"}}))
	}
	event := `{"storefront_id":"bosley","event_name":"purchase_completed","event_time":"` + recently() + `","order_id":"o-1","order_revenue":80.790,
		"currency":"USD","t-value":"","email":"jo@example.com","page_location":"https://www.bosley.com/thanks"}`
	r := o.must(http.MethodPost, "/admin/v1/preview", `{"event":`+event+`}`)
	by := map[string]map[string]any{}
	for _, d := range r.body["destinations"].([]any) {
		by[d.(map[string]any)["destination"].(string)], _ = d.(map[string]any)["request"].(map[string]any)
	}
	require.Equal(t, "https://gtm.example.com/mp/collect?api_secret=[secret]&measurement_id=G-ABC123", by["sgtm"]["url"])
	require.Contains(t, fmt.Sprint(by["sgtm"]["body"]), "currency:USD")
	require.Contains(t, by["snapchat"]["url"], "/events?access_token=[secret]")
	require.Contains(t, by, "tiktok", r.text)
	require.NotNil(t, by["tiktok"], r.text)
	require.Equal(t, "[secret]", by["meta_capi"]["headers"].(map[string]any)["Authorization"])
	require.Equal(t, "[secret]", by["tiktok"]["headers"].(map[string]any)["Access-Token"])
	require.NotContains(t, fmt.Sprint(by["meta_capi"]["body"], by["tiktok"]["body"], by["snapchat"]["body"], by["vendor"]["body"]), "[secret]")

	credential := o.must(http.MethodGet, "/admin/v1/credentials?platform_code=meta_capi", "").items(t)[0]
	path := fmt.Sprintf("/admin/v1/credentials/%v", credential["id"])
	o.must(http.MethodPatch, path, `{"options":{"identifiers":"hashed","send_ip":true}}`)
	o.must(http.MethodPatch, path, `{"credentials":{"access_token":"1"}}`)
	require.Equal(t, "invalid_value credentials.access_token", o.call(http.MethodPatch, path, `{"credentials":{"access_token":"2"}}`).problem())
}

// One secret may be a part of another, and a custom header's value a part of the page.
func TestAPreviewMasksSecretsAndNothingElse(t *testing.T) {
	t.Parallel()
	o := newOpsTest(t)
	require.NoError(t, seed.On(o.store).PutSGTM(t.Context(), o.bosley, ops.SGTMConfig{URL: "https://gtm.example.com", ClientType: "custom", Active: true,
		APISecret: relay.NewSecret("abcdefgh"), Headers: map[string]relay.Secret{"Origin": relay.NewSecret("https://www.bosley.com"),
			"X-Key": relay.NewSecret("abcdefgh-and-more"), "X-Env": relay.NewSecret("prod")}}))
	event := `{"storefront_id":"bosley","event_name":"purchase_completed","event_time":"` + recently() + `","order_id":"production-1",
		"order_revenue":80.790,"t-value":"","page_location":"https://www.bosley.com/thanks"}`
	r := o.must(http.MethodPost, "/admin/v1/preview", `{"event":`+event+`}`)
	request := r.body["destinations"].([]any)[0].(map[string]any)["request"].(map[string]any)
	require.Equal(t, map[string]any{"Content-Type": "application/json", "Origin": "[secret]", "X-Key": "[secret]", "X-Env": "[secret]"}, request["headers"])
	require.Contains(t, fmt.Sprint(request["body"]), "https://www.bosley.com/thanks")
	require.Contains(t, fmt.Sprint(request["body"]), "production-1")
	require.NotContains(t, r.text, "and-more")
}
