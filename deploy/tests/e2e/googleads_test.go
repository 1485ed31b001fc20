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

// Paths of the played Google.
const (
	googleTokens = vendors.Prefix + "google_ads/token"
	googleIngest = vendors.Prefix + "google_ads/v1/events:ingest"
)

// googleClient is the OAuth client of this test, which distinguishes its requests for tokens from others'.
const googleClient = "1-gads.apps.googleusercontent.com"

// toGoogleAds shows the whole path to Google Ads under the data policy health: the credential is set by the API, Google throttles,
// refuses an event, an access token and a credential, and its token service is away.
func toGoogleAds(t *testing.T, w *town) {
	_, err := seed.On(w.Store).CreateStorefront(t.Context(), relay.Storefront{Code: "gads", Name: "Gads", Active: true, BaseURL: "https://gads.example"})
	require.NoError(t, err)
	made := asked(t, w.one, http.StatusCreated, http.MethodPost, "/admin/v1/credentials", fmt.Sprintf(`{"storefront_code":"gads","platform_code":"google_ads",
		"credentials":{"customer_id":"123-456-7890","oauth_client_id":%q,"oauth_client_secret":%q,"refresh_token":%q,"token_url":%q},
		"options":{"identifiers":"hashed","send_ip":true,"send_user_agent":true}}`, googleClient, markSecret, markSecret, w.Sandbox.BaseURL+googleTokens))
	require.NotContains(t, fmt.Sprint(made), markSecret)
	require.Contains(t, fmt.Sprint(made["warnings"]), "purchase_completed", "it has no conversion action")
	credential := fmt.Sprintf("/admin/v1/credentials/%v", made["id"])
	asked(t, w.one, http.StatusOK, http.MethodPatch, credential, `{"options":{"identifiers":"hashed","send_ip":true,"send_user_agent":true,
		"events":{"purchase_completed":{"name":"987654321"}}}}`)
	check := asked(t, w.one, http.StatusOK, http.MethodPost, credential+"/check?send=test", "")
	require.Equal(t, true, check["ok"], check)
	require.Equal(t, "added when sent", check["sent"].(map[string]any)["request"].(map[string]any)["headers"].(map[string]any)["Authorization"])

	w.throttledByGoogle(t)
	w.refusedByGoogle(t)
	w.withAnExpiredToken(t)
	w.withoutATokenService(t, credential)
	w.byServiceAccount(t, credential)
	w.withARefusedCredential(t, credential)
	require.Zero(t, w.count(t, `SELECT COUNT(*) FROM event_attempts WHERE destination = 'google_ads'
		AND CONCAT_WS(' ', url, header_names, request_body, detail) REGEXP 'ya29|Bearer|BEGIN'`))
}

// scripted sets the next responses below a path.
func (w *world) scripted(t *testing.T, path string, answers ...sandbox.Answer) {
	t.Helper()
	require.NoError(t, w.Sandbox.Answer(t.Context(), sandbox.Rule{Path: path, Answers: answers}))
}

func (w *world) throttledByGoogle(t *testing.T) {
	t.Helper()
	w.scripted(t, googleIngest, vendors.GoogleThrottled("Minute"))
	w.postTo(t, "gads", "gads-1")
	e := w.ended(t, "gads-1", purchase)
	require.Equal(t, relay.StatusDelivered, e.Status, e.Detail)
	require.Equal(t, []relay.Outcome{relay.Retry, relay.Accepted}, outcomes(e, "google_ads"))
	require.Contains(t, attemptsAt(e, "google_ads")[0].HeaderNames, "Authorization")
	got := w.atVendors(t, e)
	require.Len(t, got, 2)
	for _, r := range got {
		require.True(t, strings.HasPrefix(r.Headers.Get("Authorization"), "Bearer ya29."))
		require.Contains(t, r.Body, `"adIdentifiers":{"gclid":"g1"}`)
		require.NotRegexp(t, `userData|203\.0\.113|[0-9a-f]{64}|validateOnly`, r.Body, "of a person under the data policy health only the click leaves")
	}
}

func (w *world) refusedByGoogle(t *testing.T) {
	t.Helper()
	w.scripted(t, googleIngest, vendors.GoogleRefusal(http.StatusBadRequest, "INVALID_ARGUMENT", "INVALID_CURRENCY_CODE"))
	w.postTo(t, "gads", "gads-2")
	e := w.ended(t, "gads-2", purchase)
	require.Equal(t, relay.StatusFailed, e.Status)
	require.Equal(t, relay.ReasonBadRequest, e.Reason)
}

// withAnExpiredToken covers a token that Google does not know any more: the next attempt has a fresh one. Before, each of the two
// relays has a token, so that the event's is from an earlier exchange.
func (w *town) withAnExpiredToken(t *testing.T) {
	t.Helper()
	for n := 0; w.exchanges(t) < len(w.relays); n++ {
		require.Less(t, n, 100, "one relay delivers everything")
		order := fmt.Sprintf("gads-first-%d", n)
		post(t, w.relays[n%len(w.relays)], withPerson("gads", order, purchase))
		require.Equal(t, relay.StatusDelivered, w.ended(t, order, purchase).Status)
	}
	before := w.exchanges(t)
	w.scripted(t, googleIngest, vendors.GoogleExpired())
	w.postTo(t, "gads", "gads-3")
	e := w.ended(t, "gads-3", purchase)
	require.Equal(t, relay.StatusDelivered, e.Status, e.Detail)
	require.Equal(t, []relay.Outcome{relay.Retry, relay.Accepted}, outcomes(e, "google_ads"))
	require.Equal(t, relay.ReasonTokenExpired, attemptsAt(e, "google_ads")[0].Result.Reason)
	require.LessOrEqual(t, w.exchanges(t), before+1)
}

// exchanges is the number of requests for a token of this test's client.
func (w *world) exchanges(t *testing.T) int {
	t.Helper()
	n := 0
	for _, r := range w.requests(t, googleTokens) {
		if strings.Contains(r.Body, "client_id="+googleClient) {
			n++
		}
	}
	return n
}

// withoutATokenService covers a service that issues no token at first: nothing is sent to the API before it does.
func (w *world) withoutATokenService(t *testing.T, credential string) {
	t.Helper()
	w.scripted(t, googleTokens, sandbox.Answer{Status: http.StatusServiceUnavailable}, sandbox.Answer{Status: http.StatusTooManyRequests})
	asked(t, w.relays[0], http.StatusOK, http.MethodPatch, credential, fmt.Sprintf(`{"credentials":{"refresh_token":%q}}`, markSecret+"-2"))
	w.postTo(t, "gads", "gads-4")
	e := w.ended(t, "gads-4", purchase)
	require.Equal(t, relay.StatusDelivered, e.Status, e.Detail)
	require.Equal(t, []relay.Outcome{relay.Retry, relay.Retry, relay.Accepted}, outcomes(e, "google_ads"))
	require.Equal(t, relay.ReasonTokenUnavailable, attemptsAt(e, "google_ads")[0].Result.Reason)
	require.Len(t, w.atVendors(t, e), 1)
}

func (w *world) byServiceAccount(t *testing.T, credential string) {
	t.Helper()
	asked(t, w.relays[0], http.StatusOK, http.MethodPatch, credential, fmt.Sprintf(
		`{"credentials":{"service_account_json":%q,"oauth_client_id":"","oauth_client_secret":"","refresh_token":""}}`, vendors.GoogleAccount()))
	w.postTo(t, "gads", "gads-5")
	e := w.ended(t, "gads-5", purchase)
	require.Equal(t, relay.StatusDelivered, e.Status, e.Detail)
	require.Equal(t, []relay.Outcome{relay.Accepted}, outcomes(e, "google_ads"))
}

// withARefusedCredential covers a grant that its person has taken back.
func (w *world) withARefusedCredential(t *testing.T, credential string) {
	t.Helper()
	asked(t, w.relays[0], http.StatusOK, http.MethodPatch, credential, fmt.Sprintf(
		`{"credentials":{"service_account_json":"","oauth_client_id":%q,"oauth_client_secret":%q,"refresh_token":%q}}`, googleClient, markSecret, vendors.Revoked))
	w.postTo(t, "gads", "gads-6")
	e := w.ended(t, "gads-6", purchase)
	require.Equal(t, relay.StatusFailed, e.Status)
	require.Equal(t, relay.ReasonUnauthorized, e.Reason)
	require.Equal(t, []relay.Outcome{relay.Unauthorized}, outcomes(e, "google_ads"))
	require.Empty(t, w.atVendors(t, e))
}
