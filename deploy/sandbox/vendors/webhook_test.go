package vendors_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"

	"relay/adapters/outbound"
	"relay/deploy/sandbox"
	"relay/deploy/sandbox/vendors"
	"relay/internal/relay"
)

const hookBody = `{"type":"purchase_completed","timestamp":"2026-11-23T08:00:00Z","data":{"event_id":"9b31c2d4e5f60718293a4b5c6d7e8f90",` +
	`"event_type":"purchase_completed","payload":{"currency":"USD","order_revenue":80.79}}}`

// hook is a delivery as the library of Standard Webhooks signs it.
func hook(t *testing.T, secret, body string, at time.Time) *http.Request {
	t.Helper()
	w, err := standardwebhooks.NewWebhook(secret)
	require.NoError(t, err)
	signature, err := w.Sign("msg_1", at, []byte(body))
	require.NoError(t, err)
	r := httptest.NewRequest(http.MethodPost, vendors.Prefix+"webhook/any/path", strings.NewReader(body))
	r.Header.Set("webhook-id", "msg_1")
	r.Header.Set("webhook-timestamp", strconv.FormatInt(at.Unix(), 10))
	r.Header.Set("webhook-signature", signature)
	return r
}

func TestAWebhooksReceiverTakesOnlyWhatIsSigned(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for name, c := range map[string]struct {
		secret, signed, body string
		at                   time.Time
		status               int
	}{
		"signed":                      {vendors.WebhookSecret, hookBody, hookBody, now, 202},
		"another byte":                {vendors.WebhookSecret, hookBody, strings.Replace(hookBody, "80.79", "80.78", 1), now, 401},
		"six minutes old":             {vendors.WebhookSecret, hookBody, hookBody, now.Add(-6 * time.Minute), 401},
		"another secret":              {"whsec_" + strings.Repeat("QUJD", 10), hookBody, hookBody, now, 401},
		"a member that is not agreed": {vendors.WebhookSecret, `{"email":"jane@example.com"}`, `{"email":"jane@example.com"}`, now, 400},
		"no data":                     {vendors.WebhookSecret, `{"type":"a"}`, `{"type":"a"}`, now, 400},
	} {
		got, played := vendors.Play(hook(t, c.secret, c.signed, c.at), []byte(c.body))
		require.True(t, played, name)
		require.Equal(t, c.status, got.Status, "%s: %s", name, got.Body)
	}
	unsigned := httptest.NewRequest(http.MethodPost, vendors.Prefix+"webhook", nil)
	got, _ := vendors.Play(unsigned, []byte(hookBody))
	require.Equal(t, 401, got.Status)
}

// The relay's own client signs what the library of the specification verifies, with either secret of a change of keys.
func TestTheRelaysSignatureIsTheLibrarys(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(sandbox.New(sandbox.Options{Play: vendors.Play}))
	t.Cleanup(s.Close)
	c := outbound.New(outbound.Config{AllowedPrivateNets: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	t.Cleanup(c.Close)
	d := relay.Destination{Secrets: map[string]relay.Secret{"known": relay.NewSecret(vendors.WebhookSecret),
		"other": relay.NewSecret("whsec_" + strings.Repeat("QUJD", 10))}}
	for status, names := range map[int][][]string{202: {{"known"}, {"known", "other"}, {"other", "known"}}, 401: {{"other"}, {}}} {
		for _, secrets := range names {
			r := relay.Request{Method: "POST", URL: s.URL + vendors.Prefix + "webhook", Header: map[string]string{relay.HeaderWebhookID: "msg_1"},
				Body: []byte(hookBody), Auth: relay.Auth{Kind: relay.AuthStandardWebhooks, Secrets: secrets}}
			require.Equal(t, status, c.Send(t.Context(), r.For(d)).Status, "%v", secrets)
		}
	}
}
