package api

import (
	"cmp"
	"context"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"relay/internal/ops"
	"relay/internal/relay"
)

// Platform is an entry of the catalogue of platforms.
type Platform struct {
	ID                  int64             `json:"id" example:"1" doc:"Its id. It never changes."`
	Code                string            `json:"code" example:"meta_capi" doc:"Its code. It never changes."`
	Name                string            `json:"name" example:"Meta Conversions API" doc:"A text for display."`
	Vendor              string            `json:"vendor" example:"Meta Platforms" doc:"Its storefront or vendor."`
	Category            string            `json:"category" example:"ads" doc:"Its purpose."`
	Tier                int               `json:"tier" example:"1" doc:"1 is the most important."`
	APIBaseURL          string            `json:"api_base_url" example:"https://graph.facebook.com" doc:"Where its API is."`
	Auth                string            `json:"auth" example:"Access token" doc:"The kind of authentication, as a text."`
	CredentialFields    []CredentialField `json:"credential_fields" doc:"The fields of its credentials."`
	DocsURL             string            `json:"docs_url" example:"https://developers.facebook.com/docs/marketing-api/conversions-api" doc:"Its own documentation."`
	ServerSideEventsAPI bool              `json:"server_side_events_api" example:"true" doc:"Whether it has an API for server-side events."`
	HasAdapter          bool              `json:"has_adapter" example:"true" doc:"Whether this relay speaks to it."`
	EventNames          map[string]string `json:"event_names" example:"{\"purchase_completed\":\"Purchase\"}" doc:"The platform's names of our event types, as they are in force unless a credential's options say otherwise. A type that is missing here is not sent."`
	ProposedEventNames  map[string]string `json:"proposed_event_names" example:"{\"rx_issued\":\"SubmitApplication\"}" doc:"Names for further types, for an admin to put into a credential's options. A name may disclose a diagnosis to the platform."`
	IsActive            bool              `json:"is_active" example:"true" doc:"The third kill switch, for all storefronts."`
	Limits              *Limits           `json:"limits,omitempty" doc:"Upper limits for all workers together and each storefront, unless its credential has limits of its own; missing where there are none."`
	SwitchedBy          string            `json:"switched_by,omitempty" example:"anna" doc:"Who set is_active as it is; missing if the audit log has no entry."`
	SwitchedAt          *time.Time        `json:"switched_at,omitempty" example:"2026-01-15T10:15:00Z" doc:"When."`
	CreatedAt           time.Time         `json:"created_at" example:"2026-01-15T10:15:00Z" doc:"When it was created."`
	UpdatedAt           time.Time         `json:"updated_at" example:"2026-01-15T10:15:00Z" doc:"When it was last changed."`
}

// CredentialField is one field of a platform's credential.
type CredentialField struct {
	Field       string `json:"field" pattern:"^([a-z][a-z0-9_]{0,49}|header:[*])$" example:"access_token" doc:"Its name. header:* stands for custom headers: each is a secret field named header: and the header's name."`
	Secret      bool   `json:"secret" example:"true" doc:"Whether it is write-only."`
	Required    bool   `json:"required" example:"true" doc:"Whether a credential must have it."`
	Format      string `json:"format,omitempty" maxLength:"255" example:"^[0-9]+$" doc:"A regular expression that begins with ^, a range as in 1-100 characters, or a text."`
	Description string `json:"description,omitempty" maxLength:"500" example:"Token for the Conversions API" doc:"A text for display."`
}

// PlatformInput is a platform as it is written whole.
type PlatformInput struct {
	Code                string            `json:"code" pattern:"^[a-z0-9][a-z0-9_]{0,49}$" maxLength:"50" example:"meta_capi" doc:"Its code: lower-case letters, digits and _."`
	Name                string            `json:"name" minLength:"1" maxLength:"255" example:"Meta Conversions API" doc:"A text for display."`
	Vendor              string            `json:"vendor,omitempty" maxLength:"255" example:"Meta Platforms" doc:"Its storefront or vendor."`
	Category            string            `json:"category,omitempty" maxLength:"50" example:"ads" doc:"Its purpose."`
	Tier                int               `json:"tier,omitempty" minimum:"1" maximum:"3" example:"1" doc:"1 is the most important; 3 if missing."`
	APIBaseURL          string            `json:"api_base_url,omitempty" maxLength:"500" example:"https://graph.facebook.com" doc:"An absolute https URL."`
	Auth                string            `json:"auth,omitempty" maxLength:"2000" example:"Access token" doc:"The kind of authentication, as a text."`
	CredentialFields    []CredentialField `json:"credential_fields,omitempty" maxItems:"50" doc:"The fields of its credentials."`
	DocsURL             string            `json:"docs_url,omitempty" maxLength:"500" example:"https://developers.facebook.com/docs/marketing-api/conversions-api" doc:"An absolute https URL."`
	ServerSideEventsAPI bool              `json:"server_side_events_api,omitempty" example:"true" doc:"Whether it has an API for server-side events."`
	IsActive            *bool             `json:"is_active,omitempty" example:"true" doc:"The third kill switch; a new platform is on."`
	Limits              *Limits           `json:"limits,omitempty" doc:"Upper limits for all workers together and each storefront, unless its credential has limits of its own."`
}

// PlatformPatch is a change of some fields of a platform.
type PlatformPatch struct {
	Name                Patched[string]            `json:"name,omitzero" required:"false" minLength:"1" maxLength:"255" example:"Meta Conversions API" doc:"A text for display."`
	Vendor              Patched[string]            `json:"vendor,omitzero" required:"false" maxLength:"255" example:"Meta Platforms" doc:"Its storefront or vendor."`
	Category            Patched[string]            `json:"category,omitzero" required:"false" maxLength:"50" example:"ads" doc:"Its purpose."`
	Tier                Patched[int]               `json:"tier,omitzero" required:"false" minimum:"1" maximum:"3" example:"1" doc:"1 is the most important."`
	APIBaseURL          Patched[string]            `json:"api_base_url,omitzero" required:"false" maxLength:"500" example:"https://graph.facebook.com" doc:"An absolute https URL."`
	Auth                Patched[string]            `json:"auth,omitzero" required:"false" maxLength:"2000" example:"Access token" doc:"The kind of authentication, as a text."`
	CredentialFields    Patched[[]CredentialField] `json:"credential_fields,omitzero" required:"false" maxItems:"50" doc:"The fields of its credentials; replaced as a whole."`
	DocsURL             Patched[string]            `json:"docs_url,omitzero" required:"false" maxLength:"500" example:"https://developers.facebook.com/docs/marketing-api/conversions-api" doc:"An absolute https URL."`
	ServerSideEventsAPI Patched[bool]              `json:"server_side_events_api,omitzero" required:"false" example:"true" doc:"Whether it has an API for server-side events."`
	IsActive            Patched[bool]              `json:"is_active,omitzero" required:"false" example:"true" doc:"The third kill switch."`
	Limits              Patched[Limits]            `json:"limits,omitzero" required:"false" doc:"Upper limits for all workers together and each storefront, unless its credential has limits of its own; replaced as a whole."`
}

type platformList struct {
	Limit               int    `query:"limit" minimum:"1" maximum:"200" default:"50" example:"50" doc:"Page size."`
	Cursor              string `query:"cursor" maxLength:"2000" example:"eyJpIjo1fQ" doc:"next_cursor of the page before."`
	Sort                string `query:"sort" enum:"id,-id,code,-code,name,-name,tier,-tier,category,-category,created_at,-created_at,updated_at,-updated_at" default:"id" doc:"The order; - is descending."`
	Code                string `query:"code" maxLength:"50" example:"meta_capi" doc:"Only the one with this code."`
	Category            string `query:"category" maxLength:"50" example:"ads" doc:"Only those of this category."`
	Tier                string `query:"tier" enum:"1,2,3" doc:"Only those of this tier."`
	ServerSideEventsAPI string `query:"server_side_events_api" enum:"true,false" doc:"Only those with, or without, an API for server-side events."`
	IsActive            string `query:"is_active" enum:"true,false" doc:"Only those that are on, or off."`
	Search              string `query:"q" maxLength:"100" example:"meta" doc:"Only those with this in their code, name or vendor."`
}

func (l *platformList) listQuery() (ops.ListQuery, error) {
	return pageParams{l.Limit, l.Cursor, l.Sort}.query(map[string]string{"code": l.Code, "category": l.Category, "tier": l.Tier,
		"server_side_events_api": l.ServerSideEventsAPI, "is_active": l.IsActive}, l.Search)
}

func (a *Admin) platformRoutes() []route {
	r := resource[ops.Platform, Platform, PlatformInput, PlatformPatch]{
		entity: ops.EntityPlatform, tag: tagPlatforms, one: "a platform", items: a.Platforms, view: a.platformView,
		start: func(_ context.Context, _ *violations, in PlatformInput) (int64, ops.Platform, error) {
			return 0, ops.Platform{Code: in.Code, Active: true}, nil
		},
		put:           putPlatform,
		patch:         patchPlatform,
		check:         a.checkPlatform,
		resetSwitches: func(v *ops.Platform, old ops.Platform) { v.Active = old.Active },
	}
	return slices.Concat(r.routes(), []route{listRoute[platformList](r, "platforms")}, switchRoutes(r, flipper[ops.Platform]{a, a.Platforms, func(v *ops.Platform) *bool { return &v.Active },
		func(rec ops.Record[ops.Platform]) (int64, int64) { return 0, rec.ID },
		func(v ops.Platform, to *relay.Switches) {
			setPlatform(to, v.Code, func(p *relay.PlatformSwitch) { p.PlatformActive = v.Active })
		}}))
}

func (a *Admin) platformView(rec ops.Record[ops.Platform]) Platform {
	v, names := rec.Value, a.EventNames(rec.Value.Code)
	view := Platform{ID: rec.ID, Code: v.Code, Name: v.Name, Vendor: v.Vendor, Category: v.Category, Tier: v.Tier, APIBaseURL: v.APIBaseURL,
		Auth: v.Auth, CredentialFields: []CredentialField{}, DocsURL: v.DocsURL, ServerSideEventsAPI: v.ServerSide,
		HasAdapter: a.HasAdapter(v.Code), IsActive: v.Active, SwitchedBy: rec.SwitchChange.By, SwitchedAt: switchedAt(rec.SwitchChange.At),
		EventNames: maps.Clone(names.Default), ProposedEventNames: maps.Clone(names.Proposed),
		CreatedAt: rec.CreatedAt, UpdatedAt: rec.UpdatedAt}
	if view.EventNames == nil {
		view.EventNames, view.ProposedEventNames = map[string]string{}, map[string]string{}
	}
	for _, f := range v.Fields {
		view.CredentialFields = append(view.CredentialFields, CredentialField(f))
	}
	if v.Limits != (relay.Limits{}) {
		limits := Limits(v.Limits)
		view.Limits = &limits
	}
	return view
}

func credentialFields(list []CredentialField) []ops.CredentialField {
	var out []ops.CredentialField
	for _, f := range list {
		out = append(out, ops.CredentialField(f))
	}
	return out
}

// putPlatform is old with everything replaced but its code, and the kill switch where the body does not name it.
func putPlatform(f *violations, old ops.Platform, in PlatformInput) ops.Platform {
	same(f, "code", in.Code, old.Code)
	return ops.Platform{Code: old.Code, Name: in.Name, Vendor: in.Vendor, Category: in.Category, Tier: cmp.Or(in.Tier, 3),
		APIBaseURL: in.APIBaseURL, Auth: in.Auth, Fields: credentialFields(in.CredentialFields), DocsURL: in.DocsURL,
		ServerSide: in.ServerSideEventsAPI, Active: valueOr(in.IsActive, old.Active), Limits: relay.Limits(valueOr(in.Limits, Limits{}))}
}

func patchPlatform(f *violations, v ops.Platform, in PlatformPatch) ops.Platform {
	in.Name.to(f, "name", &v.Name)
	in.Vendor.orNone(&v.Vendor)
	in.Category.orNone(&v.Category)
	in.Tier.to(f, "tier", &v.Tier)
	in.APIBaseURL.orNone(&v.APIBaseURL)
	in.Auth.orNone(&v.Auth)
	in.DocsURL.orNone(&v.DocsURL)
	in.ServerSideEventsAPI.to(f, "server_side_events_api", &v.ServerSide)
	in.IsActive.to(f, "is_active", &v.Active)
	if in.CredentialFields.Set {
		v.Fields = credentialFields(in.CredentialFields.Value)
	}
	if in.Limits.Set {
		v.Limits = relay.Limits(in.Limits.Value)
	}
	return v
}

func (a *Admin) checkPlatform(ctx context.Context, f *violations, v, old ops.Platform) {
	for field, text := range map[string]string{"name": v.Name, "vendor": v.Vendor, "category": v.Category, "auth": v.Auth} {
		f.line(field, text)
	}
	if v.APIBaseURL != old.APIBaseURL {
		f.address(ctx, a.CheckURL, "api_base_url", v.APIBaseURL)
	}
	if v.DocsURL != old.DocsURL {
		f.address(ctx, a.CheckURL, "docs_url", v.DocsURL)
	}
	if v.Code == relay.SGTM {
		f.add("code", codeInvalidValue, "the code is the container's")
	}
	seen := map[string]bool{}
	for i, field := range v.Fields {
		path := "credential_fields[" + strconv.Itoa(i) + "]"
		if seen[field.Field] {
			f.add(path+".field", codeInvalidValue, "the field is there twice")
		}
		seen[field.Field] = true
		if !strings.HasPrefix(field.Format, "^") {
			continue
		}
		if _, err := regexp.Compile(field.Format); err != nil {
			f.add(path+".format", codeInvalidValue, "the format begins with ^, but is no regular expression")
		}
	}
}
