package api_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/internal/relay"
)

const hookSecret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

func hook(fields string) string {
	return `{"storefront_code":"bosley","platform_code":"webhook","credentials":{` + fields + `}}`
}

func TestAWebhookIsConfiguredWithHeadersOfItsOwn(t *testing.T) {
	t.Parallel()
	o := newOpsTest(t)
	made := o.post("credentials", hook(`"url":"https://hooks.example.com/in","signing_secret":"`+hookSecret+`","header:X-Api-Key":"0123456789abcdef"`))
	require.Equal(t, map[string]any{"url": "https://hooks.example.com/in"}, made.body["credentials"])
	require.Equal(t, map[string]any{"signing_secret": map[string]any{"is_set": true, "last_four": "ZWY="},
		"header:X-Api-Key": map[string]any{"is_set": true, "last_four": "cdef"}}, made.body["secrets"])
	require.NotContains(t, made.body, "warnings")

	path := fmt.Sprintf("/admin/v1/credentials/%d", made.id())
	r := o.must(http.MethodPatch, path, `{"credentials":{"header:X-Api-Key":"","signing_secret":"","header:X-Other":"another-key-value"}}`)
	require.Equal(t, map[string]any{"header:X-Other": map[string]any{"is_set": true, "last_four": "alue"}}, r.body["secrets"])
	r = o.must(http.MethodPatch, path, `{"credentials":{"header:X-Other":""}}`)
	require.Equal(t, []any{"neither signing_secret nor a custom header is set: the receiver cannot tell who sends"}, r.body["warnings"])
}

func TestAPreviewOfAWebhookShowsWhatIsAddedWhenItIsSent(t *testing.T) {
	t.Parallel()
	o := newOpsTest(t)
	o.post("credentials", hook(`"url":"https://hooks.example.com/in","signing_secret":"`+hookSecret+`","header:X-Api-Key":"0123456789abcdef"`))
	r := o.must(http.MethodPost, "/admin/v1/preview", `{"event":`+item+`}`)
	require.NotContains(t, r.text, hookSecret)
	require.NotContains(t, r.text, "0123456789abcdef")
	for _, d := range r.body["destinations"].([]any) {
		if d := d.(map[string]any); d["destination"] == "webhook" {
			headers := d["request"].(map[string]any)["headers"].(map[string]any)
			require.Equal(t, "added when sent", headers["Webhook-Signature"])
			require.Equal(t, "added when sent", headers["Webhook-Timestamp"])
			require.Equal(t, "[secret]", headers["X-Api-Key"])
			require.Regexp(t, "^[0-9a-f]{32}$", headers["Webhook-Id"])
			return
		}
	}
	require.Fail(t, "the preview has no webhook")
}

func TestBadWebhooksAreRefused(t *testing.T) {
	t.Parallel()
	a := newAdminTest(t)
	a.storefront("bosley")
	const url = `"url":"https://hooks.example.com/in"`
	for _, c := range []struct{ name, body, problem string }{
		{"no address", hook(`"signing_secret":"` + hookSecret + `"`), "missing_field credentials.url"},
		{"plain http", hook(`"url":"http://hooks.example.com/in"`), "invalid_url credentials.url"},
		{"a query", hook(`"url":"https://hooks.example.com/in?token=do-not-repeat"`), "invalid_url credentials.url"},
		{"a secret of another form", hook(url + `,"signing_secret":"do-not-repeat-this"`), "invalid_value credentials.signing_secret"},
		{"only the previous secret", hook(url + `,"signing_secret_previous":"` + hookSecret + `"`), "invalid_value credentials.signing_secret"},
		{"a header of the connection", hook(url + `,"header:Host":"do-not-repeat"`), "forbidden_header credentials.header:Host"},
		{"a header that the relay sets", hook(url + `,"header:webhook-id":"do-not-repeat"`), "invalid_value credentials.custom_headers"},
		{"a field that is no header", hook(url + `,"X-Api-Key":"do-not-repeat"`), "unknown_field credentials.X-Api-Key"},
		{"a header without a name", hook(url + `,"header:":"do-not-repeat"`), "forbidden_header credentials.header:"},
		{"the field that stands for headers", hook(url + `,"header:*":"do-not-repeat"`), "invalid_value credentials.…"},
		{"a header at a platform without", `{"storefront_code":"bosley","platform_code":"meta_capi","credentials":{"pixel_id":"1","access_token":"a-test-token","header:X-A":"do-not-repeat"}}`,
			"unknown_field credentials.header:X-A"},
		{"an agreement at a platform that hashes", `{"storefront_code":"bosley","platform_code":"meta_capi","credentials":{"pixel_id":"1","access_token":"a-test-token"},
			"options":{"plain_identifiers":"baa_signed"}}`, "invalid_value options.plain_identifiers"},
		{"an agreement of another name", `{"storefront_code":"bosley","platform_code":"webhook","credentials":{` + url + `},"options":{"plain_identifiers":"yes"}}`,
			"invalid_value options.plain_identifiers"},
	} {
		a.refused(t, c.name, badInput{c.name, c.body, c.problem}, a.call(http.MethodPost, "/admin/v1/credentials", c.body))
	}
}

// eventIDs is a platform with ids in place of names.
type eventIDs struct{ relay.Adapter }

func (eventIDs) EventNames() relay.EventNames {
	return relay.EventNames{NeedID: []string{"consult_started", "purchase_completed"}}
}

func TestACheckNamesTheEventsWithoutAnID(t *testing.T) {
	t.Parallel()
	o := newOpsTest(t)
	o.ops.Adapters["meta_capi"] = eventIDs{o.ops.Adapters["meta_capi"]}
	made := o.post("credentials", `{"storefront_code":"bosley","platform_code":"meta_capi","credentials":{"pixel_id":"1","access_token":"the-token"},"options":{"identifiers":"hashed"}}`)
	path := fmt.Sprintf("/admin/v1/credentials/%d", made.id())
	require.Equal(t, []any{"options.events has no id of the vendor's for consult_started, purchase_completed: such events are skipped"},
		o.must(http.MethodPost, path+"/check", "").body["warnings"])
	o.must(http.MethodPatch, path, `{"options":{"identifiers":"hashed","events":{"purchase_completed":{"name":"987"},"consult_started":{"skip":true}}}}`)
	require.Equal(t, []any{}, o.must(http.MethodPost, path+"/check", "").body["warnings"])
}

// HTTP Basic has user and password in base64, where no search for the secret finds it.
func TestAPreviewHidesASecretInBase64(t *testing.T) {
	t.Parallel()
	o := newOpsTest(t)
	o.post("credentials", `{"storefront_code":"bosley","platform_code":"customer_io","credentials":{"site_id":"site_of_bosley","api_key":"0123456789abcdef","region":"US"},
		"options":{"identifiers":"hashed","plain_identifiers":"baa_signed","events":{"purchase_completed":{"name":"purchase"}}}}`)
	r := o.must(http.MethodPost, "/admin/v1/preview", `{"event":`+item+`}`)
	for _, d := range r.body["destinations"].([]any) {
		if d := d.(map[string]any); d["destination"] == "customer_io" {
			request, ok := d["request"].(map[string]any)
			require.True(t, ok, r.text)
			require.Equal(t, "[secret]", request["headers"].(map[string]any)["Authorization"])
			require.NotContains(t, r.text, "c2l0ZV9vZl9ib3NsZXk6")
			return
		}
	}
	require.Fail(t, "the preview has no customer_io")
}
