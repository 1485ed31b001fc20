package main

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"text/template"

	"relay/internal/relay"
)

//go:embed text
var texts embed.FS

// platform is an entry of the catalogue.
type platform struct {
	Code        string       `json:"code"`
	Name        string       `json:"name"`
	Vendor      string       `json:"vendor"`
	Category    string       `json:"category"`
	Tier        int          `json:"tier"`
	BaseURL     string       `json:"api_base_url"`
	Auth        string       `json:"auth"`
	Credentials []credential `json:"credentials"`
	DocsURL     string       `json:"docs_url"`
	ServerSide  bool         `json:"server_side_events_api"`
	Limits      relay.Limits `json:"limits"`
	Confirmed   bool         `json:"confirmed"`
	Adapter     bool         `json:"-"`
}

type credential struct {
	Field       string `json:"field"`
	Secret      bool   `json:"secret"`
	Required    bool   `json:"required"`
	Format      string `json:"format"`
	Description string `json:"description"`
}

// titles holds the categories in the order of the page.
var titles = []struct{ code, title string }{
	{"ads", "Advertising"}, {"affiliate", "Affiliate networks"}, {"analytics", "Analytics"}, {"attribution", "Attribution"},
	{"cdp", "Customer data platforms"}, {"email_crm", "E-mail and CRM"}, {"experimentation", "Experiments"}, {"tag_manager", "Tag managers"},
}

// category is one table of the page.
type category struct {
	Title     string
	Platforms []platform
}

// page is the data of the templates.
type page struct {
	Platforms  []platform
	Adapters   []section
	Names      []row
	Proposals  []row
	Categories []category
}

// section is a platform that has an adapter.
type section struct {
	platform
	implemented
}

// Anchor returns the fragment that GitHub derives from the heading of this name.
func (s section) Anchor() string {
	return strings.NewReplacer(" ", "-", "(", "", ")", "", "&", "", ".", "").Replace(strings.ToLower(s.Name))
}

// render renders the page from the catalogue's JSON.
func render(catalogue []byte) ([]byte, error) {
	p, err := newPage(catalogue)
	if err != nil {
		return nil, err
	}
	t, err := template.New("").Funcs(template.FuncMap{"fields": fields, "address": address, "platform": linked, "list": list, "cell": cell}).
		ParseFS(texts, "text/*.md")
	if err != nil {
		return nil, err
	}
	if _, err := t.New("credentials").Parse(credentials); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := t.ExecuteTemplate(&out, "intro.md", p); err != nil {
		return nil, err
	}
	for _, s := range p.Adapters {
		fmt.Fprintf(&out, "\n## %s\n\n", s.Name)
		if err := t.ExecuteTemplate(&out, s.Code+".md", s); err != nil {
			return nil, err
		}
		if n := s.Limits.PerSecond; n > 0 {
			fmt.Fprintf(&out, "\n**Limits.** %v requests a second for each storefront, until an admin changes the platform's `limits`. "+
				"Storefronts that share an account at the vendor share its rate: set lower ones for them.\n", n)
		}
		fmt.Fprintf(&out, "\nThe vendor's documentation: <%s>\n", s.DocsURL)
	}
	out.WriteString("\n")
	if err := t.ExecuteTemplate(&out, "catalogue.md", p); err != nil {
		return nil, err
	}
	return []byte(wrap(strings.TrimSpace(out.String())) + "\n"), nil
}

// credentials is the template of the table of a platform's credential fields.
const credentials = `| credential field | | |
|---|---|---|
{{range .Credentials}}| ` + "`{{.Field}}`" + ` | {{if .Secret}}secret{{else}}public{{end}}, {{if .Required}}required{{else}}optional{{end}} | {{cell .Description}}{{if .Format}} ({{cell .Format}}){{end}} |
{{end}}`

func newPage(catalogue []byte) (page, error) {
	var p page
	if err := json.Unmarshal(catalogue, &p.Platforms); err != nil {
		return page{}, fmt.Errorf("read the catalogue: %w", err)
	}
	for i := range p.Platforms {
		_, p.Platforms[i].Adapter = platforms[p.Platforms[i].Code]
	}
	for _, code := range order {
		i := slices.IndexFunc(p.Platforms, func(p platform) bool { return p.Code == code })
		if i < 0 {
			return page{}, fmt.Errorf("the catalogue has no %s", code)
		}
		p.Adapters = append(p.Adapters, section{p.Platforms[i], platforms[code]})
	}
	p.Names = rows(p.Adapters, func(s section) map[string]string { return s.Default })
	p.Proposals = rows(p.Adapters, func(s section) map[string]string { return s.Proposed })
	listed := 0
	for _, t := range titles {
		c := category{Title: t.title}
		for _, x := range p.Platforms {
			if x.Category == t.code {
				c.Platforms = append(c.Platforms, x)
			}
		}
		slices.SortStableFunc(c.Platforms, func(a, b platform) int { return a.Tier - b.Tier })
		p.Categories = append(p.Categories, c)
		listed += len(c.Platforms)
	}
	if listed != len(p.Platforms) {
		return page{}, fmt.Errorf("%d platforms have a category without a title", len(p.Platforms)-listed)
	}
	return p, nil
}
