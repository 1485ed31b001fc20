package db

import (
	"database/sql"
	"database/sql/driver"
	"encoding/json"

	"relay/internal/relay"
)

// nullableText is a text that is stored as NULL if it is empty. bun's tag nullzero would write DEFAULT instead, which may be
// a text in a table of the earlier service.
type nullableText string

// Value implements driver.Valuer.
func (t nullableText) Value() (driver.Value, error) {
	if t == "" {
		return nil, nil //nolint:nilnil // NULL
	}
	return string(t), nil
}

// Scan implements sql.Scanner.
func (t *nullableText) Scan(src any) error {
	var text sql.NullString
	err := text.Scan(src)
	*t = nullableText(text.String)
	return err
}

// sealOne encrypts a secret; an empty one stays empty.
func (s *Store) sealOne(secret relay.Secret) (string, error) {
	if !secret.IsSet() {
		return "", nil
	}
	return s.keys.Encrypt(secret)
}

// sealFields encrypts the values of an object one by one; an empty object becomes an empty text.
func (s *Store) sealFields(fields map[string]relay.Secret) (string, error) {
	if len(fields) == 0 {
		return "", nil
	}
	sealed := map[string]string{}
	for name, value := range fields {
		var err error
		if sealed[name], err = s.sealOne(value); err != nil {
			return "", err
		}
	}
	b, err := json.Marshal(sealed)
	return string(b), err
}

// sealObject encrypts an object as a whole, as the earlier service did with credentials.
func (s *Store) sealObject(fields map[string]relay.Secret) (string, error) {
	open := map[string]string{}
	for name, value := range fields {
		open[name] = value.Reveal()
	}
	b, err := json.Marshal(open)
	if err != nil {
		return "", err
	}
	return s.keys.Encrypt(relay.NewSecret(string(b)))
}
