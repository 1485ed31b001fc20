package db

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"

	"github.com/uptrace/bun"

	"relay/internal/ops"
	"relay/internal/relay"
)

// sgtmRow is a row of storefront_sgtm_config.
type sgtmRow struct {
	bun.BaseModel `bun:"table:storefront_sgtm_config,alias:t"`
	configColumns

	StorefrontID  int64           `bun:"storefront_id,skipupdate"`
	URL           string          `bun:"sgtm_url"`
	ClientType    string          `bun:"client_type"`
	MeasurementID nullableText    `bun:"measurement_id"`
	APISecret     nullableText    `bun:"api_secret" audit:"-" version:"-"`
	EndpointPath  nullableText    `bun:"custom_endpoint_path"`
	Headers       nullableText    `bun:"custom_headers" audit:"-" version:"-"`
	Active        bool            `bun:"is_active"`
	Fallback      string          `bun:"fallback"`
	OnExhausted   string          `bun:"on_exhausted"`
	Options       json.RawMessage `bun:"options"`
	Revision      int64           `bun:"revision" audit:"-"`

	StorefrontCode string `bun:"storefront_code,scanonly"`

	unreadable bool
}

// SGTMConfigs returns the sGTM configs of all storefronts.
func (s *Store) SGTMConfigs() *Collection[ops.SGTMConfig, sgtmRow, *sgtmRow] {
	return &Collection[ops.SGTMConfig, sgtmRow, *sgtmRow]{s, sgtmTable}
}

var sgtmTable = configTable{
	entity: ops.EntitySGTMConfig,
	joins:  []string{"LEFT JOIN storefronts s ON s.id = t.storefront_id"},
	joined: []string{"s.storefront_id AS storefront_code"},
	sorts: map[string]string{"": "t.id", "id": "t.id", "storefront_id": "t.storefront_id", "created_at": "t.created_at",
		"updated_at": "t.updated_at"},
	filters: map[string]string{"storefront_id": "t.storefront_id", "storefront_code": "s.storefront_id", "client_type": "t.client_type",
		"is_active": "t.is_active"},
	search: []string{"s.storefront_id", "s.name", "t.sgtm_url"},
}

func (r *sgtmRow) value(s *Store) ops.SGTMConfig {
	v := ops.SGTMConfig{StorefrontID: r.StorefrontID, StorefrontCode: r.StorefrontCode, URL: r.URL, ClientType: r.ClientType,
		MeasurementID: string(r.MeasurementID), EndpointPath: string(r.EndpointPath), Active: r.Active, Fallback: r.Fallback,
		OnExhausted: r.OnExhausted}
	err := readOptions(string(r.Options), &v.Options)
	v.Unreadable = err != nil
	if r.APISecret != "" {
		v.APISecret, err = s.keys.Decrypt(string(r.APISecret))
		v.Unreadable = v.Unreadable || err != nil
	}
	v.Headers, err = s.openFields(string(r.Headers))
	v.Unreadable = v.Unreadable || err != nil
	return v
}

func (r *sgtmRow) fill(v ops.SGTMConfig) {
	r.StorefrontID, r.StorefrontCode, r.URL, r.Active = v.StorefrontID, v.StorefrontCode, v.URL, v.Active
	r.MeasurementID, r.EndpointPath = nullableText(v.MeasurementID), nullableText(v.EndpointPath)
	r.ClientType, r.Fallback, r.OnExhausted = cmp.Or(v.ClientType, "ga4"), cmp.Or(v.Fallback, "direct"), cmp.Or(v.OnExhausted, "fail")
	r.Options, _ = json.Marshal(v.Options) // texts, numbers and booleans always marshal
	r.unreadable = v.Unreadable
}

func (r *sgtmRow) seal(s *Store, v ops.SGTMConfig) error {
	secret, err := s.sealOne(v.APISecret)
	if err != nil {
		return err
	}
	headers, err := s.sealFields(v.Headers)
	r.APISecret, r.Headers = nullableText(secret), nullableText(headers)
	return err
}

func (r *sgtmRow) kept() []string {
	if r.unreadable {
		return []string{"api_secret", "custom_headers", "options"}
	}
	return nil
}

func (r *sgtmRow) auditSecrets(v ops.SGTMConfig, to auditFields) {
	if v.APISecret.IsSet() {
		to.addSecret("api_secret", v.APISecret)
	}
	for _, name := range slices.Sorted(maps.Keys(v.Headers)) {
		to.addSecret("custom_headers."+name, v.Headers[name])
	}
}

func (r *sgtmRow) lockParents(ctx context.Context, q querier) (err error) {
	r.StorefrontID, r.StorefrontCode, err = lockStorefront(ctx, q, r.StorefrontID, r.StorefrontCode)
	return err
}

func (r *sgtmRow) unique() uniqueKey {
	return uniqueKey{"storefront_id", condition{[]string{"t.storefront_id = ?"}, []any{r.StorefrontID}}}
}

func (r *sgtmRow) retire(ctx context.Context, q querier) error {
	return forgetDestination(ctx, q, relay.Place{StorefrontID: r.StorefrontID, Destination: relay.SGTM})
}

func (r *sgtmRow) title() string { return r.StorefrontCode }
func (r *sgtmRow) active() bool  { return r.Active }
