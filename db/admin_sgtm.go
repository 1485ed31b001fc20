package db

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"relay/internal/ops"
	"relay/internal/relay"
)

// SGTMConfigs is all sGTM configs.
func (s *Store) SGTMConfigs() *Collection[ops.SGTMConfig] {
	return &Collection[ops.SGTMConfig]{s, sgtmKind}
}

var sgtmKind = kind[ops.SGTMConfig]{
	entity: ops.EntitySGTMConfig,
	table:  "storefront_sgtm_config",
	from:   "storefront_sgtm_config t LEFT JOIN storefronts s ON s.id = t.storefront_id",
	own: []string{"storefront_id", "sgtm_url", "client_type", "measurement_id", "api_secret", "custom_endpoint_path", "custom_headers",
		"is_active", "fallback", "on_exhausted", "options"},
	secrets: []string{"api_secret", "custom_headers"},
	joined:  []string{"s.storefront_id AS storefront_code"},
	read:    readSGTM,
	write:   writeSGTM,
	facts: func(v ops.SGTMConfig) []fact {
		list := []fact{plain("storefront_id", v.StorefrontID), plain("sgtm_url", v.URL), plain("client_type", v.ClientType),
			plain("measurement_id", v.MeasurementID), plain("custom_endpoint_path", v.EndpointPath), plain("is_active", v.Active),
			plain("fallback", v.Fallback), plain("on_exhausted", v.OnExhausted), plain("options", v.Options)}
		if v.APISecret.IsSet() {
			list = append(list, hidden("api_secret", v.APISecret))
		}
		for _, name := range slices.Sorted(maps.Keys(v.Headers)) {
			list = append(list, hidden("custom_headers."+name, v.Headers[name]))
		}
		return list
	},
	name: func(v ops.SGTMConfig) string { return v.StorefrontCode },
	flag: func(v ops.SGTMConfig) bool { return v.Active },
	parents: func(ctx context.Context, tx *sql.Tx, v ops.SGTMConfig) (ops.SGTMConfig, error) {
		var err error
		v.StorefrontID, v.StorefrontCode, err = lockStorefront(ctx, tx, v.StorefrontID, v.StorefrontCode)
		return v, err
	},
	taken: func(v ops.SGTMConfig) unique {
		return unique{"storefront_id", "storefront_id = ?", []any{v.StorefrontID}}
	},
	uses:   noUses,
	retire: func(context.Context, *sql.Tx, int64, ops.SGTMConfig) error { return nil },
	sorts: map[string]string{"": "t.id", "id": "t.id", "storefront_id": "t.storefront_id", "created_at": "t.created_at",
		"updated_at": "t.updated_at"},
	filters: map[string]string{"storefront_id": "t.storefront_id", "storefront_code": "s.storefront_id", "client_type": "t.client_type",
		"is_active": "t.is_active"},
	search: []string{"s.storefront_id", "s.name", "t.sgtm_url"},
}

// lockStorefront is the storefront with this id or, where that is 0, this code. It stays until the transaction ends.
func lockStorefront(ctx context.Context, tx *sql.Tx, id int64, code string) (int64, string, error) {
	query, arg := "SELECT id, storefront_id FROM storefronts WHERE id = ? LOCK IN SHARE MODE", any(id)
	if id == 0 {
		query, arg = "SELECT id, storefront_id FROM storefronts WHERE storefront_id = ? LOCK IN SHARE MODE", code
	}
	asked := code
	err := tx.QueryRowContext(ctx, query, arg).Scan(&id, &code)
	if errors.Is(err, sql.ErrNoRows) || err == nil && asked != "" && asked != code {
		return 0, "", &ops.WriteError{Kind: ops.NoStorefront, Field: "storefront_id"}
	}
	return id, code, err
}

func readSGTM(s *Store, r row) (ops.SGTMConfig, error) {
	v := ops.SGTMConfig{StorefrontID: r.number("storefront_id"), StorefrontCode: r.text("storefront_code"), URL: r.text("sgtm_url"),
		ClientType: r.text("client_type"), MeasurementID: r.text("measurement_id"), EndpointPath: r.text("custom_endpoint_path"),
		Active: r.bool("is_active"), Fallback: r.text("fallback"), OnExhausted: r.text("on_exhausted")}
	if readOptions(r["options"], &v.Options) != nil {
		v.Unreadable = true
	}
	var err error
	if stored := r.text("api_secret"); stored != "" {
		v.APISecret, err = s.keys.Decrypt(stored)
		v.Unreadable = v.Unreadable || err != nil
	}
	v.Headers, err = s.openFields(r.text("custom_headers"))
	v.Unreadable = v.Unreadable || err != nil
	return v, nil
}

func writeSGTM(s *Store, v ops.SGTMConfig, old *ops.SGTMConfig) ([]assignment, error) {
	list := []assignment{{"sgtm_url", v.URL}, {"client_type", cmp.Or(v.ClientType, "ga4")},
		{"measurement_id", nullText(v.MeasurementID)}, {"custom_endpoint_path", nullText(v.EndpointPath)}, {"is_active", v.Active},
		{"fallback", cmp.Or(v.Fallback, "direct")}, {"on_exhausted", cmp.Or(v.OnExhausted, "fail")}}
	if old == nil {
		list = append(list, assignment{"storefront_id", v.StorefrontID})
	}
	if v.Unreadable { // what cannot be read is left as it is
		return list, nil
	}
	secret, err := s.sealOne(v.APISecret)
	if err != nil {
		return nil, err
	}
	headers, err := s.sealFields(v.Headers)
	if err != nil {
		return nil, err
	}
	options, err := json.Marshal(v.Options)
	return append(list, assignment{"api_secret", nullText(secret)}, assignment{"custom_headers", nullText(headers)},
		assignment{"options", options}), err
}

// sealFields encrypts the values of an object one by one; an empty one is "".
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
