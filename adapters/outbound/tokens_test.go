package outbound_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/adapters/outbound"
	"relay/internal/relay"
)

// issuer is a token service with an API that takes only the tokens that are good.
type issuer struct {
	mu       sync.Mutex
	token    *httptest.Server
	api      *httptest.Server
	forms    []url.Values
	events   []string // the Authorization of each request at the API
	answer   func(n int) (status int, header, body string)
	revoked  map[string]bool
	expires  int
	at       time.Time
	asked    chan struct{} // closed: the service answers
	refusing bool
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	i := &issuer{revoked: map[string]bool{}, expires: 3599, at: time.Unix(1_795_420_800, 0), asked: make(chan struct{})}
	close(i.asked)
	i.token = server(t, func(w http.ResponseWriter, r *http.Request) {
		i.mu.Lock()
		wait := i.asked
		i.mu.Unlock()
		<-wait
		i.mu.Lock()
		defer i.mu.Unlock()
		_ = r.ParseForm()
		i.forms = append(i.forms, r.PostForm)
		status, header, body := 200, "", fmt.Sprintf(`{"access_token":"token-%d","expires_in":%d,"token_type":"Bearer"}`, len(i.forms), i.expires)
		if i.answer != nil {
			status, header, body = i.answer(len(i.forms))
		}
		if name, value, ok := strings.Cut(header, ": "); ok {
			w.Header().Set(name, value)
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	})
	i.api = server(t, func(w http.ResponseWriter, r *http.Request) {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.events = append(i.events, r.Header.Get("Authorization"))
		if i.refusing || i.revoked[r.Header.Get("Authorization")] {
			w.WriteHeader(http.StatusUnauthorized)
		}
	})
	return i
}

func (i *issuer) client(t *testing.T) *outbound.Client {
	t.Helper()
	return client(t, outbound.Config{AllowedPrivateNets: loopback, Timeout: 4 * time.Second, Now: func() time.Time {
		i.mu.Lock()
		defer i.mu.Unlock()
		return i.at
	}})
}

func (i *issuer) later(d time.Duration) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.at = i.at.Add(d)
}

// request is one event for the API, of the credential with this refresh token.
func (i *issuer) request(refresh string) relay.Request {
	r := relay.Request{Method: "POST", URL: i.api.URL, Header: map[string]string{"X-Own": "1"}, Body: []byte("{}"),
		Auth: relay.Auth{Kind: relay.AuthRefreshToken, Secrets: []string{"refresh_token", "client_secret"}, TokenURL: i.token.URL, ClientID: "client-1"}}
	return r.For(relay.Destination{Secrets: map[string]relay.Secret{"refresh_token": relay.NewSecret(refresh), "client_secret": relay.NewSecret(secret)}})
}

func TestOneTokenServesACredentialUntilFiveMinutesBeforeItsEnd(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	c := i.client(t)
	send := func(refresh string) {
		t.Helper()
		r := i.request(refresh)
		require.Equal(t, relay.Accepted, c.Send(t.Context(), r).Result().Outcome)
		require.Equal(t, map[string]string{"X-Own": "1"}, r.Header, "the recorded request has no token")
	}
	send("one")
	send("one")
	send("two")
	i.later(3599*time.Second - 5*time.Minute - time.Second)
	send("one")
	i.later(2 * time.Second)
	send("one")
	require.Equal(t, []string{"Bearer token-1", "Bearer token-1", "Bearer token-2", "Bearer token-1", "Bearer token-3"}, i.events)
	require.Equal(t, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"one"}, "client_id": {"client-1"}, "client_secret": {secret}}, i.forms[0])
	require.Len(t, i.forms, 3)
}

func TestManySendersWaitForOneExchange(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	c := i.client(t)
	i.asked = make(chan struct{})
	var all sync.WaitGroup
	var accepted atomic.Int32
	for range 20 {
		all.Go(func() {
			if c.Send(t.Context(), i.request("one")).Status == 200 {
				accepted.Add(1)
			}
		})
	}
	close(i.asked)
	all.Wait()
	require.EqualValues(t, 20, accepted.Load())
	require.Len(t, i.forms, 1)
}

func TestARefusedTokenIsReplacedOnceAndThenTheCredentialIsToBlame(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	c := i.client(t)
	require.Equal(t, 200, c.Send(t.Context(), i.request("one")).Status)
	i.revoked["Bearer token-1"] = true
	res := c.Send(t.Context(), i.request("one")).Result()
	require.Equal(t, relay.Retry, res.Outcome, "one attempt is one send: the next one has the fresh token")
	require.Equal(t, relay.ReasonTokenExpired, res.Reason)
	require.Len(t, i.events, 2)
	require.Equal(t, relay.Accepted, c.Send(t.Context(), i.request("one")).Result().Outcome)

	i.refusing = true
	require.Equal(t, relay.Retry, c.Send(t.Context(), i.request("one")).Result().Outcome)
	for range 2 {
		res = c.Send(t.Context(), i.request("one")).Result()
		require.Equal(t, relay.Unauthorized, res.Outcome, "it was fresh")
	}
	require.Len(t, i.forms, 4)
}

func TestWhatATokenServiceSaysDecidesOverTheEvent(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status  int
		header  string
		body    string
		outcome relay.Outcome
		reason  relay.Reason
		after   time.Duration
	}{
		"invalid_grant":            {400, "", `{"error":"invalid_grant","error_description":"jane@example.com"}`, relay.Unauthorized, relay.ReasonUnauthorized, 0},
		"invalid_client":           {401, "", `{"error":"invalid_client"}`, relay.Unauthorized, relay.ReasonUnauthorized, 0},
		"unauthorized_client":      {403, "", `{"error":"unauthorized_client"}`, relay.Unauthorized, relay.ReasonUnauthorized, 0},
		"a 404 without a body":     {404, "", "", relay.Unauthorized, relay.ReasonUnauthorized, 0},
		"an error of another form": {400, "", `{"error":{"code":400}}`, relay.Unauthorized, relay.ReasonUnauthorized, 0},
		"a 403 with a page":        {403, "Content-Type: text/html", "<html><h1>Forbidden</h1>", relay.Retry, relay.ReasonTokenUnavailable, 0},
		"a 404 with a text":        {404, "Content-Type: text/plain", "no healthy upstream", relay.Retry, relay.ReasonTokenUnavailable, 0},
		"half of a refusal":        {400, "Content-Length: 90", `{"error":"invalid_grant"}`, relay.Retry, relay.ReasonTokenUnavailable, 0},
		"temporarily_unavailable":  {400, "", `{"error":"temporarily_unavailable"}`, relay.Retry, relay.ReasonTokenUnavailable, 0},
		"429 with a wait":          {429, "Retry-After: 90", `{}`, relay.Retry, relay.ReasonTokenUnavailable, 90 * time.Second},
		"503":                      {503, "", `busy`, relay.Retry, relay.ReasonTokenUnavailable, 0},
		"a web page":               {200, "Content-Type: text/html", `<!doctype html>`, relay.Retry, relay.ReasonTokenUnavailable, 0},
		"no token":                 {200, "", `{"token_type":"Bearer"}`, relay.Retry, relay.ReasonTokenUnavailable, 0},
		"a token with a break":     {200, "", `{"access_token":"a\r\nb"}`, relay.Retry, relay.ReasonTokenUnavailable, 0},
		"a token of another type":  {200, "", `{"access_token":"a","token_type":"mac"}`, relay.Retry, relay.ReasonTokenUnavailable, 0},
		"a redirect":               {307, "Location: https://example.com/", "", relay.Retry, relay.ReasonTokenUnavailable, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := newIssuer(t)
			i.answer = func(int) (int, string, string) { return c.status, c.header, c.body }
			reply := i.client(t).Send(t.Context(), i.request("one"))
			res := reply.Result()
			require.Equal(t, c.outcome, res.Outcome)
			require.Equal(t, c.reason, res.Reason)
			require.Equal(t, c.after, res.RetryAfter)
			require.Zero(t, res.Status)
			require.False(t, reply.Sent)
			require.Empty(t, i.events, "no event left")
			require.NotContains(t, fmt.Sprintf("%+v", reply), "jane")
		})
	}
}

func TestAnOldTokenServesWhileTheServiceIsDown(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	c := i.client(t)
	require.Equal(t, 200, c.Send(t.Context(), i.request("one")).Status)
	i.later(56 * time.Minute)
	i.answer = func(int) (int, string, string) { return 503, "", "" }
	for range 3 {
		require.Equal(t, 200, c.Send(t.Context(), i.request("one")).Status)
	}
	require.Len(t, i.forms, 2, "no exchange for every event")
	i.later(5 * time.Minute)
	require.Equal(t, relay.ReasonTokenUnavailable, c.Send(t.Context(), i.request("one")).Result().Reason)
}

func TestTokenServiceIsUnderTheOutboundRules(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	r := i.request("one")
	r.Auth.TokenURL = "http://10.1.2.3/token"
	res := i.client(t).Send(t.Context(), r).Result()
	require.Equal(t, relay.Rejected, res.Outcome)
	require.Equal(t, relay.ReasonAddressRefused, res.Reason)
	require.Empty(t, i.events)
}

func TestServiceAccountAsksWithASignedAssertion(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	file, err := json.Marshal(map[string]string{"type": "service_account", "client_email": "relay@project.example", "private_key_id": "kid-1",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))})
	require.NoError(t, err)
	i := newIssuer(t)
	r := relay.Request{Method: "POST", URL: i.api.URL, Body: []byte("{}"), Auth: relay.Auth{Kind: relay.AuthServiceAccount,
		Secrets: []string{"service_account_json"}, TokenURL: i.token.URL, Scope: "scope-1"}}
	r = r.For(relay.Destination{Secrets: map[string]relay.Secret{"service_account_json": relay.NewSecret(string(file))}})
	require.Equal(t, 200, i.client(t).Send(t.Context(), r).Status)
	require.Equal(t, []string{"Bearer token-1"}, i.events)
	form := i.forms[0]
	require.Equal(t, "urn:ietf:params:oauth:grant-type:jwt-bearer", form.Get("grant_type"))
	parts := strings.Split(form.Get("assertion"), ".")
	require.Len(t, parts, 3)
	part := func(s string) string {
		b, err := base64.RawURLEncoding.DecodeString(s)
		require.NoError(t, err)
		return string(b)
	}
	require.JSONEq(t, `{"alg":"RS256","typ":"JWT","kid":"kid-1"}`, part(parts[0]))
	require.JSONEq(t, fmt.Sprintf(`{"iss":"relay@project.example","scope":"scope-1","aud":%q,"iat":1795420800,"exp":1795424400}`, i.token.URL), part(parts[1]))
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	require.NoError(t, rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, sum[:], []byte(part(parts[2]))))
}

func TestUnusableAccountSendsNothing(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	for _, file := range []string{"", "{", `{"client_email":"a","private_key":"no pem"}`, `{"client_email":"a","private_key":"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"}`} {
		r := i.request("one")
		r.Auth.Kind, r.Auth.Secrets = relay.AuthServiceAccount, []string{"file"}
		r = r.For(relay.Destination{Secrets: map[string]relay.Secret{"file": relay.NewSecret(file)}})
		require.Equal(t, relay.Unauthorized, i.client(t).Send(t.Context(), r).Result().Outcome)
	}
	require.Empty(t, i.forms)
	require.Empty(t, i.events)
}
