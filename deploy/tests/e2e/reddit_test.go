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

// snoo is the address of this test's pixel; other tests have their own.
const snoo = vendors.Prefix + "reddit/v3/pixels/a2_snoo/"

// toReddit shows the whole path to Reddit: the credential is set by the API, a test event has the test id and a live one does not, the
// pixel is throttled at first, an event is refused within a success, and a token is revoked.
func toReddit(t *testing.T, w *town) {
	_, err := seed.On(w.Store).CreateStorefront(t.Context(), relay.Storefront{Code: "snoo", Name: "Snoo", Active: true, BaseURL: "https://snoo.example"})
	require.NoError(t, err)
	made := asked(t, w.one, http.StatusCreated, http.MethodPost, "/admin/v1/credentials", fmt.Sprintf(`{"storefront_code":"snoo","platform_code":"reddit",
		"credentials":{"pixel_id":"a2_snoo","access_token":%q},"options":{"identifiers":"hashed","send_user_agent":true}}`, markSecret))
	require.NotContains(t, fmt.Sprint(made), markSecret)
	credential := fmt.Sprintf("/admin/v1/credentials/%v", made["id"])
	check := asked(t, w.one, http.StatusOK, http.MethodPost, credential+"/check?send=test&test_event_code=t2_test", "")
	require.Equal(t, true, check["ok"], check)
	require.Contains(t, w.requests(t, snoo)[0].Body, `{"data":{"test_id":"t2_test","events":[`)

	require.NoError(t, w.Sandbox.Answer(t.Context(), sandbox.Rule{Path: snoo, Answers: []sandbox.Answer{vendors.RedditThrottled()}}))
	w.postTo(t, "snoo", "snoo-1")
	e := w.ended(t, "snoo-1", purchase)
	require.Equal(t, relay.StatusDelivered, e.Status, e.Detail)
	require.Equal(t, []relay.Outcome{relay.Retry, relay.Accepted}, outcomes(e, "reddit"))
	got := w.atVendors(t, e)
	require.Len(t, got, 2)
	for _, r := range got {
		require.NotContains(t, r.Body, markEmail)
		require.NotContains(t, r.Body, "test_id")
	}

	require.NoError(t, w.Sandbox.Answer(t.Context(), sandbox.Rule{Path: snoo, Answers: []sandbox.Answer{vendors.RedditInvalid()}}))
	w.postTo(t, "snoo", "snoo-2")
	e = w.ended(t, "snoo-2", purchase)
	require.Equal(t, relay.StatusFailed, e.Status)
	require.Equal(t, relay.ReasonVendorRejected, e.Reason)

	asked(t, w.one, http.StatusOK, http.MethodPatch, credential, fmt.Sprintf(`{"credentials":{"access_token":%q}}`, vendors.Revoked))
	w.postTo(t, "snoo", "snoo-3")
	e = w.ended(t, "snoo-3", purchase)
	require.Equal(t, relay.StatusFailed, e.Status)
	require.Equal(t, relay.ReasonUnauthorized, e.Reason)
	require.Equal(t, []relay.Outcome{relay.Unauthorized}, outcomes(e, "reddit"))
}
