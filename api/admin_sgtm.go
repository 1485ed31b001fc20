package api

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"relay/internal/ops"
	"relay/internal/relay"
)

// SGTMConfig is a storefront's server-side GTM container.
type SGTMConfig struct {
	ID                 int64                 `json:"id" example:"3" doc:"Its id. It never changes."`
	StorefrontID       int64                 `json:"storefront_id" example:"5" doc:"The storefront's integer key."`
	StorefrontCode     string                `json:"storefront_code" example:"bosley" doc:"The storefront's code."`
	SGTMURL            string                `json:"sgtm_url" example:"https://tags.upscript.com" doc:"The container's address."`
	ClientType         string                `json:"client_type" enum:"ga4,custom" example:"ga4" doc:"The client of the container that claims the requests."`
	MeasurementID      string                `json:"measurement_id" example:"G-ABC123" doc:"Of client type ga4."`
	APISecret          SecretView            `json:"api_secret" doc:"Of client type ga4: whether it is set."`
	CustomEndpointPath string                `json:"custom_endpoint_path" example:"/collect" doc:"Of client type custom; empty is /collect."`
	CustomHeaders      map[string]SecretView `json:"custom_headers" doc:"Of client type custom: which headers are set."`
	IsActive           bool                  `json:"is_active" example:"true" doc:"The second kill switch: if off, fallback decides where events go."`
	Fallback           string                `json:"fallback" enum:"direct,stop" example:"direct" doc:"Where events go while the container is off: to the platforms, or nowhere."`
	OnExhausted        string                `json:"on_exhausted" enum:"fail,direct" example:"fail" doc:"The outcome of events whose attempts at the container ran out, or that were refused while it was unhealthy: they fail, or go to the platforms."`
	Options            *Options              `json:"options,omitempty" doc:"The fields to send, and their names; missing if nothing is set."`
	SecretsUnreadable  bool                  `json:"secrets_unreadable,omitempty" example:"false" doc:"No encryption key decrypts the stored values: write the secrets again."`
	SwitchedBy         string                `json:"switched_by,omitempty" example:"anna" doc:"Who set is_active as it is; missing if the audit log has no entry."`
	SwitchedAt         *time.Time            `json:"switched_at,omitempty" example:"2026-01-15T10:15:00Z" doc:"When."`
	CreatedAt          time.Time             `json:"created_at" example:"2026-01-15T10:15:00Z" doc:"When it was created."`
	UpdatedAt          time.Time             `json:"updated_at" example:"2026-01-15T10:15:00Z" doc:"When it was last changed."`
	Warnings           []string              `json:"warnings,omitempty" example:"[\"test_event_code is set: real events are marked as test events; remove it when the test is over\"]" doc:"In the response to a write: warnings about settings that are complete. A check returns them at any time."`
	Failed
}

// SGTMConfigInput is an sGTM config as it is written whole.
type SGTMConfigInput struct {
	StorefrontID       int64             `json:"storefront_id,omitempty" minimum:"1" maximum:"2147483647" example:"5" doc:"The storefront's integer key. This or storefront_code is required."`
	StorefrontCode     string            `json:"storefront_code,omitempty" maxLength:"50" example:"bosley" doc:"The storefront's code."`
	SGTMURL            string            `json:"sgtm_url" minLength:"1" maxLength:"500" example:"https://tags.upscript.com" doc:"The container's address: an absolute https URL without user and query. http is accepted only within ALLOWED_PRIVATE_NETS."`
	ClientType         string            `json:"client_type,omitempty" enum:"ga4,custom" example:"ga4" doc:"The client of the container; ga4 if missing."`
	MeasurementID      string            `json:"measurement_id,omitempty" maxLength:"50" example:"G-ABC123" doc:"Required of client type ga4."`
	APISecret          string            `json:"api_secret,omitempty" maxLength:"500" writeOnly:"true" example:"mJ7nR2vT4xW8zB" doc:"Of client type ga4; eight characters at least. Write-only."`
	CustomEndpointPath string            `json:"custom_endpoint_path,omitempty" maxLength:"255" example:"/collect" doc:"Of client type custom; /collect if missing."`
	CustomHeaders      map[string]string `json:"custom_headers,omitempty" writeOnly:"true" example:"{\"X-Api-Key\": \"your-key-0123\"}" doc:"Of client type custom. The values are write-only."`
	IsActive           *bool             `json:"is_active,omitempty" example:"true" doc:"The second kill switch; a new config is on."`
	Fallback           string            `json:"fallback,omitempty" enum:"direct,stop" example:"direct" doc:"Where events go while the container is off; a new config's is direct."`
	OnExhausted        string            `json:"on_exhausted,omitempty" enum:"fail,direct" example:"fail" doc:"The outcome of events whose attempts at the container ran out; fail if missing."`
	Options            *Options          `json:"options,omitempty" doc:"The fields to send, and their names."`
}

// SGTMConfigPatch is a change of some fields of an sGTM config.
type SGTMConfigPatch struct {
	SGTMURL            Patched[string]             `json:"sgtm_url,omitzero" required:"false" minLength:"1" maxLength:"500" example:"https://tags.upscript.com" doc:"The container's address."`
	ClientType         Patched[string]             `json:"client_type,omitzero" required:"false" enum:"ga4,custom" example:"ga4" doc:"The client of the container."`
	MeasurementID      Patched[string]             `json:"measurement_id,omitzero" required:"false" maxLength:"50" example:"G-ABC123" doc:"Required of client type ga4."`
	APISecret          Patched[string]             `json:"api_secret,omitzero" required:"false" maxLength:"500" writeOnly:"true" example:"mJ7nR2vT4xW8zB" doc:"A new one; empty to remove it. Write-only."`
	CustomEndpointPath Patched[string]             `json:"custom_endpoint_path,omitzero" required:"false" maxLength:"255" example:"/collect" doc:"Of client type custom."`
	CustomHeaders      Patched[map[string]*string] `json:"custom_headers,omitzero" required:"false" writeOnly:"true" example:"{\"X-Api-Key\": \"your-key-0123\"}" doc:"Headers to set; one with an empty value is removed, the others stay."`
	IsActive           Patched[bool]               `json:"is_active,omitzero" required:"false" example:"true" doc:"The second kill switch."`
	Fallback           Patched[string]             `json:"fallback,omitzero" required:"false" enum:"direct,stop" example:"direct" doc:"Where events go while the container is off."`
	OnExhausted        Patched[string]             `json:"on_exhausted,omitzero" required:"false" enum:"fail,direct" example:"fail" doc:"The outcome of events whose attempts at the container ran out."`
	Options            Patched[Options]            `json:"options,omitzero" required:"false" doc:"The fields to send, and their names; replaced as a whole."`
}

type sgtmList struct {
	Limit          int    `query:"limit" minimum:"1" maximum:"200" default:"50" example:"50" doc:"Page size."`
	Cursor         string `query:"cursor" maxLength:"2000" example:"eyJpIjo1fQ" doc:"next_cursor of the page before."`
	Sort           string `query:"sort" enum:"id,-id,storefront_id,-storefront_id,created_at,-created_at,updated_at,-updated_at" default:"id" doc:"The order; - is descending."`
	StorefrontID   string `query:"storefront_id" pattern:"^[0-9]{1,10}$" example:"5" doc:"Only the one of the storefront with this integer key."`
	StorefrontCode string `query:"storefront_code" maxLength:"50" example:"bosley" doc:"Only the one of the storefront with this code."`
	ClientType     string `query:"client_type" enum:"ga4,custom" doc:"Only those with this client."`
	IsActive       string `query:"is_active" enum:"true,false" doc:"Only those that are on, or off."`
	Search         string `query:"q" maxLength:"100" example:"bos" doc:"Only those with this in the storefront's code or name, or in the address."`
}

func (l *sgtmList) listQuery() (ops.ListQuery, error) {
	return pageParams{l.Limit, l.Cursor, l.Sort}.query(map[string]string{"storefront_id": l.StorefrontID, "storefront_code": l.StorefrontCode,
		"client_type": l.ClientType, "is_active": l.IsActive}, l.Search)
}

func (a *Admin) sgtmRoutes() []route {
	r := resource[ops.SGTMConfig, SGTMConfig, SGTMConfigInput, SGTMConfigPatch]{
		entity: ops.EntitySGTMConfig, tag: tagSGTM, one: "an sGTM config", items: a.SGTMConfigs, view: sgtmView,
		start: func(_ context.Context, f *violations, in SGTMConfigInput) (int64, ops.SGTMConfig, error) {
			f.parent("storefront", in.StorefrontID, in.StorefrontCode)
			return 0, ops.SGTMConfig{StorefrontID: in.StorefrontID, StorefrontCode: in.StorefrontCode, Active: true, Fallback: "direct"}, nil
		},
		put:   putSGTM,
		patch: patchSGTM,
		check: a.checkSGTM,
		resetSwitches: func(v *ops.SGTMConfig, old ops.SGTMConfig) {
			v.Active, v.Fallback = old.Active, old.Fallback
		},
		written: func(ctx context.Context, rec ops.Record[ops.SGTMConfig], view *SGTMConfig) {
			view.Failed = a.rewritten(ctx, rec.Value.StorefrontID, rec.Value.StorefrontCode, relay.SGTM)
			view.Warnings = a.warnings(ctx, rec.Value.StorefrontID, sgtmDestination(rec.Value))
		},
	}
	f := flipper[ops.SGTMConfig]{a, a.SGTMConfigs, func(v *ops.SGTMConfig) *bool { return &v.Active },
		func(rec ops.Record[ops.SGTMConfig]) (int64, int64) { return rec.Value.StorefrontID, 0 },
		func(v ops.SGTMConfig, to *relay.Switches) {
			if to.SGTM != nil {
				to.SGTM = &relay.SGTMSwitch{Active: v.Active, Stop: v.Fallback == "stop", DirectOnExhausted: to.SGTM.DirectOnExhausted}
			}
		}}
	return slices.Concat(r.routes(), []route{listRoute[sgtmList](r, "sGTM configs")}, sgtmSwitchRoutes(r, f))
}

func sgtmView(rec ops.Record[ops.SGTMConfig]) SGTMConfig {
	v := rec.Value
	view := SGTMConfig{ID: rec.ID, StorefrontID: v.StorefrontID, StorefrontCode: v.StorefrontCode, SGTMURL: v.URL, ClientType: v.ClientType,
		MeasurementID: v.MeasurementID, APISecret: secretView(v.APISecret), CustomEndpointPath: v.EndpointPath,
		CustomHeaders: map[string]SecretView{}, IsActive: v.Active, Fallback: v.Fallback, OnExhausted: v.OnExhausted,
		Options: optionsView(v.Options), SecretsUnreadable: v.Unreadable, SwitchedBy: rec.SwitchChange.By, SwitchedAt: switchedAt(rec.SwitchChange.At),
		CreatedAt: rec.CreatedAt, UpdatedAt: rec.UpdatedAt}
	for name, value := range v.Headers {
		view.CustomHeaders[name] = secretView(value)
	}
	return view
}

// parent requires the owner, by id or by code.
func (v *violations) parent(owner string, id int64, code string) {
	if id == 0 && code == "" {
		v.add(owner+"_id", codeMissingField, owner+"_id or "+owner+"_code is required")
	}
}

// putSGTM is old with everything replaced but its storefront, and the switches where the body does not name them.
func putSGTM(f *violations, old ops.SGTMConfig, in SGTMConfigInput) ops.SGTMConfig {
	same(f, "storefront_id", in.StorefrontID, old.StorefrontID)
	same(f, "storefront_code", in.StorefrontCode, old.StorefrontCode)
	v := ops.SGTMConfig{StorefrontID: old.StorefrontID, StorefrontCode: old.StorefrontCode, URL: in.SGTMURL,
		ClientType: cmp.Or(in.ClientType, "ga4"), MeasurementID: in.MeasurementID, APISecret: relay.NewSecret(in.APISecret),
		EndpointPath: in.CustomEndpointPath, Headers: map[string]relay.Secret{}, Active: valueOr(in.IsActive, old.Active),
		Fallback: cmp.Or(in.Fallback, old.Fallback), OnExhausted: cmp.Or(in.OnExhausted, "fail"), Options: f.options(in.Options)}
	for name, value := range in.CustomHeaders {
		v.Headers[name] = relay.NewSecret(value)
	}
	return v
}

func patchSGTM(f *violations, v ops.SGTMConfig, in SGTMConfigPatch) ops.SGTMConfig {
	in.SGTMURL.to(f, "sgtm_url", &v.URL)
	in.ClientType.to(f, "client_type", &v.ClientType)
	in.MeasurementID.orNone(&v.MeasurementID)
	in.CustomEndpointPath.orNone(&v.EndpointPath)
	in.IsActive.to(f, "is_active", &v.Active)
	in.Fallback.to(f, "fallback", &v.Fallback)
	in.OnExhausted.to(f, "on_exhausted", &v.OnExhausted)
	if in.Options.Set {
		v.Options = f.options(&in.Options.Value)
	}
	if in.APISecret.Set || in.CustomHeaders.Set || in.Options.Set {
		v.Unreadable = false // the unreadable values are replaced
	}
	if in.APISecret.Set {
		v.APISecret = relay.NewSecret(in.APISecret.Value)
	}
	if in.CustomHeaders.Set {
		v.Headers = merged(v.Headers, in.CustomHeaders)
	}
	return v
}

// merged is secrets with some of them changed: an empty one is removed, and null removes all.
func merged(old map[string]relay.Secret, in Patched[map[string]*string]) map[string]relay.Secret {
	out := map[string]relay.Secret{}
	if !in.Null {
		maps.Copy(out, old)
	}
	for name, value := range in.Value {
		delete(out, name)
		if value != nil && *value != "" {
			out[name] = relay.NewSecret(*value)
		}
	}
	return out
}

func (a *Admin) checkSGTM(ctx context.Context, f *violations, v, old ops.SGTMConfig) {
	f.line("measurement_id", v.MeasurementID)
	f.line("api_secret", v.APISecret.Reveal())
	f.secret("api_secret", v.APISecret, old.APISecret)
	if v.ClientType == "ga4" && v.MeasurementID == "" {
		f.add("measurement_id", codeMissingField, "required by client type ga4, in the form G-XXXXXX")
	}
	f.line("custom_endpoint_path", v.EndpointPath)
	if v.URL != old.URL {
		f.address(ctx, a.CheckURL, "sgtm_url", v.URL)
	}
	f.headers(a.CheckHeader, "custom_headers", "", v.Headers)
	f.settings(a.Check(sgtmDestination(v)), "", "sgtm_url", "client_type", "measurement_id", "custom_endpoint_path", "custom_headers")
}

// sgtmDestination is a config as its adapter sees it.
func sgtmDestination(v ops.SGTMConfig) relay.Destination {
	d := relay.Destination{Key: relay.SGTM, Options: v.Options, Secrets: map[string]relay.Secret{"api_secret": v.APISecret},
		Settings: map[string]string{"sgtm_url": v.URL, "client_type": v.ClientType, "measurement_id": v.MeasurementID,
			"custom_endpoint_path": v.EndpointPath}}
	for name, value := range v.Headers {
		d.Secrets["header:"+name] = value
	}
	return d
}
