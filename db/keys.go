package db

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/fernet/fernet-go"

	"relay/internal/relay"
)

// Keys are the Fernet keys of ENCRYPTION_KEY: the first encrypts, all decrypt, as Python's MultiFernet does. The zero value
// has no keys and can do neither.
type Keys struct{ keys []*fernet.Key }

// NewKeys reads a comma-separated list of keys. It refuses the keys that Python's cryptography refuses. An error names a key
// by its place in the list and never contains one.
func NewKeys(list string) (*Keys, error) {
	if strings.TrimSpace(list) == "" {
		return nil, errors.New("no key; create one with: relay keygen")
	}
	items := strings.Split(list, ",")
	k := &Keys{}
	for i, item := range items {
		key, err := decodeKey(strings.TrimSpace(item))
		if err != nil {
			return nil, fmt.Errorf("key %d of %d: %w", i+1, len(items), err)
		}
		k.keys = append(k.keys, key)
	}
	return k, nil
}

// decodeKey decodes 32 bytes in base64 with padding. Python accepts both alphabets, so that a key made by openssl works.
func decodeKey(s string) (*fernet.Key, error) {
	const shape = "expected 44 characters: 32 bytes in url-safe base64, with padding"
	if len(s) != base64.URLEncoding.EncodedLen(len(fernet.Key{})) {
		return nil, fmt.Errorf("has %d characters; %s", len(s), shape)
	}
	b, err := base64.URLEncoding.DecodeString(strings.NewReplacer("+", "-", "/", "_").Replace(s))
	if err != nil || len(b) != len(fernet.Key{}) {
		return nil, errors.New("is not base64; " + shape)
	}
	return (*fernet.Key)(b), nil
}

// GenerateKey returns a new key.
func GenerateKey() (string, error) {
	var k fernet.Key
	if err := k.Generate(); err != nil {
		return "", err
	}
	return k.Encode(), nil
}

// Encrypt returns a Fernet token of a secret, made with the first key.
func (k *Keys) Encrypt(s relay.Secret) (string, error) {
	if len(k.keys) == 0 {
		return "", errors.New("encrypt a secret: no encryption key")
	}
	token, err := fernet.EncryptAndSign([]byte(s.Reveal()), k.keys[0])
	return string(token), err
}

// Decrypt reads a stored value. A value that is not a Fernet token is returned as it is: the earlier service stored some
// values unencrypted. A token that no key decrypts is relay.ErrUnreadable.
func (k *Keys) Decrypt(stored string) (relay.Secret, error) {
	if !isToken(stored) {
		return relay.NewSecret(stored), nil
	}
	// No TTL: a credential does not expire, and with one the library refuses tokens from a clock ahead of this one.
	message := fernet.VerifyAndDecrypt([]byte(stored), 0, k.keys)
	if message == nil { // an empty message is empty, not nil
		return relay.Secret{}, relay.ErrUnreadable
	}
	return relay.NewSecret(string(message)), nil
}

// isToken reports whether a stored value has the shape of a Fernet token: version, time, IV, blocks of 16 bytes, MAC.
func isToken(s string) bool {
	const overhead, block = 1 + 8 + 16 + 32, 16
	if !strings.HasPrefix(s, "gAAAA") {
		return false
	}
	b, err := base64.URLEncoding.DecodeString(s)
	return err == nil && len(b) >= overhead+block && (len(b)-overhead)%block == 0
}
