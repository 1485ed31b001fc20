package db

import (
	"context"
	"encoding/json"

	"github.com/uptrace/bun"

	"relay/internal/ops"
	"relay/internal/relay"
)

// platformRow is a row of ad_analytics_platforms.
type platformRow struct {
	bun.BaseModel `bun:"table:ad_analytics_platforms,alias:t"`
	configColumns

	Code       string          `bun:"code"`
	Name       string          `bun:"name"`
	Vendor     string          `bun:"vendor"`
	Category   string          `bun:"category"`
	Tier       int             `bun:"tier"`
	APIBaseURL nullableText    `bun:"api_base_url"`
	Auth       nullableText    `bun:"auth"`
	Fields     json.RawMessage `bun:"credential_fields"`
	DocsURL    nullableText    `bun:"docs_url"`
	ServerSide bool            `bun:"server_side_events_api"`
	Active     bool            `bun:"is_active"`
	Limits     nullableText    `bun:"limits"`
}

// Platforms returns the catalogue of platforms.
func (s *Store) Platforms() *Collection[ops.Platform, platformRow, *platformRow] {
	return &Collection[ops.Platform, platformRow, *platformRow]{s, platformTable}
}

var platformTable = configTable{
	entity: ops.EntityPlatform,
	sorts: map[string]string{"": "t.id", "id": "t.id", "code": "t.code", "name": "t.name", "tier": "t.tier", "category": "t.category",
		"created_at": "t.created_at", "updated_at": "t.updated_at"},
	filters: map[string]string{"code": "t.code", "category": "t.category", "tier": "t.tier", "is_active": "t.is_active",
		"server_side_events_api": "t.server_side_events_api"},
	search: []string{"t.code", "t.name", "t.vendor"},
}

func (r *platformRow) value(*Store) ops.Platform {
	v := ops.Platform{Code: r.Code, Name: r.Name, Vendor: r.Vendor, Category: r.Category, Tier: r.Tier, APIBaseURL: string(r.APIBaseURL),
		Auth: string(r.Auth), DocsURL: string(r.DocsURL), ServerSide: r.ServerSide, Active: r.Active}
	_ = json.Unmarshal(r.Fields, &v.Fields)         // unreadable: none are known
	_ = json.Unmarshal([]byte(r.Limits), &v.Limits) // unreadable: deliveries wait until they are readable
	return v
}

func (r *platformRow) fill(v ops.Platform) {
	r.Code, r.Name, r.Vendor, r.Category, r.Tier = v.Code, v.Name, v.Vendor, v.Category, v.Tier
	r.APIBaseURL, r.Auth, r.DocsURL = nullableText(v.APIBaseURL), nullableText(v.Auth), nullableText(v.DocsURL)
	r.ServerSide, r.Active = v.ServerSide, v.Active
	r.Fields, _ = json.Marshal(v.Fields) // texts and booleans always marshal
	if v.Limits != (relay.Limits{}) {
		limits, _ := json.Marshal(v.Limits) // two numbers
		r.Limits = nullableText(limits)
	}
}

func (r *platformRow) seal(*Store, ops.Platform) error        { return nil }
func (r *platformRow) auditSecrets(ops.Platform, auditFields) {}
func (r *platformRow) title() string                          { return r.Code }
func (r *platformRow) active() bool                           { return r.Active }
func (r *platformRow) unique() uniqueKey {
	return uniqueKey{"code", condition{[]string{"t.code = ?"}, []any{r.Code}}}
}

func (r *platformRow) uses(ctx context.Context, q querier) ([]ops.Use, error) {
	return countUses(ctx, q, r.ID, []useQuery{{string(ops.EntityCredential), "SELECT 1 FROM platform_credentials WHERE platform_id = ?"}})
}
