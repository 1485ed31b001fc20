package db

import (
	"context"
	"database/sql"

	"relay/internal/relay"
)

// StorefrontSwitches returns the present switches of a storefront, or of all storefronts with a credential at a platform,
// without attempts, in the order of the storefronts' codes, at most limit. The caller fills in HasAdapter.
func (s *Store) StorefrontSwitches(ctx context.Context, storefrontID, platformID int64, limit int) ([]relay.Switches, error) {
	const op = "read the switches of storefronts"
	list, err := s.storefrontSwitches(ctx, storefrontID, platformID, limit)
	if err != nil || len(list) == 0 {
		return list, wrap(op, err)
	}
	ids := make([]int64, len(list))
	for i, sw := range list {
		ids[i] = sw.Storefront.ID
	}
	platforms, err := s.platformSwitches(ctx, ids)
	for i := range list {
		list[i].Platforms = platforms[list[i].Storefront.ID]
	}
	return list, wrap(op, err)
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

// platformSwitches are the lower two levels of storefronts, by their ids.
func (s *Store) platformSwitches(ctx context.Context, storefronts []int64) (map[int64][]relay.PlatformSwitch, error) {
	rows, err := s.sql.QueryContext(ctx, `SELECT k.storefront_id, p.code, p.is_active, k.is_active FROM platform_credentials k
		JOIN ad_analytics_platforms p ON p.id = k.platform_id WHERE k.storefront_id IN (`+tuples("?", len(storefronts))+") AND p.code IS NOT NULL",
		numbers(storefronts)...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	found := map[int64][]relay.PlatformSwitch{}
	for rows.Next() {
		var id int64
		var p relay.PlatformSwitch
		var platform, credential sql.NullBool
		if err := rows.Scan(&id, &p.Code, &platform, &credential); err != nil {
			return nil, err
		}
		p.PlatformActive, p.CredentialActive = platform.Bool, credential.Bool
		found[id] = append(found[id], p)
	}
	return found, rows.Err()
}
