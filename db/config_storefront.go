package db

import (
	"cmp"
	"context"
	"database/sql"
	"errors"

	"github.com/uptrace/bun"

	"relay/internal/ops"
	"relay/internal/relay"
)

// storefrontRow is a row of storefronts.
type storefrontRow struct {
	bun.BaseModel `bun:"table:storefronts,alias:t"`
	configColumns

	Code                string           `bun:"storefront_id"`
	Name                string           `bun:"name"`
	Active              bool             `bun:"is_active"`
	Currency            string           `bun:"currency"`
	PhoneRegion         string           `bun:"phone_region"`
	BaseURL             nullableText     `bun:"base_url"`
	SendsPayloadEventID bool             `bun:"use_payload_event_id"`
	DataPolicy          relay.DataPolicy `bun:"data_policy"`
	RequireConsent      bool             `bun:"require_consent"`
}

// Storefronts returns all storefronts.
func (s *Store) Storefronts() *Collection[relay.Storefront, storefrontRow, *storefrontRow] {
	return &Collection[relay.Storefront, storefrontRow, *storefrontRow]{s, storefrontTable}
}

var storefrontTable = configTable{
	entity: ops.EntityStorefront,
	sorts: map[string]string{"": "t.id", "id": "t.id", "storefront_id": "t.storefront_id", "name": "t.name",
		"created_at": "t.created_at", "updated_at": "t.updated_at"},
	filters: map[string]string{"storefront_id": "t.storefront_id", "is_active": "t.is_active", "data_policy": "t.data_policy"},
	search:  []string{"t.storefront_id", "t.name"},
}

func (r *storefrontRow) value(*Store) relay.Storefront {
	return relay.Storefront{ID: r.ID, Code: r.Code, Name: r.Name, Active: r.Active, Currency: r.Currency, PhoneRegion: r.PhoneRegion,
		BaseURL: string(r.BaseURL), SendsPayloadEventID: r.SendsPayloadEventID, DataPolicy: r.DataPolicy, RequireConsent: r.RequireConsent}
}

func (r *storefrontRow) fill(v relay.Storefront) {
	r.Code, r.Name, r.Active, r.BaseURL = v.Code, v.Name, v.Active, nullableText(v.BaseURL)
	r.Currency, r.PhoneRegion = cmp.Or(v.Currency, "USD"), cmp.Or(v.PhoneRegion, "US")
	r.SendsPayloadEventID, r.RequireConsent = v.SendsPayloadEventID, v.RequireConsent
	r.DataPolicy = cmp.Or(v.DataPolicy, relay.DataPolicyHealth)
}

func (r *storefrontRow) seal(*Store, relay.Storefront) error        { return nil }
func (r *storefrontRow) auditSecrets(relay.Storefront, auditFields) {}
func (r *storefrontRow) title() string                              { return r.Code }
func (r *storefrontRow) active() bool                               { return r.Active }
func (r *storefrontRow) unique() uniqueKey {
	return uniqueKey{"storefront_id", condition{[]string{"t.storefront_id = ?"}, []any{r.Code}}}
}

// lockParents refuses an id that a deleted storefront had: rows of the inbox and attempts may still refer to it.
func (r *storefrontRow) lockParents(ctx context.Context, q querier) error {
	var n int
	err := q.QueryRowContext(ctx, "SELECT COUNT(*) FROM retired_storefronts WHERE id = ?", r.ID).Scan(&n)
	if err == nil && n > 0 {
		err = &ops.WriteError{Kind: ops.Retired, Field: "id"}
	}
	return err
}

func (r *storefrontRow) retire(ctx context.Context, q querier) error {
	_, err := q.ExecContext(ctx, "INSERT INTO retired_storefronts (id, storefront_id) VALUES (?, ?)", r.ID, r.Code)
	return err
}

func (r *storefrontRow) uses(ctx context.Context, q querier) ([]ops.Use, error) {
	return countUses(ctx, q, r.ID, []useQuery{
		{string(ops.EntitySGTMConfig), "SELECT 1 FROM storefront_sgtm_config WHERE storefront_id = ?"},
		{string(ops.EntityCredential), "SELECT 1 FROM platform_credentials WHERE storefront_id = ?"},
		{"events", "SELECT 1 FROM marketing_events WHERE storefront_id = ?"},
		{"events", `SELECT 1 FROM marketing_events FORCE INDEX (ix_marketing_events_claim) WHERE status = 'pending'
			AND storefront_id IS NULL AND storefront_code = (SELECT storefront_id FROM storefronts WHERE id = ?)`},
	})
}

// maxUses bounds the count: an admin who learns that a row is in use needs no exact number.
const maxUses = 1000

// useQuery selects one row for each use.
type useQuery struct{ kind, query string }

func countUses(ctx context.Context, q querier, id int64, queries []useQuery) ([]ops.Use, error) {
	var found []ops.Use
	for _, query := range queries {
		u := ops.Use{Kind: query.kind}
		err := q.QueryRowContext(ctx, "SELECT COUNT(*) FROM ("+query.query+" LIMIT ?) u", id, maxUses).Scan(&u.Count)
		if err != nil {
			return nil, err
		}
		if u.Count > 0 {
			found = append(found, u)
		}
	}
	return found, nil
}

// lockStorefront finds the storefront with this id or, if the id is 0, this code, and locks it until the transaction ends.
// LOCK IN SHARE MODE, because MariaDB has no FOR SHARE.
func lockStorefront(ctx context.Context, q querier, id int64, code string) (int64, string, error) {
	query, arg := "SELECT id, storefront_id FROM storefronts WHERE id = ? LOCK IN SHARE MODE", any(id)
	if id == 0 {
		query, arg = "SELECT id, storefront_id FROM storefronts WHERE storefront_id = ? LOCK IN SHARE MODE", code
	}
	asked := code
	err := q.QueryRowContext(ctx, query, arg).Scan(&id, &code)
	if errors.Is(err, sql.ErrNoRows) || err == nil && asked != "" && asked != code {
		return 0, "", &ops.WriteError{Kind: ops.NoStorefront, Field: "storefront_id"}
	}
	return id, code, err
}
