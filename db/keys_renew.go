package db

import (
	"encoding/json"
	"fmt"

	"github.com/fernet/fernet-go"

	"relay/internal/relay"
)

// first reports whether a stored value is a token of the first key.
func (k *Keys) first(stored string) bool {
	return isToken(stored) && fernet.VerifyAndDecrypt([]byte(stored), 0, k.keys[:1]) != nil
}

// renew returns a stored value encrypted with the first key; a value that already is comes back unchanged.
func (k *Keys) renew(stored string) (string, error) {
	if k.first(stored) {
		return stored, nil
	}
	secret, err := k.Decrypt(stored)
	if err != nil {
		return "", err
	}
	return k.Encrypt(secret)
}

// renewObject returns a stored JSON object encrypted with the first key, in its present shape: as a whole, or value by
// value. whole selects the shape of an object that is not encrypted at all. Tokens inside a token are renewed too. Reading
// returns the same before and after.
func (k *Keys) renewObject(stored string, whole bool) (string, error) {
	text, err := k.Decrypt(stored)
	if err != nil {
		return "", err
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal([]byte(text.Reveal()), &fields) != nil {
		return "", fmt.Errorf("%w: not a JSON object", relay.ErrUnreadable)
	}
	whole = whole || isToken(stored)
	changed, err := k.renewFields(fields, whole)
	if err != nil {
		return "", err
	}
	if changed {
		b, err := json.Marshal(fields)
		if err != nil {
			return "", err
		}
		text = relay.NewSecret(string(b))
	}
	switch {
	case !whole:
		return text.Reveal(), nil
	case !changed && k.first(stored):
		return stored, nil
	}
	return k.Encrypt(text)
}

// renewFields renews the values of an object. Unencrypted values stay so if the whole object is encrypted.
func (k *Keys) renewFields(fields map[string]json.RawMessage, whole bool) (bool, error) {
	changed := false
	for name, value := range fields {
		old := string(value)
		var text string
		if json.Unmarshal(value, &text) == nil { // null is "", too
			old = text
		}
		if old == "" || whole && !isToken(old) {
			continue
		}
		fresh, err := k.renew(old)
		if err != nil {
			return false, err
		}
		if fresh != old {
			fields[name], changed = json.RawMessage(`"`+fresh+`"`), true
		}
	}
	return changed, nil
}
