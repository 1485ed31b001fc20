package db

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"github.com/uptrace/bun"

	"relay/internal/ops"
	"relay/internal/relay"
)

// credentialRow is a row of platform_credentials.
type credentialRow struct {
	bun.BaseModel `bun:"table:platform_credentials,alias:t"`
	configColumns

	StorefrontID int64           `bun:"storefront_id,skipupdate"`
	PlatformID   int64           `bun:"platform_id,skipupdate"`
	Credentials  string          `bun:"credentials" audit:"-" version:"-"`
	Active       bool            `bun:"is_active"`
	Options      json.RawMessage `bun:"options"`
	Revision     int64           `bun:"revision" audit:"-"`

	StorefrontCode   string `bun:"storefront_code,scanonly"`
	PlatformCode     string `bun:"platform_code,scanonly"`
	CredentialFields string `bun:"credential_fields,scanonly"`

	unreadable bool
}

// Credentials returns the credentials of all storefronts.
func (s *Store) Credentials() *Collection[ops.Credential, credentialRow, *credentialRow] {
	return &Collection[ops.Credential, credentialRow, *credentialRow]{s, credentialTable}
}

var credentialTable = configTable{
	entity: ops.EntityCredential,
	joins: []string{"LEFT JOIN storefronts s ON s.id = t.storefront_id",
		"LEFT JOIN ad_analytics_platforms p ON p.id = t.platform_id"},
	joined: []string{"s.storefront_id AS storefront_code", "p.code AS platform_code", "p.credential_fields AS credential_fields"},
	sorts: map[string]string{"": "t.id", "id": "t.id", "storefront_id": "t.storefront_id", "platform_id": "t.platform_id",
		"created_at": "t.created_at", "updated_at": "t.updated_at"},
	filters: map[string]string{"storefront_id": "t.storefront_id", "storefront_code": "s.storefront_id", "platform_id": "t.platform_id",
		"platform_code": "p.code", "is_active": "t.is_active"},
	search: []string{"s.storefront_id", "s.name", "p.code", "p.name"},
}

func (r *credentialRow) value(s *Store) ops.Credential {
	v := ops.Credential{StorefrontID: r.StorefrontID, StorefrontCode: r.StorefrontCode, PlatformID: r.PlatformID, Platform: r.PlatformCode,
		Active: r.Active}
	_ = json.Unmarshal([]byte(r.CredentialFields), &v.FieldList) // unreadable: all fields are secrets
	err := readOptions(string(r.Options), &v.Options)
	v.Unreadable = err != nil
	v.Fields, err = s.openFields(r.Credentials)
	v.Unreadable = v.Unreadable || err != nil
	return v
}

func (r *credentialRow) fill(v ops.Credential) {
	r.StorefrontID, r.StorefrontCode, r.PlatformID, r.PlatformCode = v.StorefrontID, v.StorefrontCode, v.PlatformID, v.Platform
	r.Active, r.unreadable = v.Active, v.Unreadable
	r.Options, _ = json.Marshal(v.Options) // texts, numbers and booleans always marshal
}

func (r *credentialRow) seal(s *Store, v ops.Credential) (err error) {
	r.Credentials, err = s.sealObject(v.Fields)
	return err
}

func (r *credentialRow) kept() []string {
	if r.unreadable {
		return []string{"credentials", "options"}
	}
	return nil
}

func (r *credentialRow) auditSecrets(v ops.Credential, to auditFields) {
	open := openNames(v.FieldList)
	for name, value := range v.Fields {
		if open[name] {
			to.add("credentials."+name, value.Reveal())
		} else {
			to.addSecret("credentials."+name, value)
		}
	}
}

func (r *credentialRow) lockParents(ctx context.Context, q querier) (err error) {
	if r.StorefrontID, r.StorefrontCode, err = lockStorefront(ctx, q, r.StorefrontID, r.StorefrontCode); err != nil {
		return err
	}
	err = q.QueryRowContext(ctx, "SELECT code FROM ad_analytics_platforms WHERE id = ? LOCK IN SHARE MODE", r.PlatformID).Scan(&r.PlatformCode)
	if errors.Is(err, sql.ErrNoRows) {
		err = &ops.WriteError{Kind: ops.NoPlatform, Field: "platform_id"}
	}
	return err
}

func (r *credentialRow) unique() uniqueKey {
	return uniqueKey{"platform_id", condition{[]string{"t.storefront_id = ? AND t.platform_id = ?"}, []any{r.StorefrontID, r.PlatformID}}}
}

func (r *credentialRow) retire(ctx context.Context, q querier) error {
	return forgetDestination(ctx, q, relay.Place{StorefrontID: r.StorefrontID, Destination: r.PlatformCode})
}

func (r *credentialRow) title() string { return r.StorefrontCode + "/" + r.PlatformCode }
func (r *credentialRow) active() bool  { return r.Active }
