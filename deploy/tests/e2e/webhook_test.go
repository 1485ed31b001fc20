package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/db/seed"
	"relay/deploy/sandbox"
	"relay/deploy/sandbox/vendors"
	"relay/internal/relay"
)

// otherSecret is one that the played receiver does not know.
const otherSecret = "whsec_bWFya2VyLXNlY3JldC1vZi1hbm90aGVyLXJlY2VpdmVy"

// hookPath is where this receiver is; others of the world have the player's own path.
const hookPath = vendors.Prefix + "webhook/hooked"

// webhooks shows the whole path of a signed webhook: the credential is set by the API, the receiver verifies each attempt with the
// library of the specification, and the record has no signature.
func webhooks(t *testing.T, w *town) {
	_, err := seed.On(w.Store).CreateStorefront(t.Context(), relay.Storefront{Code: "hooked", Name: "Hooked", Active: true, BaseURL: "https://hooked.example"})
	require.NoError(t, err)
	url := w.Sandbox.BaseURL + hookPath
	made := asked(t, w.one, http.StatusCreated, http.MethodPost, "/admin/v1/credentials", fmt.Sprintf(`{"storefront_code":"hooked","platform_code":"webhook",
		"credentials":{"url":%q,"signing_secret":%q,"header:X-Api-Key":%q}}`, url, vendors.WebhookSecret, markHeader))
	require.NotContains(t, fmt.Sprint(made), markHeader)
	credential := fmt.Sprintf("/admin/v1/credentials/%v", made["id"])

	check := asked(t, w.one, http.StatusOK, http.MethodPost, credential+"/check?send=test", "")
	require.Equal(t, true, check["ok"], check)
	require.Equal(t, "added when sent", check["sent"].(map[string]any)["request"].(map[string]any)["headers"].(map[string]any)["Webhook-Signature"])

	w.retriedAndSigned(t)
	w.rotated(t, credential)
	w.unauthorizedReceiver(t, credential)
}

// retriedAndSigned covers a receiver that is busy at first: each attempt has a signature of its own and the same id.
func (w *world) retriedAndSigned(t *testing.T) {
	t.Helper()
	require.NoError(t, w.Sandbox.Answer(t.Context(), sandbox.Rule{Path: hookPath, Answers: []sandbox.Answer{{Status: 503}, {Status: 429}}}))
	w.postTo(t, "hooked", "hooked-1")
	e := w.ended(t, "hooked-1", purchase)
	require.Equal(t, relay.StatusDelivered, e.Status, e.Detail)
	require.Equal(t, []relay.Outcome{relay.Retry, relay.Retry, relay.Accepted}, outcomes(e, "webhook"))
	w.requireARowForEveryRequest(t, e)
	got := w.atVendors(t, e)
	require.Len(t, got, 3)
	signatures := map[string]bool{}
	for _, r := range got {
		require.Equal(t, dedupID(e), r.Headers.Get("webhook-id"))
		require.Equal(t, markHeader, r.Headers.Get("X-Api-Key"))
		require.NotContains(t, r.Body, markEmail)
		require.NotContains(t, r.Body, markName)
		signatures[r.Headers.Get("webhook-timestamp")+r.Headers.Get("webhook-signature")] = true
	}
	require.Len(t, signatures, 3, "the backoff is a second at least, and the signature is of the attempt")
	require.Contains(t, attemptsAt(e, "webhook")[0].HeaderNames, "Webhook-Signature")
	require.Zero(t, w.count(t, "SELECT COUNT(*) FROM event_attempts WHERE marketing_event_id = ? AND CONCAT_WS(' ', header_names, request_body, detail) LIKE '%v1,%'", e.ID))
}

// rotated covers a change of keys: the receiver still knows the old one.
func (w *world) rotated(t *testing.T, credential string) {
	t.Helper()
	asked(t, w.relays[0], http.StatusOK, http.MethodPatch, credential, fmt.Sprintf(`{"credentials":{"signing_secret":%q,"signing_secret_previous":%q}}`,
		otherSecret, vendors.WebhookSecret))
	w.postTo(t, "hooked", "hooked-2")
	e := w.ended(t, "hooked-2", purchase)
	require.Equal(t, relay.StatusDelivered, e.Status, e.Detail)
	require.Len(t, strings.Fields(w.atVendors(t, e)[0].Headers.Get("webhook-signature")), 2)
}

// unauthorizedReceiver covers a wrong secret.
func (w *world) unauthorizedReceiver(t *testing.T, credential string) {
	t.Helper()
	asked(t, w.relays[0], http.StatusOK, http.MethodPatch, credential, `{"credentials":{"signing_secret_previous":""}}`)
	w.postTo(t, "hooked", "hooked-3")
	e := w.ended(t, "hooked-3", purchase)
	require.Equal(t, relay.StatusFailed, e.Status)
	require.Equal(t, relay.ReasonUnauthorized, e.Reason)
	require.Equal(t, []relay.Outcome{relay.Unauthorized}, outcomes(e, "webhook"))
}

func (w *world) postTo(t *testing.T, storefront, order string) {
	t.Helper()
	post(t, w.relays[0], withPerson(storefront, order, purchase))
}
