package db

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"relay/internal/ops"
	"relay/internal/relay"
)

// configSQL reads a storefront with its container; the columns of an event are empty.
var configSQL = "SELECT " + strings.NewReplacer("e.generation", "0", "e.resend", "NULL").Replace(switchColumns) + `,
	c.sgtm_url, c.client_type, c.measurement_id, c.api_secret, c.custom_endpoint_path, c.custom_headers, c.options
	FROM storefronts s LEFT JOIN storefront_sgtm_config c ON c.storefront_id = s.id WHERE s.id = ?`

// StorefrontConfig reads a storefront with the four levels of its kill switches and all its configured destinations, secrets
// included; relay.ErrNotFound if it does not exist.
func (s *Store) StorefrontConfig(ctx context.Context, storefrontID int64) (ops.StorefrontConfig, error) {
	op := fmt.Sprintf("read the configuration of storefront %d", storefrontID)
	var r deliveryRow
	err := s.sql.QueryRowContext(ctx, configSQL, storefrontID).Scan(append(r.levels.dest(), &r.sgtm.url, &r.sgtm.clientType,
		&r.sgtm.measurementID, &r.sgtm.secret, &r.sgtm.path, &r.sgtm.headers, &r.sgtm.options)...)
	if err != nil {
		return ops.StorefrontConfig{}, wrap(op, err)
	}
	setup := ops.StorefrontConfig{Switches: r.switches(), Destinations: map[string]relay.Destination{}, Unreadable: map[string]bool{}}
	if setup.Switches.SGTM != nil {
		d, err := s.container(&r)
		if err := addDestination(&setup, relay.SGTM, d, err); err != nil {
			return setup, wrap(op, err)
		}
	}
	return setup, wrap(op, s.addPlatforms(ctx, storefrontID, &setup))
}

func (s *Store) addPlatforms(ctx context.Context, storefrontID int64, to *ops.StorefrontConfig) error {
	rows, err := s.sql.QueryContext(ctx, `SELECT p.code, p.is_active, k.is_active, p.api_base_url, p.credential_fields, k.credentials, k.options
		FROM platform_credentials k JOIN ad_analytics_platforms p ON p.id = k.platform_id
		WHERE k.storefront_id = ? AND p.code IS NOT NULL ORDER BY p.code`, storefrontID)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var t targetRow
		var platform, credential bool
		if err := rows.Scan(&t.code, &platform, &credential, &t.baseURL, &t.fields, &t.credentials, &t.options); err != nil {
			return err
		}
		code := t.code.String
		to.Switches.Platforms = append(to.Switches.Platforms, relay.PlatformSwitch{Code: code, PlatformActive: platform, CredentialActive: credential})
		d, err := s.platform(&t)
		if err := addDestination(to, code, d, err); err != nil {
			return err
		}
	}
	return rows.Err()
}

func addDestination(to *ops.StorefrontConfig, key string, d relay.Destination, err error) error {
	if errors.Is(err, relay.ErrUnreadable) {
		to.Unreadable[key] = true
		return nil
	}
	to.Destinations[key] = d
	return err
}

// EventConfig reads an event as an adapter sees it, with the configuration of its storefront and the attempts made so far.
func (s *Store) EventConfig(ctx context.Context, id int64) (relay.Event, ops.StorefrontConfig, error) {
	d, err := s.Delivery(ctx, id, "", "")
	if err != nil {
		return relay.Event{}, ops.StorefrontConfig{}, err
	}
	setup, err := s.StorefrontConfig(ctx, d.Event.Storefront.ID)
	if err != nil {
		return relay.Event{}, ops.StorefrontConfig{}, err
	}
	switches, err := s.Switches(ctx, id)
	setup.Switches.Attempts = switches.Attempts
	return d.Event, setup, err
}

// CredentialPlace returns the storefront and the destination of a credential.
func (s *Store) CredentialPlace(ctx context.Context, id int64) (storefrontID int64, destination string, err error) {
	err = s.sql.QueryRowContext(ctx, `SELECT k.storefront_id, p.code FROM platform_credentials k
		JOIN ad_analytics_platforms p ON p.id = k.platform_id WHERE k.id = ?`, id).Scan(&storefrontID, &destination)
	return storefrontID, destination, wrap(fmt.Sprintf("read credential %d", id), err)
}

// ContainerPlace returns the storefront of an sGTM config.
func (s *Store) ContainerPlace(ctx context.Context, id int64) (storefrontID int64, destination string, err error) {
	err = s.sql.QueryRowContext(ctx, "SELECT storefront_id FROM storefront_sgtm_config WHERE id = ?", id).Scan(&storefrontID)
	return storefrontID, relay.SGTM, wrap(fmt.Sprintf("read sGTM config %d", id), err)
}
