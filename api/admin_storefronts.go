package api

import (
	"cmp"
	"context"
	"slices"
	"time"

	"relay/internal/ops"
	"relay/internal/relay"
)

// Storefront is a tenant.
type Storefront struct {
	ID                int64      `json:"id" example:"5" doc:"Its integer key; OMS's own, where it was created with one. It never changes."`
	StorefrontID      string     `json:"storefront_id" example:"bosley" doc:"Its code, by which events name it. It never changes."`
	Name              string     `json:"name" example:"Bosley" doc:"A text for display."`
	IsActive          bool       `json:"is_active" example:"true" doc:"The first kill switch: off, all its events end skipped."`
	Currency          string     `json:"currency" example:"USD" doc:"For events that name none."`
	PhoneRegion       string     `json:"phone_region" example:"US" doc:"For phone numbers without a country code."`
	BaseURL           string     `json:"base_url" example:"https://www.bosley.com" doc:"For events that name no page; may be empty."`
	UsePayloadEventID bool       `json:"use_payload_event_id" example:"false" doc:"Whether vendors see the payload's own event_id."`
	DataPolicy        string     `json:"data_policy" enum:"health,standard" example:"health" doc:"health limits what the storefront's direct platforms receive: pages as their origin, no referrer, items without id, name, brand and category, no coupon, campaign, term, content or affiliate, no plain order id, no storefront code; options.allow of a destination lets one through by name. standard sends them. It does not bind the container."`
	RequireConsent    bool       `json:"require_consent" example:"false" doc:"Whether an event without a consent signal counts as a refusal of everything, at every destination that enforces consent."`
	SwitchedBy        string     `json:"switched_by,omitempty" example:"anna" doc:"Who set is_active as it is; missing if the audit log has no entry."`
	SwitchedAt        *time.Time `json:"switched_at,omitempty" example:"2026-01-15T10:15:00Z" doc:"When."`
	CreatedAt         time.Time  `json:"created_at" example:"2026-01-15T10:15:00Z" doc:"When it was created."`
	UpdatedAt         time.Time  `json:"updated_at" example:"2026-01-15T10:15:00Z" doc:"When it was last changed."`
}

// StorefrontInput is a storefront as it is written whole.
type StorefrontInput struct {
	ID                int64  `json:"id,omitempty" minimum:"1" maximum:"2147483647" example:"5" doc:"OMS's own integer. Without one, the next free integer is taken."`
	StorefrontID      string `json:"storefront_id" pattern:"^[a-z0-9][a-z0-9_-]{0,49}$" maxLength:"50" example:"bosley" doc:"Its code: lower-case letters, digits, _ and -."`
	Name              string `json:"name,omitempty" maxLength:"255" example:"Bosley" doc:"The display name; the code if missing."`
	IsActive          *bool  `json:"is_active,omitempty" example:"true" doc:"The first kill switch; a new storefront is on."`
	Currency          string `json:"currency,omitempty" pattern:"^[A-Z]{3}$" example:"USD" doc:"ISO 4217; USD if missing."`
	PhoneRegion       string `json:"phone_region,omitempty" pattern:"^[A-Z]{2}$" example:"US" doc:"ISO 3166; US if missing."`
	BaseURL           string `json:"base_url,omitempty" maxLength:"500" example:"https://www.bosley.com" doc:"An absolute https URL, for events that name no page."`
	UsePayloadEventID bool   `json:"use_payload_event_id,omitempty" example:"false" doc:"Whether vendors see the payload's own event_id."`
	DataPolicy        string `json:"data_policy,omitempty" enum:"health,standard" example:"health" doc:"health or standard, as a read describes them; a new storefront's is health. A PUT without it keeps the policy."`
	RequireConsent    *bool  `json:"require_consent,omitempty" example:"false" doc:"Whether an event without a consent signal counts as a refusal of everything, at every destination that enforces consent. A new storefront's is false. A PUT without it keeps it."`
}

// StorefrontPatch is a change of some fields of a storefront.
type StorefrontPatch struct {
	Name              Patched[string] `json:"name,omitzero" required:"false" maxLength:"255" example:"Bosley" doc:"A text for display."`
	IsActive          Patched[bool]   `json:"is_active,omitzero" required:"false" example:"true" doc:"The first kill switch."`
	Currency          Patched[string] `json:"currency,omitzero" required:"false" pattern:"^[A-Z]{3}$" example:"USD" doc:"ISO 4217."`
	PhoneRegion       Patched[string] `json:"phone_region,omitzero" required:"false" pattern:"^[A-Z]{2}$" example:"US" doc:"ISO 3166."`
	BaseURL           Patched[string] `json:"base_url,omitzero" required:"false" maxLength:"500" example:"https://www.bosley.com" doc:"An absolute https URL; empty to remove it."`
	UsePayloadEventID Patched[bool]   `json:"use_payload_event_id,omitzero" required:"false" example:"false" doc:"Whether vendors see the payload's own event_id."`
	DataPolicy        Patched[string] `json:"data_policy,omitzero" required:"false" enum:"health,standard" example:"standard" doc:"health or standard, as a read describes them."`
	RequireConsent    Patched[bool]   `json:"require_consent,omitzero" required:"false" example:"true" doc:"Whether an event without a consent signal counts as a refusal of everything, at every destination that enforces consent."`
}

type storefrontList struct {
	Limit        int    `query:"limit" minimum:"1" maximum:"200" default:"50" example:"50" doc:"Page size."`
	Cursor       string `query:"cursor" maxLength:"2000" example:"eyJpIjo1fQ" doc:"next_cursor of the page before."`
	Sort         string `query:"sort" enum:"id,-id,storefront_id,-storefront_id,name,-name,created_at,-created_at,updated_at,-updated_at" default:"id" doc:"The order; - is descending."`
	StorefrontID string `query:"storefront_id" maxLength:"50" example:"bosley" doc:"Only the one with this code."`
	IsActive     string `query:"is_active" enum:"true,false" doc:"Only those that are on, or off."`
	DataPolicy   string `query:"data_policy" enum:"health,standard" doc:"Only those with this data policy."`
	Search       string `query:"q" maxLength:"100" example:"bos" doc:"Only those with this in their code or name."`
}

func (l *storefrontList) listQuery() (ops.ListQuery, error) {
	return pageParams{l.Limit, l.Cursor, l.Sort}.query(map[string]string{"storefront_id": l.StorefrontID, "is_active": l.IsActive, "data_policy": l.DataPolicy}, l.Search)
}

func (a *Admin) storefrontRoutes() []route {
	r := resource[relay.Storefront, Storefront, StorefrontInput, StorefrontPatch]{
		entity: ops.EntityStorefront, tag: tagStorefronts, one: "a storefront", items: a.Storefronts, view: storefrontView,
		start: func(_ context.Context, _ *violations, in StorefrontInput) (int64, relay.Storefront, error) {
			return in.ID, relay.Storefront{ID: in.ID, Code: in.StorefrontID, Active: true, DataPolicy: relay.DataPolicyHealth}, nil
		},
		put:           putStorefront,
		patch:         patchStorefront,
		check:         a.checkStorefront,
		resetSwitches: func(v *relay.Storefront, old relay.Storefront) { v.Active = old.Active },
	}
	return slices.Concat(r.routes(), []route{listRoute[storefrontList](r, "storefronts")}, switchRoutes(r, flipper[relay.Storefront]{a, a.Storefronts, func(v *relay.Storefront) *bool { return &v.Active },
		func(rec ops.Record[relay.Storefront]) (int64, int64) { return rec.ID, 0 },
		func(v relay.Storefront, to *relay.Switches) { to.Storefront.Active = v.Active }}))
}

func storefrontView(rec ops.Record[relay.Storefront]) Storefront {
	v := rec.Value
	return Storefront{ID: rec.ID, StorefrontID: v.Code, Name: v.Name, IsActive: v.Active, Currency: v.Currency, PhoneRegion: v.PhoneRegion,
		BaseURL: v.BaseURL, UsePayloadEventID: v.SendsPayloadEventID, DataPolicy: string(v.DataPolicy), RequireConsent: v.RequireConsent,
		SwitchedBy: rec.SwitchChange.By, SwitchedAt: switchedAt(rec.SwitchChange.At), CreatedAt: rec.CreatedAt, UpdatedAt: rec.UpdatedAt}
}

// putStorefront replaces everything but the immutable fields and, where the body does not name them, the kill
// switch and the privacy rules: a client that does not know of these must not loosen them.
func putStorefront(f *violations, old relay.Storefront, in StorefrontInput) relay.Storefront {
	same(f, "id", in.ID, old.ID)
	same(f, "storefront_id", in.StorefrontID, old.Code)
	return relay.Storefront{ID: old.ID, Code: old.Code, Name: cmp.Or(in.Name, old.Code), Active: valueOr(in.IsActive, old.Active),
		Currency: cmp.Or(in.Currency, "USD"), PhoneRegion: cmp.Or(in.PhoneRegion, "US"), BaseURL: in.BaseURL,
		SendsPayloadEventID: in.UsePayloadEventID, DataPolicy: cmp.Or(relay.DataPolicy(in.DataPolicy), old.DataPolicy),
		RequireConsent: valueOr(in.RequireConsent, old.RequireConsent)}
}

func patchStorefront(f *violations, v relay.Storefront, in StorefrontPatch) relay.Storefront {
	in.Name.to(f, "name", &v.Name)
	in.IsActive.to(f, "is_active", &v.Active)
	in.Currency.to(f, "currency", &v.Currency)
	in.PhoneRegion.to(f, "phone_region", &v.PhoneRegion)
	in.BaseURL.orNone(&v.BaseURL)
	in.UsePayloadEventID.to(f, "use_payload_event_id", &v.SendsPayloadEventID)
	policy := string(v.DataPolicy)
	in.DataPolicy.to(f, "data_policy", &policy)
	v.DataPolicy = relay.DataPolicy(policy)
	in.RequireConsent.to(f, "require_consent", &v.RequireConsent)
	return v
}

func (a *Admin) checkStorefront(ctx context.Context, f *violations, v, old relay.Storefront) {
	f.line("name", v.Name)
	if v.BaseURL != old.BaseURL {
		f.address(ctx, a.CheckURL, "base_url", v.BaseURL)
	}
}

// valueOr returns the value of the body, or the old one if the body has none.
func valueOr[T any](sent *T, old T) T {
	if sent != nil {
		return *sent
	}
	return old
}
