package outbound_test

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/adapters/outbound"
	"relay/internal/relay"
)

// signingSecret is a fresh Standard Webhooks secret with its key.
func signingSecret(t *testing.T) (relay.Secret, []byte) {
	t.Helper()
	key := make([]byte, 32)
	_, err := rand.Read(key)
	require.NoError(t, err)
	return relay.NewSecret("whsec_" + base64.StdEncoding.EncodeToString(key)), key
}

func signatureOf(key []byte, id, at, body string) string {
	mac := hmac.New(sha256.New, key)
	_, _ = io.WriteString(mac, id+"."+at+"."+body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func webhook(url string, secrets ...string) relay.Request {
	return relay.Request{Method: "POST", URL: url, Header: map[string]string{relay.HeaderWebhookID: "msg_1"}, Body: []byte(`{"a":"ä"}`),
		Auth: relay.Auth{Kind: relay.AuthStandardWebhooks, Secrets: secrets}}
}

func TestSignatureIsMadeForEachSend(t *testing.T) {
	t.Parallel()
	var got []http.Header
	s := server(t, func(_ http.ResponseWriter, r *http.Request) { got = append(got, r.Header.Clone()) })
	now := time.Unix(1_795_420_800, 0)
	c := client(t, outbound.Config{AllowedPrivateNets: loopback, Now: func() time.Time { return now }})
	newest, newKey := signingSecret(t)
	previous, oldKey := signingSecret(t)
	d := relay.Destination{Secrets: map[string]relay.Secret{"new": newest, "old": previous, "unused": relay.NewSecret(secret)}}
	r := webhook(s.URL, "new", "old").For(d)
	for range 2 {
		require.Equal(t, 200, c.Send(t.Context(), r).Status)
		require.Equal(t, map[string]string{relay.HeaderWebhookID: "msg_1"}, r.Header, "the recorded request has no signature")
		now = now.Add(10 * time.Minute)
	}
	require.Len(t, got, 2)
	for i, at := range []string{"1795420800", "1795421400"} {
		require.Equal(t, "msg_1", got[i].Get("webhook-id"))
		require.Equal(t, at, got[i].Get("webhook-timestamp"))
		require.Equal(t, signatureOf(newKey, "msg_1", at, `{"a":"ä"}`)+" "+signatureOf(oldKey, "msg_1", at, `{"a":"ä"}`), got[i].Get("webhook-signature"))
	}
}

func TestWithoutASigningSecretOnlyTheTimeIsAdded(t *testing.T) {
	t.Parallel()
	var got http.Header
	s := server(t, func(_ http.ResponseWriter, r *http.Request) { got = r.Header.Clone() })
	require.Equal(t, 200, home(t).Send(t.Context(), webhook(s.URL).For(relay.Destination{})).Status)
	at, err := strconv.ParseInt(got.Get("webhook-timestamp"), 10, 64)
	require.NoError(t, err)
	require.WithinDuration(t, time.Now(), time.Unix(at, 0), time.Minute)
	require.Empty(t, got.Values("webhook-signature"))
}

func TestNothingIsSentWithoutAUsableKey(t *testing.T) {
	t.Parallel()
	s := server(t, func(http.ResponseWriter, *http.Request) { t.Error("a request left") })
	for name, value := range map[string]string{
		"none": "", "no prefix": base64.StdEncoding.EncodeToString(make([]byte, 32)), "too short": "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 23)),
		"too long": "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 65)), "no base64": "whsec_" + strings.Repeat("*", 40),
		"URL alphabet": "whsec_" + strings.Repeat("_", 44), "a line break": "whsec_AAAAAAAAAAAAAAAAAAAA\nAAAAAAAAAAAAAAAAAAAA",
	} {
		reply := home(t).Send(t.Context(), webhook(s.URL, "k").For(relay.Destination{Secrets: map[string]relay.Secret{"k": relay.NewSecret(value)}}))
		require.Equal(t, relay.TransportCredential, reply.TransportError, name)
		require.False(t, reply.Sent)
		require.Equal(t, relay.Unauthorized, reply.Result().Outcome, name)
	}
}
