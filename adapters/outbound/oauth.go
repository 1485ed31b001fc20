package outbound

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"relay/internal/relay"
)

const grantJWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"

// tokenForm matches a token that is valid in a header.
var tokenForm = regexp.MustCompile(`^[!-~]+$`)

// maxToken leaves room in the headers of a request.
const maxToken = 8 << 10

// notNow lists the error codes of a token service that do not concern the credential.
var notNow = []string{"temporarily_unavailable", "server_error", "slow_down", "internal_failure"}

// token returns the access token for a request. If there is none, it returns a response that says why.
func (c *Client) token(ctx context.Context, r relay.Request) (lease, *relay.Response) {
	return c.tokens.get(ctx, keyOf(r), c.now, func() (grant, *relay.Response) {
		form, err := grantForm(r, c.now())
		if err != nil {
			return grant{}, &relay.Response{TransportError: relay.TransportCredential}
		}
		// Other senders wait for this exchange too, so that it does not end with the request that began it.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.timeout/2)
		defer cancel()
		reply, _ := c.once(ctx, relay.Request{Method: "POST", URL: r.Auth.TokenURL, Body: []byte(form.Encode()),
			Header: map[string]string{"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}})
		return readGrant(reply)
	})
}

// keyOf identifies the credential of a request. A changed secret is another credential.
func keyOf(r relay.Request) tokenKey {
	h := sha256.New()
	enc := json.NewEncoder(h) // JSON keeps texts of any content apart
	_ = enc.Encode(r.Auth)    // texts always encode, and a hash takes all of them
	for _, s := range r.AuthSecrets() {
		_ = enc.Encode(s.Reveal())
	}
	return tokenKey(h.Sum(nil))
}

// grantForm is the body of the request for a token.
func grantForm(r relay.Request, now time.Time) (url.Values, error) {
	secrets := r.AuthSecrets()
	if r.Auth.Kind == relay.AuthServiceAccount && len(secrets) == 1 {
		account, err := relay.ParseServiceAccount(secrets[0])
		if err != nil {
			return nil, err
		}
		assertion, err := account.Assertion(r.Auth.TokenURL, r.Auth.Scope, now)
		return url.Values{"grant_type": {grantJWT}, "assertion": {assertion}}, err
	}
	if r.Auth.Kind != relay.AuthRefreshToken || len(secrets) != 2 || !secrets[0].IsSet() {
		return nil, errRefused
	}
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {secrets[0].Reveal()},
		"client_id": {r.Auth.ClientID}, "client_secret": {secrets[1].Reveal()}}
	if r.Auth.Scope != "" {
		form.Set("scope", r.Auth.Scope)
	}
	return form, nil
}

// readGrant reads the response of a token service: a token, a refusal of the credential, or a temporary error.
func readGrant(r relay.Response) (grant, *relay.Response) {
	var body struct {
		Token   string      `json:"access_token"`
		Type    string      `json:"token_type"`
		Expires json.Number `json:"expires_in"`
		Error   string      `json:"error"`
	}
	parsed := json.Unmarshal(r.Body, &body) == nil
	// A refusal is JSON, or has no body. A page or another text is a proxy's, and half a body may lack "not now".
	own := r.TransportError == relay.NoTransportError && (json.Valid(r.Body) || len(bytes.TrimSpace(r.Body)) == 0)
	failed := &relay.Response{TransportError: relay.TransportToken, Header: map[string]string{}}
	for _, name := range []string{"Retry-After", "Date"} { // the rest is the token service's own
		if v := r.Get(name); v != "" {
			failed.Header[name] = v
		}
	}
	switch ended := r.Result(); {
	case r.TransportError == relay.TransportAddress, r.TransportError == relay.TransportBadURL:
		failed.TransportError = r.TransportError
		return grant{}, failed
	case ended.Outcome == relay.Accepted && parsed && isToken(body.Token) && (body.Type == "" || strings.EqualFold(body.Type, "bearer")):
		return grant{body.Token, lasting(body.Expires)}, nil
	case r.Status >= 400 && ended.Outcome != relay.Retry && own && (!parsed || !slices.Contains(notNow, body.Error)):
		failed.TransportError = relay.TransportCredential
	}
	return grant{}, failed
}

func isToken(s string) bool { return len(s) <= maxToken && tokenForm.MatchString(s) }

// lasting returns the validity of a token; 0 if the service states none.
func lasting(expires json.Number) time.Duration {
	seconds, err := expires.Float64()
	if err != nil || seconds <= 0 {
		return 0
	}
	return time.Duration(min(seconds, (24*time.Hour).Seconds()) * float64(time.Second))
}
