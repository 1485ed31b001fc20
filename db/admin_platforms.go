package db

import (
	"context"
	"database/sql"
	"encoding/json"

	"relay/internal/ops"
	"relay/internal/relay"
)

// Platforms is the catalogue of platforms.
func (s *Store) Platforms() *Collection[ops.Platform] {
	return &Collection[ops.Platform]{s, platformKind}
}

var platformKind = kind[ops.Platform]{
	entity: ops.EntityPlatform,
	table:  "ad_analytics_platforms",
	from:   "ad_analytics_platforms t",
	own: []string{"code", "name", "vendor", "category", "tier", "api_base_url", "auth", "credential_fields", "docs_url",
		"server_side_events_api", "is_active", "limits"},
	read: func(_ *Store, r row) (ops.Platform, error) {
		v := ops.Platform{Code: r.text("code"), Name: r.text("name"), Vendor: r.text("vendor"), Category: r.text("category"),
			Tier: int(r.number("tier")), APIBaseURL: r.text("api_base_url"), Auth: r.text("auth"), DocsURL: r.text("docs_url"),
			ServerSide: r.bool("server_side_events_api"), Active: r.bool("is_active")}
		_ = json.Unmarshal([]byte(r.text("credential_fields")), &v.Fields) // unreadable: none are known
		_ = json.Unmarshal([]byte(r.text("limits")), &v.Limits)            // unreadable: a delivery waits until they are
		return v, nil
	},
	write: func(_ *Store, v ops.Platform, _ *ops.Platform) ([]assignment, error) {
		fields, err := json.Marshal(v.Fields)
		return []assignment{{"code", v.Code}, {"name", v.Name}, {"vendor", v.Vendor}, {"category", v.Category}, {"tier", v.Tier},
			{"api_base_url", nullText(v.APIBaseURL)}, {"auth", nullText(v.Auth)}, {"credential_fields", fields},
			{"docs_url", nullText(v.DocsURL)}, {"server_side_events_api", v.ServerSide}, {"is_active", v.Active}, {"limits", nullText(limitsText(v.Limits))}}, err
	},
	facts: func(v ops.Platform) []fact {
		return []fact{plain("code", v.Code), plain("name", v.Name), plain("vendor", v.Vendor), plain("category", v.Category),
			plain("tier", v.Tier), plain("api_base_url", v.APIBaseURL), plain("auth", v.Auth), plain("credential_fields", v.Fields),
			plain("docs_url", v.DocsURL), plain("server_side_events_api", v.ServerSide), plain("is_active", v.Active),
			plain("limits", limitsText(v.Limits))}
	},
	name:    func(v ops.Platform) string { return v.Code },
	flag:    func(v ops.Platform) bool { return v.Active },
	parents: func(_ context.Context, _ *sql.Tx, v ops.Platform) (ops.Platform, error) { return v, nil },
	taken:   func(v ops.Platform) unique { return unique{"code", "code = ?", []any{v.Code}} },
	uses: func(ctx context.Context, tx *sql.Tx, id int64) ([]ops.Use, error) {
		return uses(ctx, tx, []useQuery{{string(ops.EntityCredential), "SELECT 1 FROM platform_credentials WHERE platform_id = ?"}}, id)
	},
	retire: func(context.Context, *sql.Tx, int64, ops.Platform) error { return nil },
	sorts: map[string]string{"": "t.id", "id": "t.id", "code": "t.code", "name": "t.name", "tier": "t.tier", "category": "t.category",
		"created_at": "t.created_at", "updated_at": "t.updated_at"},
	filters: map[string]string{"code": "t.code", "category": "t.category", "tier": "t.tier", "is_active": "t.is_active",
		"server_side_events_api": "t.server_side_events_api"},
	search: []string{"t.code", "t.name", "t.vendor"},
}

// limitsText is JSON, or nothing where there are no limits.
func limitsText(l relay.Limits) string {
	if l == (relay.Limits{}) {
		return ""
	}
	b, _ := json.Marshal(l) // two numbers
	return string(b)
}
