package db

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"relay/internal/ops"
	"relay/internal/relay"
)

// Credentials is all credentials.
func (s *Store) Credentials() *Collection[ops.Credential] {
	return &Collection[ops.Credential]{s, credentialKind}
}

var credentialKind = kind[ops.Credential]{
	entity: ops.EntityCredential,
	table:  "platform_credentials",
	from: `platform_credentials t LEFT JOIN storefronts s ON s.id = t.storefront_id
		LEFT JOIN ad_analytics_platforms p ON p.id = t.platform_id`,
	own:     []string{"storefront_id", "platform_id", "credentials", "is_active", "options"},
	secrets: []string{"credentials"},
	joined:  []string{"s.storefront_id AS storefront_code", "p.code AS platform_code", "p.credential_fields AS credential_fields"},
	read:    readCredential,
	write:   writeCredential,
	facts:   credentialFacts,
	name:    func(v ops.Credential) string { return v.StorefrontCode + "/" + v.Platform },
	flag:    func(v ops.Credential) bool { return v.Active },
	parents: func(ctx context.Context, tx *sql.Tx, v ops.Credential) (ops.Credential, error) {
		var err error
		if v.StorefrontID, v.StorefrontCode, err = lockStorefront(ctx, tx, v.StorefrontID, v.StorefrontCode); err != nil {
			return v, err
		}
		err = tx.QueryRowContext(ctx, "SELECT code FROM ad_analytics_platforms WHERE id = ? LOCK IN SHARE MODE", v.PlatformID).Scan(&v.Platform)
		if errors.Is(err, sql.ErrNoRows) {
			err = &ops.WriteError{Kind: ops.NoPlatform, Field: "platform_id"}
		}
		return v, err
	},
	taken: func(v ops.Credential) unique {
		return unique{"platform_id", "storefront_id = ? AND platform_id = ?", []any{v.StorefrontID, v.PlatformID}}
	},
	uses:   noUses,
	retire: func(context.Context, *sql.Tx, int64, ops.Credential) error { return nil },
	sorts: map[string]string{"": "t.id", "id": "t.id", "storefront_id": "t.storefront_id", "platform_id": "t.platform_id",
		"created_at": "t.created_at", "updated_at": "t.updated_at"},
	filters: map[string]string{"storefront_id": "t.storefront_id", "storefront_code": "s.storefront_id", "platform_id": "t.platform_id",
		"platform_code": "p.code", "is_active": "t.is_active"},
	search: []string{"s.storefront_id", "s.name", "p.code", "p.name"},
}

func credentialFacts(v ops.Credential) []fact {
	list := []fact{plain("storefront_id", v.StorefrontID), plain("platform_id", v.PlatformID), plain("is_active", v.Active),
		plain("options", v.Options)}
	shown := shownFields(v.FieldList)
	for _, name := range slices.Sorted(maps.Keys(v.Fields)) {
		field := "credentials." + name
		if shown[name] {
			list = append(list, plain(field, v.Fields[name].Reveal()))
		} else {
			list = append(list, hidden(field, v.Fields[name]))
		}
	}
	return list
}

// shownFields are the fields of a platform's credential that are no secrets. What the catalogue does not list is one.
func shownFields(list []ops.CredentialField) map[string]bool {
	shown := map[string]bool{}
	for _, f := range list {
		shown[f.Field] = !f.Secret
	}
	return shown
}

func readCredential(s *Store, r row) (ops.Credential, error) {
	v := ops.Credential{StorefrontID: r.number("storefront_id"), StorefrontCode: r.text("storefront_code"),
		PlatformID: r.number("platform_id"), Platform: r.text("platform_code"), Active: r.bool("is_active")}
	_ = json.Unmarshal([]byte(r.text("credential_fields")), &v.FieldList) // unreadable: all fields are secrets
	if readOptions(r["options"], &v.Options) != nil {
		v.Unreadable = true
	}
	var err error
	v.Fields, err = s.openFields(r.text("credentials"))
	v.Unreadable = v.Unreadable || err != nil
	return v, nil
}

func writeCredential(s *Store, v ops.Credential, old *ops.Credential) ([]assignment, error) {
	list := []assignment{{"is_active", v.Active}}
	if old == nil {
		list = append(list, assignment{"storefront_id", v.StorefrontID}, assignment{"platform_id", v.PlatformID})
	}
	if v.Unreadable { // what cannot be read is left as it is
		return list, nil
	}
	token, err := s.sealObject(v.Fields)
	if err != nil {
		return nil, err
	}
	options, err := json.Marshal(v.Options)
	return append(list, assignment{"credentials", token}, assignment{"options", options}), err
}

// sealObject encrypts an object whole, as the earlier service did with credentials.
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
