package main

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"relay/deploy/dev/platformfiles"
)

// entry is a platform of the catalogue.
type entry struct {
	Code       string `json:"code"`
	Name       string `json:"name"`
	URL        string `json:"api_base_url"`
	DocsURL    string `json:"docs_url"`
	ServerSide bool   `json:"server_side_events_api"`
	Fields     []struct {
		Field    string `json:"field"`
		Secret   bool   `json:"secret"`
		Required bool   `json:"required"`
		Format   string `json:"format"`
	} `json:"credentials"`
}

// newEntry is the catalogue's entry of a platform that it does not know.
func newEntry(code string) []byte {
	return []byte(`  {
    "code": "` + code + `",
    "name": "` + strings.ToUpper(code[:1]) + strings.ReplaceAll(code[1:], "_", " ") + `",
    "vendor": "` + platformfiles.FillIn + `",
    "category": "ads",
    "tier": 3,
    "api_base_url": "https://api.example.com/v1",
    "auth": "Bearer token; POST /events. ` + platformfiles.FillIn + `: address and authentication",
    "credentials": [
      {
        "field": "account_id",
        "secret": false,
        "required": true,
        "format": "1-100 characters",
        "description": "` + platformfiles.FillIn + `"
      },
      {
        "field": "access_token",
        "secret": true,
        "required": true,
        "format": "1-500 characters",
        "description": "` + platformfiles.FillIn + `"
      }
    ],
    "docs_url": "https://api.example.com/docs",
    "server_side_events_api": true,
    "source": "` + platformfiles.FillIn + `: where these facts are from, and whether two sources confirm them",
    "confirmed": false
  }`)
}

// addEntry appends an entry to the catalogue's list.
func addEntry(file string, text []byte) error {
	list, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	const end = "\n]\n"
	head, ok := bytes.CutSuffix(list, []byte(end))
	if !ok {
		return fmt.Errorf("%s ends in another way: add the entry by hand", file)
	}
	return os.WriteFile(file, slices.Concat(head, []byte(",\n"), text, []byte(end)), 0o644) //nolint:gosec // a public file
}

// platform is the data of the templates.
type platform struct {
	entry
	Package  string
	Version  string  // of the API, the last part of its path
	Settings []field // required ones
	Secrets  []field // likewise
}

// field is a setting or a secret.
type field struct {
	Field   string
	Ident   string // AccessToken
	Form    string // a regular expression
	Example string
}

var (
	urlVersion = regexp.MustCompile(`/(v[0-9]+(?:\.[0-9]+)?)$`)
	codeForm   = regexp.MustCompile(`^[a-z][a-z0-9_]{1,49}$`)
)

const anyForm = "^[!-~]{1,100}$"

func newPlatform(e entry) (platform, error) {
	switch {
	case !codeForm.MatchString(e.Code):
		return platform{}, fmt.Errorf("%s: the code is not usable as the name of a folder", e.Code)
	case !e.ServerSide:
		return platform{}, fmt.Errorf("%s has no API for server-side events", e.Code)
	case e.URL == "" || strings.ContainsAny(e.URL, "{}"):
		return platform{}, fmt.Errorf("%s: the catalogue has no fixed api_base_url", e.Code)
	}
	p := platform{entry: e, Package: strings.ReplaceAll(e.Code, "_", ""), Version: "v1"}
	if m := urlVersion.FindStringSubmatch(e.URL); m != nil {
		p.Version, p.URL = m[1], strings.TrimSuffix(e.URL, m[0])
	}
	for _, f := range e.Fields {
		if !f.Required {
			continue
		}
		if f.Secret {
			p.Secrets = append(p.Secrets, field{Field: f.Field, Ident: ident(f.Field), Example: "token-of-" + e.Code})
			continue
		}
		s, err := setting(f.Field, f.Format)
		if err != nil {
			return platform{}, fmt.Errorf("%s: %w", e.Code, err)
		}
		p.Settings = append(p.Settings, s)
	}
	if len(p.Settings)+len(p.Secrets) == 0 {
		return platform{}, fmt.Errorf("%s: the catalogue has no required credential field", e.Code)
	}
	return p, nil
}

// setting uses the catalogue's format if it is a regular expression.
func setting(name, formatText string) (field, error) {
	f := field{Field: name, Ident: ident(name), Form: anyForm}
	if strings.HasPrefix(formatText, "^") {
		f.Form = formatText
	}
	form, err := regexp.Compile(f.Form)
	if err != nil {
		return field{}, fmt.Errorf("%s: %w", name, err)
	}
	for _, example := range []string{"1234567890", "bosley_1", "G-1234567", "a1b2c"} {
		if form.MatchString(example) {
			f.Example = example
			return f, nil
		}
	}
	return field{}, fmt.Errorf("%s: no example fits %s", name, f.Form)
}

// ident returns a field's name as part of a Go identifier.
func ident(name string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(name, "_") {
		switch part {
		case "id", "api", "url":
			b.WriteString(strings.ToUpper(part))
		case "":
		default:
			b.WriteString(strings.ToUpper(part[:1]) + part[1:])
		}
	}
	return b.String()
}

// Import returns the line that imports the package, with the package's name if the folder has another.
func (p platform) Import() string {
	line := `"relay/adapters/` + p.Code + `"`
	if p.Package != p.Code {
		return p.Package + " " + line
	}
	return line
}

// Token returns the secret that is sent as a bearer token; nil if there is none.
func (p platform) Token() *field { return first(p.Secrets) }

// Account returns the setting that identifies the account; nil if there is none.
func (p platform) Account() *field { return first(p.Settings) }

func first(fields []field) *field {
	if len(fields) == 0 {
		return nil
	}
	return &fields[0]
}
