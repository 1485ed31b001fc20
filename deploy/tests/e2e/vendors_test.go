package e2e_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/db/seed"
	"relay/deploy/sandbox"
	"relay/deploy/sandbox/vendors"
	"relay/internal/relay"
)

// vendor is a platform whose whole path is shown: its credential as an admin sets it, and the vendor's own responses.
type vendor struct {
	code, fields, options string
	revoked               string // a field of a key that the vendor refuses
	throttled, refused    string // bodies of its 429 and 400
	id                    string // the person in the request
}

// vendorPaths are the platforms that have nothing more to show.
var vendorPaths = []vendor{
	{
		code: "klaviyo", fields: `"private_api_key":"pk_of-the-shop-at-klaviyo"`, revoked: `"private_api_key":"pk_revoked-at-klaviyo"`,
		options:   `{"identifiers":"hashed","plain_identifiers":"baa_signed"}`,
		throttled: `{"errors":[{"status":429,"code":"throttled","title":"Request was throttled.","detail":"Expected available in 1 second."}]}`,
		refused:   `{"errors":[{"status":400,"code":"invalid","title":"Invalid input.","detail":"marker-vendor","source":{"pointer":"/data/attributes/profile"}}]}`,
		id:        `"external_id":"patient-7"`,
	},
	{
		code: "customer_io", fields: `"site_id":"site_of_the_shop","api_key":"key-of-the-shop","region":"US"`, revoked: `"api_key":"revoked-at-customer-io"`,
		options:   `{"identifiers":"hashed","plain_identifiers":"baa_signed"}`,
		throttled: `{"meta":{"errors":["too many requests"]}}`,
		refused:   `{"errors":[{"reason":"invalid","field":"attributes","message":"marker-vendor"}]}`,
		id:        `"identifiers":{"id":"patient-7"}`,
	},
	{
		code: "mixpanel", fields: `"project_id":"42","service_account_username":"relay.mp-service-account","service_account_secret":"secret-of-the-shop","data_residency":"US"`,
		revoked: `"service_account_secret":"revoked-at-mixpanel"`, options: `{"identifiers":"hashed"}`,
		throttled: `{"code":429,"error":"too many requests","status":"Too Many Requests"}`,
		refused:   `{"code":400,"failed_records":[{"index":0,"insert_id":"","field":"properties.time","message":"marker-vendor"}],"num_records_imported":0}`,
		id:        `"distinct_id":"5eb7c66585c44dff748fa06000ba6aec4130229be27e9d04b3d81a72a78623ae"`,
	},
	{
		code: "amplitude", fields: `"api_key":"key-of-the-shop-at-amplitude","data_residency":"US"`, revoked: `"api_key":"revoked-at-amplitude"`,
		options:   `{"identifiers":"hashed"}`,
		throttled: `{"code":429,"error":"Too many requests for some devices and users","eps_threshold":30}`,
		refused:   `{"code":400,"error":"marker-vendor","events_with_invalid_fields":{"time":[0]}}`,
		id:        `"user_id":"5eb7c66585c44dff748fa06000ba6aec4130229be27e9d04b3d81a72a78623ae"`,
	},
}

// wholePath shows a platform from the API to the vendor: the credential is set by the API, an event is accepted after a throttling and an
// outage, a refused event fails, and so does one with a key that the vendor has revoked.
func (v vendor) wholePath(t *testing.T, w *town) {
	t.Helper()
	storefront := "shop-" + v.code
	_, err := seed.On(w.Store).CreateStorefront(t.Context(), relay.Storefront{Code: storefront, Name: v.code, Active: true, Currency: "USD"})
	require.NoError(t, err)
	made := asked(t, w.one, http.StatusCreated, http.MethodPost, "/admin/v1/credentials",
		fmt.Sprintf(`{"storefront_code":%q,"platform_code":%q,"credentials":{%s},"options":%s}`, storefront, v.code, v.fields, v.options))
	credential := fmt.Sprintf("/admin/v1/credentials/%v", made["id"])
	path := vendors.Prefix + v.code

	v.answer(t, w, sandbox.Answer{Status: 429, Body: v.throttled, Headers: map[string]string{"Retry-After": "1"}}, sandbox.Answer{Status: 503})
	w.postTo(t, storefront, storefront+"-1")
	e := w.ended(t, storefront+"-1", purchase)
	require.Equal(t, relay.StatusDelivered, e.Status, e.Detail)
	require.Equal(t, []relay.Outcome{relay.Retry, relay.Retry, relay.Accepted}, outcomes(e, v.code))
	got := w.atVendors(t, e)
	require.Len(t, got, 3)
	for _, r := range got {
		require.Contains(t, r.Path, path)
		require.Contains(t, r.Body, v.id)
		require.NotContains(t, r.Body, markEmail)
		require.NotContains(t, r.Body, markName)
	}
	require.Zero(t, w.count(t, "SELECT COUNT(*) FROM event_attempts WHERE marketing_event_id = ? AND request_body LIKE '%patient-7%'", e.ID))

	v.answer(t, w, sandbox.Answer{Status: 400, Body: v.refused})
	w.postTo(t, storefront, storefront+"-2")
	e = w.ended(t, storefront+"-2", purchase)
	require.Equal(t, relay.StatusFailed, e.Status)
	require.Equal(t, []relay.Outcome{relay.Rejected}, outcomes(e, v.code))

	asked(t, w.one, http.StatusOK, http.MethodPatch, credential, `{"credentials":{`+v.revoked+`}}`)
	w.postTo(t, storefront, storefront+"-3")
	e = w.ended(t, storefront+"-3", purchase)
	require.Equal(t, relay.StatusFailed, e.Status)
	require.Equal(t, relay.ReasonUnauthorized, e.Reason)
	require.Equal(t, []relay.Outcome{relay.Unauthorized}, outcomes(e, v.code))
}

func (v vendor) answer(t *testing.T, w *town, answers ...sandbox.Answer) {
	t.Helper()
	require.NoError(t, w.Sandbox.Answer(t.Context(), sandbox.Rule{Path: vendors.Prefix + v.code, Answers: answers}))
}
