package console

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// platform is an entry of the catalogue, as REST has it.
type platform struct {
	ID         int64             `json:"id"`
	Code       string            `json:"code"`
	Name       string            `json:"name"`
	Vendor     string            `json:"vendor"`
	Category   string            `json:"category"`
	Tier       int               `json:"tier"`
	BaseURL    string            `json:"api_base_url"`
	Auth       string            `json:"auth"`
	Fields     []credentialField `json:"credential_fields"`
	DocsURL    string            `json:"docs_url"`
	ServerSide bool              `json:"server_side_events_api"`
	HasAdapter bool              `json:"has_adapter"`
	EventNames map[string]string `json:"event_names"`
	Proposed   map[string]string `json:"proposed_event_names"`
	On         bool              `json:"is_active"`
	Limits     struct {
		InFlight  json.Number `json:"in_flight"`
		PerSecond json.Number `json:"per_second"`
	} `json:"limits"`
	By string     `json:"switched_by"`
	At *time.Time `json:"switched_at"`
}

type credentialField struct {
	Field       string `json:"field"`
	Secret      bool   `json:"secret"`
	Required    bool   `json:"required"`
	Format      string `json:"format"`
	Description string `json:"description"`
}

// settings are those of a destination of a storefront: a container, or a credential at a platform. They may not be there yet.
type settings struct {
	record
	Code, Key string
	Tabs      []chip
	Platform  platform
	Fields    []input
	Headers   []input
	Options   []input
	Rules     []eventRule
	Start     input
	Check     part[*checked]
	Changed   []AuditLine
}

// Container reports whether the destination is the storefront's container.
func (s settings) Container() bool { return s.Key == sgtm }

// Entity is the settings' kind, in REST's addresses and the audit.
func (s settings) Entity() string { return entityOf(s.Key) }

// Unreadable reports whether the stored secrets cannot be decrypted.
func (s settings) Unreadable() bool { return s.fields["secrets_unreadable"] == true }

// Address is the destination's page.
func (s settings) Address() string { return Destination{Storefront: s.Code, Key: s.Key}.Address() }

func entityOf(key string) string {
	if key == sgtm {
		return "sgtm-configs"
	}
	return "credentials"
}

// readSettings reads the settings of a destination and its platform.
func (v *visit) readSettings() (settings, error) {
	s := settings{Code: v.part("code"), Key: v.part("destination")}
	v.title = s.Code + " / " + s.Key
	q := url.Values{"storefront_code": {s.Code}, "limit": {"1"}}
	if !s.Container() {
		q.Set("platform_code", s.Key)
	}
	var failed, unknown error
	key := s.Key // the methods of s read all of it, also what the other call writes
	v.together(func() {
		s.record, failed = v.find("/admin/v1/"+entityOf(key), q)
	}, func() {
		if key != sgtm {
			s.Platform, unknown = v.platform(key)
		}
	})
	if failed == nil {
		failed = unknown
	}
	if failed == nil && s.ID == 0 { // they may be created, at a storefront that is there
		_, failed = v.storefront()
		v.title = s.Code + " / " + s.Key
	}
	return s, failed
}

// platform reads an entry of the catalogue.
func (v *visit) platform(code string) (platform, error) {
	var list struct {
		Items []platform `json:"items"`
	}
	if err := v.get("/admin/v1/platforms", url.Values{"code": {code}, "limit": {"1"}}, &list); err != nil {
		return platform{}, err
	}
	if len(list.Items) == 0 {
		return platform{}, &Problem{Status: http.StatusNotFound, Detail: "The catalogue has no platform with this code.", RequestID: v.id}
	}
	return list.Items[0], nil
}

func showSettings(v *visit) (any, error) {
	s, err := v.readSettings()
	if err != nil {
		return nil, err
	}
	s.Tabs = v.tabs("Settings")
	if s.ID != 0 && !v.visitor.ReadOnly {
		s.Check.Problem = problemOf(v.post(s.checkPath(), nil, nil, &s.Check.Value))
	}
	s.Changed = v.changedBy(s.Entity(), s.ID)
	stored := s.Map("options")
	s.Options, s.Rules = v.optionInputs(s.Key, stored), v.rules(s.Platform, stored)
	if s.Start = v.input(input{Name: "is_active", Label: "Switch it on", Kind: "check"}, "true", "is_active"); s.Container() {
		s.Fields, s.Headers = v.containerInputs(s.record)
	} else {
		s.Fields, s.Headers = v.credentialInputs(s), v.headerInputs(s)
	}
	return s, nil
}

// credentialInputs are the fields that the platform asks for.
func (v *visit) credentialInputs(s settings) []input {
	var list []input
	for _, f := range s.Platform.Fields {
		if f.Field == customHeaders {
			continue
		}
		i := input{Name: "f." + f.Field, Label: words(f.Field), Kind: "text", Help: f.Description, Required: f.Required}
		if f.Secret {
			i.Name, i.Kind = "s."+f.Field, "secret"
			i.Set, i.Hint = secretOf(s.Map("secrets")[f.Field])
		}
		list = append(list, v.input(i, text(s.Map("credentials")[f.Field]), "credentials."+f.Field))
	}
	return list
}

// secretOf is what may be seen of a secret.
func secretOf(view any) (isSet bool, lastFour string) {
	m, _ := view.(map[string]any)
	return m["is_set"] == true, text(m["last_four"])
}

// containerFields are those of a container, in the order of the form.
var containerFields = []input{
	{Name: "sgtm_url", Label: "Address", Kind: "text", Required: true, Help: "An absolute https URL without user and query, such as https://tags.example.com."},
	{Name: "client_type", Label: "Client type", Kind: "select", Choices: []string{"ga4", "custom"}, Help: "The client of the container that claims the requests."},
	{Name: "measurement_id", Label: "Measurement id", Kind: "text", Help: "Required of client type ga4: G-ABC123."},
	{Name: "api_secret", Label: "API secret", Kind: "secret", Help: "Of client type ga4."},
	{Name: "custom_endpoint_path", Label: "Path", Kind: "text", Help: "Of client type custom; empty is /collect."},
	{Name: "fallback", Label: "While it is off, events go", Kind: "select", Choices: []string{"direct", "stop"}, Help: "direct: to the storefront's platforms. stop: nowhere, they end skipped."},
	{Name: "on_exhausted", Label: "Events whose attempts ran out", Kind: "select", Choices: []string{"fail", "direct"}, Help: "fail: they end failed. direct: they go to the platforms."},
}

func (v *visit) containerInputs(r record) (fields, headers []input) {
	for _, i := range containerFields {
		stored := r.Get(i.Name)
		if i.Kind == "secret" {
			i.Set, i.Hint = secretOf(r.fields[i.Name])
			stored = ""
		}
		if i.Kind == "select" && stored == "" {
			stored = i.Choices[0]
		}
		fields = append(fields, v.input(i, stored, i.Name))
	}
	for name, view := range r.Map("custom_headers") {
		i := input{Name: "h." + name, Label: name, Kind: "secret", Removed: v.removes("h." + name), Problem: v.problem.Of("custom_headers." + name)}
		i.Set, i.Hint = secretOf(view)
		headers = append(headers, i)
	}
	slices.SortFunc(headers, func(a, b input) int { return strings.Compare(a.Name, b.Name) })
	return fields, headers
}

// saveSettings creates the settings of a destination, or changes those that are there.
func saveSettings(v *visit) (next, error) {
	code, key := v.part("code"), v.part("destination")
	path := "/admin/v1/" + entityOf(key)
	id, err := strconv.ParseInt(v.form.Get("id"), 10, 64)
	if err != nil {
		body := v.settingsBody(key, nil)
		body["storefront_code"], body["is_active"] = code, v.form.Has("is_active")
		if key != sgtm {
			body["platform_code"] = key
		}
		if err := v.post(path, nil, body, nil); err != nil {
			return next{}, err
		}
		return v.done(v.here() + "/settings"), nil
	}
	err = v.change(http.MethodPatch, path+"/"+strconv.FormatInt(id, 10), func(now record) any { return v.settingsBody(key, now.Map("options")) })
	if err != nil {
		return next{}, err
	}
	return v.done(v.here() + "/settings"), nil
}

// settingsBody is what a form asks for, as REST takes it. A secret that was left empty stays as it is.
func (v *visit) settingsBody(key string, old map[string]any) map[string]any {
	body := map[string]any{"options": v.optionsOf(key, old)}
	secrets := map[string]any{}
	for name, values := range v.form {
		value := strings.TrimSpace(values[0])
		switch what, field, _ := strings.Cut(name, "."); {
		case what == "f" && (value != "" || v.form.Get("id") != ""), (what == "s" || what == "h") && value != "":
			secrets[field] = value
		case what == "remove" && v.form.Get(field) == "":
			if _, name, ok := strings.Cut(field, "."); ok {
				secrets[name] = ""
			}
		}
	}
	if name := strings.TrimSpace(v.form.Get("header_name")); name != "" {
		if key != sgtm {
			name = headerPrefix + name
		}
		secrets[name] = strings.TrimSpace(v.form.Get("header_value"))
	}
	if key != sgtm {
		body["credentials"] = secrets
		return body
	}
	if len(secrets) > 0 {
		body["custom_headers"] = secrets
	}
	for _, f := range containerFields {
		value := strings.TrimSpace(v.form.Get(f.Name))
		if value == "" && (f.Kind == "secret" || v.form.Get("id") == "") {
			if v.form.Has("remove." + f.Name) {
				body[f.Name] = ""
			}
			continue
		}
		body[f.Name] = value
	}
	return body
}
