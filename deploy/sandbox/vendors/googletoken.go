package vendors

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"relay/deploy/sandbox"
)

const (
	googleScope  = "https://www.googleapis.com/auth/datamanager"
	googleEmail  = "relay@sandbox.iam.gserviceaccount.com"
	googleKeyID  = "sandbox-key"
	googlePrefix = "ya29.sandbox-" // and the second in which the token ends
)

// GoogleAccount is the JSON key of the played service account.
func GoogleAccount() string {
	der, _ := x509.MarshalPKCS8PrivateKey(googleKey()) // cannot fail: an RSA key
	b, _ := json.Marshal(object{"type": "service_account", "client_email": googleEmail, "private_key_id": googleKeyID,
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))})
	return string(b)
}

// googleKey is the key of the played service account: the same in every process, and in no file, where scanners would report it.
var googleKey = sync.OnceValue(func() *rsa.PrivateKey {
	const exponent = 65537
	p, q := prime("p", exponent), prime("q", exponent)
	one := big.NewInt(1)
	phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
	key := &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: new(big.Int).Mul(p, q), E: exponent},
		D: new(big.Int).ModInverse(big.NewInt(exponent), phi), Primes: []*big.Int{p, q}}
	key.Precompute()
	return key
})

// prime is the first prime of 1,024 bits after a number made of the seed that fits the exponent.
func prime(seed string, exponent int64) *big.Int {
	var b []byte
	for i := range 4 {
		sum := sha256.Sum256([]byte(seed + strconv.Itoa(i)))
		b = append(b, sum[:]...)
	}
	b[0] |= 0xC0
	b[len(b)-1] |= 1
	n, one, two := new(big.Int).SetBytes(b), big.NewInt(1), big.NewInt(2)
	for !n.ProbablyPrime(20) || new(big.Int).GCD(nil, nil, new(big.Int).Sub(n, one), big.NewInt(exponent)).Cmp(one) != 0 {
		n.Add(n, two)
	}
	return n
}

// googleToken issues an access token of an hour, for a service account's assertion or a refresh token.
func googleToken(body []byte) sandbox.Answer {
	form, err := url.ParseQuery(string(body))
	switch {
	case err != nil:
		return GoogleTokenRefusal("invalid_request")
	case form.Get("grant_type") == "refresh_token":
		if form.Get("client_id") == "" || form.Get("client_secret") == "" {
			return GoogleTokenRefusal("invalid_client")
		}
		if form.Get("refresh_token") == "" || form.Get("refresh_token") == Revoked {
			return GoogleTokenRefusal("invalid_grant")
		}
	case form.Get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer":
		return GoogleTokenRefusal("unsupported_grant_type")
	case !googleSigned(form.Get("assertion"), time.Now()):
		return GoogleTokenRefusal("invalid_grant")
	}
	const lasts = 3599
	return answer(http.StatusOK, object{"access_token": googlePrefix + strconv.FormatInt(time.Now().Unix()+lasts, 10), "expires_in": lasts, "token_type": "Bearer"})
}

// GoogleTokenRefusal is an error of the service that issues tokens.
func GoogleTokenRefusal(code string) sandbox.Answer {
	return answer(http.StatusBadRequest, object{"error": code, "error_description": "refused"})
}

// googleSigned reports whether an assertion is of the played account, for this scope and service, valid now and for an hour at most.
func googleSigned(assertion string, now time.Time) bool {
	parts := strings.Split(assertion, ".")
	if len(parts) != 3 {
		return false
	}
	var header struct {
		Algorithm string `json:"alg"`
		Type      string `json:"typ"`
		KeyID     string `json:"kid"`
	}
	var claims struct {
		Issuer   string `json:"iss"`
		Scope    string `json:"scope"`
		Audience string `json:"aud"`
		Issued   int64  `json:"iat"`
		Expires  int64  `json:"exp"`
	}
	for i, into := range []any{&header, &claims} {
		b, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil || read(b, into, true) != nil {
			return false
		}
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	return err == nil && rsa.VerifyPKCS1v15(&googleKey().PublicKey, crypto.SHA256, sum[:], signature) == nil &&
		header.Algorithm == "RS256" && header.Type == "JWT" && header.KeyID == googleKeyID && claims.Issuer == googleEmail &&
		claims.Scope == googleScope && strings.HasSuffix(claims.Audience, googleTokens) &&
		claims.Issued <= now.Unix()+60 && claims.Expires > now.Unix() && claims.Expires-claims.Issued <= 3600
}

// googleKnows reports whether a header has an access token that has not ended.
func googleKnows(authorization string) bool {
	end, ok := strings.CutPrefix(authorization, "Bearer "+googlePrefix)
	seconds, err := strconv.ParseInt(end, 10, 64)
	return ok && err == nil && time.Now().Unix() < seconds
}
