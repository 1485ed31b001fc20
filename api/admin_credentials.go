package api

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"relay/internal/ops"
	"relay/internal/relay"
)

// Credential holds a storefront's secrets and options at a platform.
type Credential struct {
	ID                int64                 `json:"id" example:"7" doc:"Its id. It never changes."`
	StorefrontID      int64                 `json:"storefront_id" example:"5" doc:"The storefront's integer key."`
	StorefrontCode    string                `json:"storefront_code" example:"bosley" doc:"The storefront's code."`
	PlatformID        int64                 `json:"platform_id" example:"1" doc:"The platform's id."`
	PlatformCode      string                `json:"platform_code" example:"meta_capi" doc:"The platform's code."`
	Credentials       map[string]string     `json:"credentials" example:"{\"pixel_id\": \"1234567890\"}" doc:"The fields that are no secrets."`
	Secrets           map[string]SecretView `json:"secrets" doc:"The fields that are."`
	IsActive          bool                  `json:"is_active" example:"true" doc:"The fourth kill switch: this platform, for this storefront."`
	Options           *Options              `json:"options,omitempty" doc:"The fields to send, and their names; missing if nothing is set."`
	SecretsUnreadable bool                  `json:"secrets_unreadable,omitempty" example:"false" doc:"No encryption key decrypts the stored values: write the credentials again."`
	SwitchedBy        string                `json:"switched_by,omitempty" example:"anna" doc:"Who set is_active as it is; missing if the audit log has no entry."`
	SwitchedAt        *time.Time            `json:"switched_at,omitempty" example:"2026-01-15T10:15:00Z" doc:"When."`
	CreatedAt         time.Time             `json:"created_at" example:"2026-01-15T10:15:00Z" doc:"When it was created."`
	UpdatedAt         time.Time             `json:"updated_at" example:"2026-01-15T10:15:00Z" doc:"When it was last changed."`
	Warnings          []string              `json:"warnings,omitempty" example:"[\"test_event_code is set: real events are marked as test events; remove it when the test is over\"]" doc:"In the response to a write: warnings about settings that are complete. A check returns them at any time."`
	Failed
}

// CredentialInput is a credential as it is written whole.
type CredentialInput struct {
	StorefrontID   int64             `json:"storefront_id,omitempty" minimum:"1" maximum:"2147483647" example:"5" doc:"The storefront's integer key. This or storefront_code is required."`
	StorefrontCode string            `json:"storefront_code,omitempty" maxLength:"50" example:"bosley" doc:"The storefront's code."`
	PlatformID     int64             `json:"platform_id,omitempty" minimum:"1" maximum:"2147483647" example:"1" doc:"The platform's id. This or platform_code is required."`
	PlatformCode   string            `json:"platform_code,omitempty" maxLength:"50" example:"meta_capi" doc:"The platform's code."`
	Credentials    map[string]string `json:"credentials" example:"{\"pixel_id\": \"1234567890\", \"access_token\": \"EAAB-example-token\"}" doc:"The fields that the platform's credential_fields list. Secret ones are write-only and have at least eight characters."`
	IsActive       *bool             `json:"is_active,omitempty" example:"true" doc:"The fourth kill switch; a new credential is on."`
	Options        *Options          `json:"options,omitempty" doc:"The fields to send, and their names."`
}

// CredentialPatch is a change of some fields of a credential.
type CredentialPatch struct {
	Credentials Patched[map[string]*string] `json:"credentials,omitzero" required:"false" example:"{\"access_token\": \"EAAB-example-token\"}" doc:"Fields to set; one with an empty value is removed, the others stay."`
	IsActive    Patched[bool]               `json:"is_active,omitzero" required:"false" example:"true" doc:"The fourth kill switch."`
	Options     Patched[Options]            `json:"options,omitzero" required:"false" doc:"The fields to send, and their names; replaced as a whole."`
}

type credentialList struct {
	Limit          int    `query:"limit" minimum:"1" maximum:"200" default:"50" example:"50" doc:"Page size."`
	Cursor         string `query:"cursor" maxLength:"2000" example:"eyJpIjo1fQ" doc:"next_cursor of the page before."`
	Sort           string `query:"sort" enum:"id,-id,storefront_id,-storefront_id,platform_id,-platform_id,created_at,-created_at,updated_at,-updated_at" default:"id" doc:"The order; - is descending."`
	StorefrontID   string `query:"storefront_id" pattern:"^[0-9]{1,10}$" example:"5" doc:"Only those of the storefront with this integer key."`
	StorefrontCode string `query:"storefront_code" maxLength:"50" example:"bosley" doc:"Only those of the storefront with this code."`
	PlatformID     string `query:"platform_id" pattern:"^[0-9]{1,10}$" example:"1" doc:"Only those for the platform with this id."`
	PlatformCode   string `query:"platform_code" maxLength:"50" example:"meta_capi" doc:"Only those for the platform with this code."`
	IsActive       string `query:"is_active" enum:"true,false" doc:"Only those that are on, or off."`
	Search         string `query:"q" maxLength:"100" example:"meta" doc:"Only those with this in the storefront's or platform's code or name."`
}

func (l *credentialList) listQuery() (ops.ListQuery, error) {
	return pageParams{l.Limit, l.Cursor, l.Sort}.query(map[string]string{"storefront_id": l.StorefrontID, "storefront_code": l.StorefrontCode,
		"platform_id": l.PlatformID, "platform_code": l.PlatformCode, "is_active": l.IsActive}, l.Search)
}

func (a *Admin) credentialRoutes() []route {
	r := resource[ops.Credential, Credential, CredentialInput, CredentialPatch]{
		entity: ops.EntityCredential, tag: tagCredentials, one: "a credential", items: a.Credentials, view: credentialView,
		start:         a.startCredential,
		put:           putCredential,
		patch:         patchCredential,
		check:         a.checkCredential,
		resetSwitches: func(v *ops.Credential, old ops.Credential) { v.Active = old.Active },
		written: func(ctx context.Context, rec ops.Record[ops.Credential], view *Credential) {
			view.Failed = a.rewritten(ctx, rec.Value.StorefrontID, rec.Value.StorefrontCode, rec.Value.Platform)
			view.Warnings = a.warnings(ctx, rec.Value.StorefrontID, credentialDestination(rec.Value))
		},
	}
	return slices.Concat(r.routes(), []route{listRoute[credentialList](r, "credentials")}, switchRoutes(r, flipper[ops.Credential]{a, a.Credentials, func(v *ops.Credential) *bool { return &v.Active },
		func(rec ops.Record[ops.Credential]) (int64, int64) { return rec.Value.StorefrontID, 0 },
		func(v ops.Credential, to *relay.Switches) {
			setPlatform(to, v.Platform, func(p *relay.PlatformSwitch) { p.CredentialActive = v.Active })
		}}))
}

func credentialView(rec ops.Record[ops.Credential]) Credential {
	v := rec.Value
	view := Credential{ID: rec.ID, StorefrontID: v.StorefrontID, StorefrontCode: v.StorefrontCode, PlatformID: v.PlatformID,
		PlatformCode: v.Platform, Credentials: map[string]string{}, Secrets: map[string]SecretView{}, IsActive: v.Active,
		Options: optionsView(v.Options), SecretsUnreadable: v.Unreadable, SwitchedBy: rec.SwitchChange.By, SwitchedAt: switchedAt(rec.SwitchChange.At),
		CreatedAt: rec.CreatedAt, UpdatedAt: rec.UpdatedAt}
	shown := map[string]bool{} // a field that the platform does not list is a secret
	for _, f := range v.FieldList {
		shown[f.Field] = !f.Secret
	}
	for name, value := range v.Fields {
		if shown[name] {
			view.Credentials[name] = value.Reveal()
		} else {
			view.Secrets[name] = secretView(value)
		}
	}
	return view
}

// startCredential finds the platform, whose fields the credential must have.
func (a *Admin) startCredential(ctx context.Context, f *violations, in CredentialInput) (int64, ops.Credential, error) {
	f.parent("storefront", in.StorefrontID, in.StorefrontCode)
	f.parent("platform", in.PlatformID, in.PlatformCode)
	v := ops.Credential{StorefrontID: in.StorefrontID, StorefrontCode: in.StorefrontCode, PlatformID: in.PlatformID,
		Platform: in.PlatformCode, Active: true}
	if err := f.err(); err != nil {
		return 0, v, err
	}
	p, err := a.findPlatform(ctx, in.PlatformID, in.PlatformCode)
	if err != nil {
		return 0, v, err
	}
	v.PlatformID, v.Platform, v.FieldList = p.ID, p.Value.Code, p.Value.Fields
	return 0, v, nil
}

// findPlatform is the platform with this id or, where that is 0, this code.
func (a *Admin) findPlatform(ctx context.Context, id int64, code string) (ops.Record[ops.Platform], error) {
	unknown := writeFailure(&ops.WriteError{Kind: ops.NoPlatform, Field: "platform_id"})
	if id == 0 {
		found, err := a.Platforms.List(ctx, ops.ListQuery{Filter: map[string]any{"code": code}, Limit: 1})
		if err != nil {
			return ops.Record[ops.Platform]{}, err
		}
		if len(found.Items) == 0 || found.Items[0].Value.Code != code {
			return ops.Record[ops.Platform]{}, unknown
		}
		return found.Items[0], nil
	}
	p, err := a.Platforms.Find(ctx, id)
	if errors.Is(err, relay.ErrNotFound) || err == nil && code != "" && code != p.Value.Code {
		return p, unknown
	}
	return p, err
}

// putCredential replaces everything but the owner and, if the body does not name it, the kill switch.
func putCredential(f *violations, old ops.Credential, in CredentialInput) ops.Credential {
	same(f, "storefront_id", in.StorefrontID, old.StorefrontID)
	same(f, "storefront_code", in.StorefrontCode, old.StorefrontCode)
	same(f, "platform_id", in.PlatformID, old.PlatformID)
	same(f, "platform_code", in.PlatformCode, old.Platform)
	v := old
	v.Fields, v.Unreadable = map[string]relay.Secret{}, false
	v.Active, v.Options = valueOr(in.IsActive, old.Active), f.options(in.Options)
	for name, value := range in.Credentials {
		v.Fields[name] = relay.NewSecret(value)
	}
	return v
}

func patchCredential(f *violations, v ops.Credential, in CredentialPatch) ops.Credential {
	in.IsActive.to(f, "is_active", &v.Active)
	if in.Options.Set {
		v.Options = f.options(&in.Options.Value)
	}
	if in.Credentials.Null {
		f.add("credentials", codeWrongType, "the field may be left out, but not be null")
	} else if in.Credentials.Set {
		v.Fields = merged(v.Fields, in.Credentials)
		v.Unreadable = false // the unreadable values are replaced
	}
	return v
}

// urlFormat begins the format of a field that is an address to send to.
const urlFormat = "https URL"

func (a *Admin) checkCredential(ctx context.Context, f *violations, v, old ops.Credential) {
	if v.Unreadable {
		f.add("credentials", codeMissingField, "no encryption key decrypts the stored values: write the credentials again, too")
		return
	}
	f.credentials(v.FieldList, v.Fields, old.Fields)
	if v.Options.Consent != "" {
		f.add("options.consent", codeInvalidValue, "only a container has this option: a platform always gets what the shopper's consent permits")
	}
	f.headers(a.CheckHeader, "credentials", ops.HeaderPrefix, ops.HeadersOf(v.FieldList, v.Fields))
	names := []string{"custom_headers"}
	for _, field := range v.FieldList {
		names = append(names, field.Field)
		if value := v.Fields[field.Field].Reveal(); strings.HasPrefix(field.Format, urlFormat) && value != old.Fields[field.Field].Reveal() {
			f.address(ctx, a.CheckURL, "credentials."+field.Field, value)
		}
		if field.Secret {
			f.secret("credentials."+field.Field, v.Fields[field.Field], old.Fields[field.Field])
		}
	}
	f.settings(a.Check(credentialDestination(v)), "credentials.", names...)
}

// credentialDestination is a credential as its platform's adapter sees it.
func credentialDestination(v ops.Credential) relay.Destination {
	d := relay.Destination{Key: v.Platform, Options: v.Options, Settings: map[string]string{}, Secrets: map[string]relay.Secret{}}
	for name, value := range ops.HeadersOf(v.FieldList, v.Fields) {
		d.Secrets[headerSecret+name] = value
	}
	for _, f := range v.FieldList {
		switch value, ok := v.Fields[f.Field]; {
		case !ok:
		case f.Secret:
			d.Secrets[f.Field] = value
		default:
			d.Settings[f.Field] = value.Reveal()
		}
	}
	return d
}
