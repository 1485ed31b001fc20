package db

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	"relay/internal/ops"
	"relay/internal/relay"
)

// The configuration as package relay knows it.
type (
	// SGTMConfig is a storefront's container.
	SGTMConfig = ops.SGTMConfig
	// Credential is what a storefront has to be let in at a platform.
	Credential = ops.Credential
	// Platform is an entry of the catalogue.
	Platform = ops.Platform
	// CredentialField is one field of a platform's credential.
	CredentialField = ops.CredentialField
)

// CreateStorefront adds a storefront, under its ID if it has one, and gives the id. Empty currency and region mean USD and
// US, an empty data policy health. A code or id that is taken is relay.ErrConflict.
func (s *Store) CreateStorefront(ctx context.Context, f relay.Storefront) (int64, error) {
	act := "create storefront " + f.Code
	res, err := s.sql.ExecContext(ctx, `INSERT INTO storefronts (id, storefront_id, name, is_active, currency, phone_region, base_url,
		use_payload_event_id, data_policy, require_consent) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		nullNumber(int(f.ID)), f.Code, f.Name, f.Active, cmp.Or(f.Currency, "USD"), cmp.Or(f.PhoneRegion, "US"), nullText(f.BaseURL),
		f.SendsPayloadEventID, cmp.Or(f.DataPolicy, relay.DataPolicyHealth), f.RequireConsent)
	if err != nil || f.ID != 0 {
		return f.ID, fail(act, err)
	}
	id, err := res.LastInsertId()
	return id, fail(act, err)
}

// PutSGTM sets a storefront's container, whether it has one or not.
func (s *Store) PutSGTM(ctx context.Context, storefrontID int64, c SGTMConfig) error {
	act := fmt.Sprintf("put the sGTM config of storefront %d", storefrontID)
	secret, err := s.sealOne(c.APISecret)
	if err != nil {
		return fail(act, err)
	}
	headers, err := s.sealFields(c.Headers)
	if err != nil {
		return fail(act, err)
	}
	options, err := json.Marshal(c.Options)
	if err != nil {
		return fail(act, err)
	}
	found, err := s.exec(ctx, `INSERT INTO storefront_sgtm_config (storefront_id, sgtm_url, client_type, measurement_id, api_secret,
		custom_endpoint_path, custom_headers, is_active, fallback, on_exhausted, options)
		SELECT id, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM storefronts WHERE id = ?
		ON DUPLICATE KEY UPDATE sgtm_url = VALUES(sgtm_url), client_type = VALUES(client_type), measurement_id = VALUES(measurement_id),
		api_secret = VALUES(api_secret), custom_endpoint_path = VALUES(custom_endpoint_path), custom_headers = VALUES(custom_headers),
		is_active = VALUES(is_active), fallback = VALUES(fallback), on_exhausted = VALUES(on_exhausted), options = VALUES(options),
		revision = revision + 1, updated_at = UTC_TIMESTAMP(6)`,
		c.URL, cmp.Or(c.ClientType, "ga4"), nullText(c.MeasurementID), nullText(secret), nullText(c.EndpointPath), nullText(headers),
		c.Active, cmp.Or(c.Fallback, "direct"), cmp.Or(c.OnExhausted, "fail"), options, storefrontID)
	return fail(act, foundSome(found, err))
}

// PutCredential sets a storefront's credential at a platform, whether it has one or not. A storefront or platform that
// does not exist is relay.ErrNotFound.
func (s *Store) PutCredential(ctx context.Context, storefrontID int64, c Credential) error {
	act := fmt.Sprintf("put the credential of storefront %d at %s", storefrontID, c.Platform)
	token, err := s.sealObject(c.Fields)
	if err != nil {
		return fail(act, err)
	}
	options, err := json.Marshal(c.Options)
	if err != nil {
		return fail(act, err)
	}
	found, err := s.exec(ctx, `INSERT INTO platform_credentials (storefront_id, platform_id, credentials, is_active, options)
		SELECT s.id, p.id, ?, ?, ? FROM storefronts s JOIN ad_analytics_platforms p ON p.code = ? WHERE s.id = ?
		ON DUPLICATE KEY UPDATE credentials = VALUES(credentials), is_active = VALUES(is_active), options = VALUES(options),
		revision = revision + 1, updated_at = UTC_TIMESTAMP(6)`, token, c.Active, options, c.Platform, storefrontID)
	return fail(act, foundSome(found, err))
}

// AddPlatform adds a platform to the catalogue; one of that code that is there stays as it is.
func (s *Store) AddPlatform(ctx context.Context, p Platform) error {
	err := insertPlatforms(ctx, s.sql, []platform{{Code: p.Code, Name: p.Name, Vendor: p.Vendor, Category: p.Category, Tier: p.Tier,
		APIBaseURL: p.APIBaseURL, Auth: p.Auth, Credentials: p.Fields, DocsURL: p.DocsURL, ServerSide: p.ServerSide}})
	return fail("add platform "+p.Code, err)
}

func foundSome(n int64, err error) error {
	if err == nil && n == 0 {
		return relay.ErrNotFound
	}
	return err
}

// SetStorefrontActive flips the first kill switch.
func (s *Store) SetStorefrontActive(ctx context.Context, storefrontID int64, active bool) error {
	return s.flip(ctx, "the storefront", "storefronts SET is_active = ? , updated_at = UTC_TIMESTAMP(6) WHERE id = ?", active, storefrontID)
}

// SetSGTMActive flips the second: a storefront's container.
func (s *Store) SetSGTMActive(ctx context.Context, storefrontID int64, active bool) error {
	return s.flip(ctx, "the sGTM container",
		"storefront_sgtm_config SET is_active = ?, updated_at = UTC_TIMESTAMP(6) WHERE storefront_id = ?", active, storefrontID)
}

// SetPlatformActive flips the third: a platform, for everybody.
func (s *Store) SetPlatformActive(ctx context.Context, platform string, active bool) error {
	return s.flip(ctx, "the platform", "ad_analytics_platforms SET is_active = ?, updated_at = UTC_TIMESTAMP(6) WHERE code = ?", active, platform)
}

// SetCredentialActive flips the fourth: a platform, for one storefront.
func (s *Store) SetCredentialActive(ctx context.Context, storefrontID int64, platform string, active bool) error {
	return s.flip(ctx, "the credential", `platform_credentials SET is_active = ?, updated_at = UTC_TIMESTAMP(6)
		WHERE storefront_id = ? AND platform_id = (SELECT id FROM ad_analytics_platforms WHERE code = ?)`, active, storefrontID, platform)
}

func (s *Store) flip(ctx context.Context, what, update string, args ...any) error {
	found, err := s.exec(ctx, "UPDATE "+update, args...)
	return fail("switch "+what, foundSome(found, err))
}
