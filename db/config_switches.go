package db

import (
	"context"
	"database/sql"

	"relay/internal/relay"
)

// StorefrontSwitches returns the present switches of a storefront, or of all storefronts with a credential at a platform,
// without attempts, in the order of the storefronts' codes, at most limit. The caller fills in HasAdapter.
func (s *Store) StorefrontSwitches(ctx context.Context, storefrontID, platformID int64, limit int) ([]relay.Switches, error) {
	list, err := s.storefrontSwitches(ctx, storefrontID, platformID, limit)
	for i := range list {
		if err == nil {
			list[i].Platforms, err = s.platformSwitches(ctx, list[i].Storefront.ID)
		}
	}
	return list, wrap("read the switches of storefronts", err)
}

func (s *Store) storefrontSwitches(ctx context.Context, storefrontID, platformID int64, limit int) ([]relay.Switches, error) {
	rows, err := s.sql.QueryContext(ctx, `SELECT s.id, s.storefront_id, s.is_active, c.is_active, c.fallback, c.on_exhausted
		FROM storefronts s LEFT JOIN storefront_sgtm_config c ON c.storefront_id = s.id
		WHERE s.id = ? OR s.id IN (SELECT storefront_id FROM platform_credentials WHERE platform_id = ?)
		ORDER BY s.storefront_id LIMIT ?`, storefrontID, platformID, limit)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var list []relay.Switches
	for rows.Next() {
		var l levels
		err := rows.Scan(&l.storefront.ID, &l.storefront.Code, &l.storefront.Active, &l.sgtm, &l.fallback, &l.onExhausted)
		if err != nil {
			return nil, err
		}
		list = append(list, l.switches())
	}
	return list, rows.Err()
}

func (s *Store) platformSwitches(ctx context.Context, storefrontID int64) ([]relay.PlatformSwitch, error) {
	rows, err := s.sql.QueryContext(ctx, `SELECT p.code, p.is_active, k.is_active FROM platform_credentials k
		JOIN ad_analytics_platforms p ON p.id = k.platform_id WHERE k.storefront_id = ? AND p.code IS NOT NULL`, storefrontID)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var list []relay.PlatformSwitch
	for rows.Next() {
		var p relay.PlatformSwitch
		var platform, credential sql.NullBool
		if err := rows.Scan(&p.Code, &platform, &credential); err != nil {
			return nil, err
		}
		p.PlatformActive, p.CredentialActive = platform.Bool, credential.Bool
		list = append(list, p)
	}
	return list, rows.Err()
}
