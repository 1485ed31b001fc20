package db

import (
	"cmp"
	"context"
	"database/sql"

	"relay/internal/ops"
	"relay/internal/relay"
)

// Storefronts is all storefronts.
func (s *Store) Storefronts() *Collection[relay.Storefront] {
	return &Collection[relay.Storefront]{s, storefrontKind}
}

var storefrontKind = kind[relay.Storefront]{
	entity: ops.EntityStorefront,
	table:  "storefronts",
	from:   "storefronts t",
	own: []string{"storefront_id", "name", "is_active", "currency", "phone_region", "base_url", "use_payload_event_id",
		"data_policy", "require_consent"},
	read: func(_ *Store, r row) (relay.Storefront, error) {
		return relay.Storefront{ID: r.number("id"), Code: r.text("storefront_id"), Name: r.text("name"), Active: r.bool("is_active"),
			Currency: r.text("currency"), PhoneRegion: r.text("phone_region"), BaseURL: r.text("base_url"),
			SendsPayloadEventID: r.bool("use_payload_event_id"), DataPolicy: relay.DataPolicy(r.text("data_policy")),
			RequireConsent: r.bool("require_consent")}, nil
	},
	write: func(_ *Store, v relay.Storefront, _ *relay.Storefront) ([]assignment, error) {
		return []assignment{{"storefront_id", v.Code}, {"name", v.Name}, {"is_active", v.Active},
			{"currency", cmp.Or(v.Currency, "USD")}, {"phone_region", cmp.Or(v.PhoneRegion, "US")}, {"base_url", nullText(v.BaseURL)},
			{"use_payload_event_id", v.SendsPayloadEventID}, {"data_policy", cmp.Or(v.DataPolicy, relay.DataPolicyHealth)},
			{"require_consent", v.RequireConsent}}, nil
	},
	facts: func(v relay.Storefront) []fact {
		return []fact{plain("storefront_id", v.Code), plain("name", v.Name), plain("is_active", v.Active), plain("currency", v.Currency),
			plain("phone_region", v.PhoneRegion), plain("base_url", v.BaseURL), plain("use_payload_event_id", v.SendsPayloadEventID),
			plain("data_policy", cmp.Or(v.DataPolicy, relay.DataPolicyHealth)), plain("require_consent", v.RequireConsent)}
	},
	name:    func(v relay.Storefront) string { return v.Code },
	flag:    func(v relay.Storefront) bool { return v.Active },
	parents: refuseRetired,
	taken:   func(v relay.Storefront) unique { return unique{"storefront_id", "storefront_id = ?", []any{v.Code}} },
	uses:    storefrontUses,
	retire: func(ctx context.Context, tx *sql.Tx, id int64, v relay.Storefront) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO retired_storefronts (id, storefront_id) VALUES (?, ?)", id, v.Code)
		return err
	},
	sorts: map[string]string{"": "t.id", "id": "t.id", "storefront_id": "t.storefront_id", "name": "t.name",
		"created_at": "t.created_at", "updated_at": "t.updated_at"},
	filters: map[string]string{"storefront_id": "t.storefront_id", "is_active": "t.is_active", "data_policy": "t.data_policy"},
	search:  []string{"t.storefront_id", "t.name"},
}

// refuseRetired keeps an id from being used again: rows of the inbox, and attempts, may still name it.
func refuseRetired(ctx context.Context, tx *sql.Tx, v relay.Storefront) (relay.Storefront, error) {
	var n int
	err := tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM retired_storefronts WHERE id = ?", v.ID).Scan(&n)
	if err == nil && n > 0 {
		err = &ops.WriteError{Kind: ops.Retired, Field: "id"}
	}
	return v, err
}

// countUses is where counting stops: who is to see that something is in use need not know how much.
const countUses = 1000

func storefrontUses(ctx context.Context, tx *sql.Tx, id int64) ([]ops.Use, error) {
	return uses(ctx, tx, []useQuery{
		{string(ops.EntitySGTMConfig), "SELECT 1 FROM storefront_sgtm_config WHERE storefront_id = ?"},
		{string(ops.EntityCredential), "SELECT 1 FROM platform_credentials WHERE storefront_id = ?"},
		{"events", "SELECT 1 FROM marketing_events WHERE storefront_id = ?"},
		{"events", `SELECT 1 FROM marketing_events FORCE INDEX (ix_marketing_events_claim) WHERE status = 'pending'
			AND storefront_id IS NULL AND storefront_code = (SELECT storefront_id FROM storefronts WHERE id = ?)`},
	}, id)
}

// useQuery finds what uses a thing: rows, one each.
type useQuery struct{ kind, query string }

func uses(ctx context.Context, tx *sql.Tx, queries []useQuery, id int64) ([]ops.Use, error) {
	var found []ops.Use
	for _, q := range queries {
		u := ops.Use{Kind: q.kind}
		err := tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM ("+q.query+" LIMIT ?) u", id, countUses).Scan(&u.Count)
		if err != nil {
			return nil, err
		}
		if u.Count > 0 {
			found = append(found, u)
		}
	}
	return found, nil
}

func noUses(context.Context, *sql.Tx, int64) ([]ops.Use, error) { return nil, nil }
