package vendors_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/adapters/outbound"
	"relay/deploy/sandbox"
	"relay/deploy/sandbox/vendors"
	"relay/internal/relay"
)

// googleBearer is an access token of the played service.
func googleBearer(t *testing.T) string {
	t.Helper()
	form := url.Values{"grant_type": {"refresh_token"}, "client_id": {"c"}, "client_secret": {"s"}, "refresh_token": {"r"}}
	got, played := play("google_ads/token", "", form.Encode())
	require.True(t, played)
	require.Equal(t, 200, got.Status, got.Body)
	var b struct {
		Token string `json:"access_token"`
	}
	require.NoError(t, json.Unmarshal([]byte(got.Body), &b))
	return "Authorization: Bearer " + b.Token
}

// conversion is a request with one event, in which a text is replaced.
func conversion(replaced ...string) string {
	body := fmt.Sprintf(`{"destinations":[{"operatingAccount":{"accountType":"GOOGLE_ADS","accountId":"1234567890"},"productDestinationId":"987654321"}],
		"events":[{"transactionId":"o","eventTimestamp":%q,"eventSource":"WEB","currency":"USD","conversionValue":80.790,"adIdentifiers":{"gclid":"EAIaIQ"},
		"consent":{"adUserData":"CONSENT_GRANTED"}}]}`, time.Now().UTC().Format(time.RFC3339))
	return strings.NewReplacer(replaced...).Replace(body)
}

func TestGoogleTakesWhatItsOwnTypesHold(t *testing.T) {
	t.Parallel()
	bearer, hash := googleBearer(t), strings.Repeat("ab", 32)
	now := time.Now().UTC().Format("2006-01-02T")
	for name, c := range map[string]struct {
		header, body string
		status       int
		want         string
	}{
		"accepted":            {bearer, conversion(), 200, `"requestId"`},
		"a value of 0":        {bearer, conversion("80.790", "0"), 200, `"requestId"`},
		"only validated":      {bearer, conversion(`"events"`, `"validateOnly":true,"events"`), 200, `{}`},
		"hashes":              {bearer, conversion(`"events"`, `"encoding":"HEX","events"`, `"adIdentifiers":{"gclid":"EAIaIQ"}`, `"userData":{"userIdentifiers":[{"emailAddress":"`+hash+`"}]}`), 200, "requestId"},
		"no token":            {"", conversion(), 401, "UNAUTHENTICATED"},
		"an old token":        {"Authorization: Bearer ya29.sandbox-1700000000", conversion(), 401, "ACCESS_TOKEN_EXPIRED"},
		"a name of a field":   {bearer, conversion("transactionId", "transaction_id"), 400, "INVALID_ARGUMENT"},
		"an unknown field":    {bearer, conversion(`"eventSource"`, `"page":"x","eventSource"`), 400, "INVALID_ARGUMENT"},
		"a text for a number": {bearer, conversion("80.790", `"80.79"`), 400, "INVALID_ARGUMENT"},
		"another account":     {bearer, conversion("1234567890", "123-456-7890"), 400, "INVALID_DESTINATION"},
		"a name for an id":    {bearer, conversion("987654321", "purchase"), 400, "INVALID_CONVERSION_ACTION_ID"},
		"no time":             {bearer, conversion(now, "2020-01-01T"), 400, "EVENT_TIME_INVALID"},
		"no click":            {bearer, conversion("EAIaIQ", ""), 400, "INVALID_ARGUMENT"},
		"no identifiers":      {bearer, conversion(`"adIdentifiers":{"gclid":"EAIaIQ"},`, ""), 400, "NO_IDENTIFIERS_PROVIDED"},
		"no encoding":         {bearer, conversion(`"adIdentifiers"`, `"userData":{"userIdentifiers":[{"emailAddress":"`+hash+`"}]},"adIdentifiers"`), 400, "INVALID_HASH"},
		"an address in the clear": {bearer, conversion(`"events"`, `"encoding":"HEX","events"`, `"adIdentifiers"`,
			`"userData":{"userIdentifiers":[{"emailAddress":"jane@example.com"}]},"adIdentifiers"`), 400, "INVALID_HASH"},
		"a word for consent": {bearer, conversion("CONSENT_GRANTED", "granted"), 400, "INVALID_CONSENT"},
		"no currency":        {bearer, conversion(`"currency":"USD",`, ""), 400, "INVALID_CURRENCY_CODE"},
	} {
		got, played := play("google_ads/v1/events:ingest", c.header, c.body)
		require.True(t, played, name)
		require.Equal(t, c.status, got.Status, "%s: %s", name, got.Body)
		require.Contains(t, got.Body, c.want, name)
	}
	got, _ := play("google_ads/v1/audienceMembers:ingest", bearer, "{}")
	require.Equal(t, 404, got.Status)
}

func TestGoogleIssuesTokensToCredentialsThatItKnows(t *testing.T) {
	t.Parallel()
	refresh := url.Values{"grant_type": {"refresh_token"}, "client_id": {"c"}, "client_secret": {"s"}, "refresh_token": {vendors.Revoked}}
	for want, form := range map[string]url.Values{
		"invalid_grant":          refresh,
		"invalid_client":         {"grant_type": {"refresh_token"}, "refresh_token": {"r"}},
		"unsupported_grant_type": {"grant_type": {"password"}},
	} {
		got, _ := play("google_ads/token", "", form.Encode())
		require.Equal(t, 400, got.Status)
		require.Contains(t, got.Body, want)
	}
	account, err := relay.ParseServiceAccount(relay.NewSecret(vendors.GoogleAccount()))
	require.NoError(t, err)
	const scope, service = "https://www.googleapis.com/auth/datamanager", "http://127.0.0.1/vendors/google_ads/token"
	for name, c := range map[string]struct {
		audience, scope string
		at              time.Time
		change          string
		status          int
	}{
		"signed":          {service, scope, time.Now(), "", 200},
		"another scope":   {service, "https://www.googleapis.com/auth/adwords", time.Now(), "", 400},
		"another service": {"https://example.com/token", scope, time.Now(), "", 400},
		"two hours old":   {service, scope, time.Now().Add(-2 * time.Hour), "", 400},
		"another byte":    {service, scope, time.Now(), "x", 400},
	} {
		assertion, err := account.Assertion(c.audience, c.scope, c.at)
		require.NoError(t, err)
		form := url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {c.change + assertion}}
		got, _ := play("google_ads/token", "", form.Encode())
		require.Equal(t, c.status, got.Status, name)
	}
}

// The relay's own client exchanges either credential for a token that the played Google takes.
func TestTheRelaysTokensAreGooglesOwn(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(sandbox.New(sandbox.Options{Play: vendors.Play}))
	t.Cleanup(s.Close)
	c := outbound.New(outbound.Config{AllowedPrivateNets: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	t.Cleanup(c.Close)
	d := relay.Destination{Secrets: map[string]relay.Secret{"key": relay.NewSecret(vendors.GoogleAccount()), "grant": relay.NewSecret("1//r"),
		"revoked": relay.NewSecret(vendors.Revoked), "client": relay.NewSecret("s")}}
	send := func(a relay.Auth) relay.Response {
		a.TokenURL = s.URL + vendors.Prefix + "google_ads/token"
		r := relay.Request{Method: http.MethodPost, URL: s.URL + vendors.Prefix + "google_ads/v1/events:ingest", Body: []byte(conversion()), Auth: a}
		return c.Send(t.Context(), r.For(d))
	}
	require.Equal(t, 200, send(relay.Auth{Kind: relay.AuthServiceAccount, Secrets: []string{"key"}, Scope: "https://www.googleapis.com/auth/datamanager"}).Status)
	require.Equal(t, 200, send(relay.Auth{Kind: relay.AuthRefreshToken, Secrets: []string{"grant", "client"}, ClientID: "c"}).Status)
	require.Equal(t, relay.TransportCredential, send(relay.Auth{Kind: relay.AuthRefreshToken, Secrets: []string{"revoked", "client"}, ClientID: "c"}).TransportError)
}
