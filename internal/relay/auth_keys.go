package relay

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"strings"
	"time"
)

// Lengths of a Standard Webhooks key in bytes, by its specification.
const (
	minWebhookKey = 24
	maxWebhookKey = 64
)

// WebhookSecretPrefix begins every symmetric secret of Standard Webhooks.
const WebhookSecretPrefix = "whsec_"

// WebhookKey returns the key of a Standard Webhooks secret. Its error quotes nothing of the secret.
func WebhookKey(s Secret) ([]byte, error) {
	text, ok := strings.CutPrefix(s.Reveal(), WebhookSecretPrefix)
	key, err := base64.StdEncoding.Strict().DecodeString(text)
	if !ok || err != nil || strings.ContainsAny(text, "\r\n") || len(key) < minWebhookKey || len(key) > maxWebhookKey {
		return nil, errors.New("must be " + WebhookSecretPrefix + " and 24 to 64 bytes in base64")
	}
	return key, nil
}

// ServiceAccount is an account that signs its token requests itself.
type ServiceAccount struct {
	email, keyID string
	key          *rsa.PrivateKey
}

// ParseServiceAccount reads the JSON key of a service account. Its error quotes nothing of the key.
func ParseServiceAccount(s Secret) (ServiceAccount, error) {
	var file struct {
		Email string `json:"client_email"`
		KeyID string `json:"private_key_id"`
		Key   string `json:"private_key"`
	}
	if json.Unmarshal([]byte(s.Reveal()), &file) != nil || file.Email == "" || file.Key == "" {
		return ServiceAccount{}, errors.New("must be the JSON key of a service account, with client_email and private_key")
	}
	block, _ := pem.Decode([]byte(file.Key))
	if block == nil {
		return ServiceAccount{}, errors.New("private_key must be in PEM")
	}
	key, err := rsaKey(block.Bytes)
	if err != nil {
		return ServiceAccount{}, err
	}
	return ServiceAccount{file.Email, file.KeyID, key}, nil
}

func rsaKey(der []byte) (*rsa.PrivateKey, error) {
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key, nil
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	key, ok := parsed.(*rsa.PrivateKey)
	if err != nil || !ok {
		return nil, errors.New("private_key must be an RSA key")
	}
	return key, nil
}

// assertionFor is the validity of an assertion, the longest that Google accepts.
const assertionFor = time.Hour

// Assertion returns a JWT (RS256), issued now, that requests a token from audience.
func (a ServiceAccount) Assertion(audience, scope string, now time.Time) (string, error) {
	header := struct {
		Algorithm string `json:"alg"`
		Type      string `json:"typ"`
		KeyID     string `json:"kid,omitempty"`
	}{"RS256", "JWT", a.keyID}
	claims := struct {
		Issuer   string `json:"iss"`
		Scope    string `json:"scope,omitempty"`
		Audience string `json:"aud"`
		Issued   int64  `json:"iat"`
		Expires  int64  `json:"exp"`
	}{a.email, scope, audience, now.Unix(), now.Add(assertionFor).Unix()}
	var parts [2]string
	for i, part := range []any{header, claims} {
		b, err := json.Marshal(part)
		if err != nil {
			return "", err
		}
		parts[i] = base64.RawURLEncoding.EncodeToString(b)
	}
	signed := parts[0] + "." + parts[1]
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(nil, a.key, crypto.SHA256, sum[:])
	if err != nil {
		return "", errors.New("private_key does not sign") // err may describe the key
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}
