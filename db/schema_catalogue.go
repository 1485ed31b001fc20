package db

import (
	"context"
	"encoding/json"
	"fmt"

	"relay/internal/ops"
)

// catalogueEntry is one platform of the catalogue, under the names that the file uses.
type catalogueEntry struct {
	Code        string                `json:"code"`
	Name        string                `json:"name"`
	Vendor      string                `json:"vendor"`
	Category    string                `json:"category"`
	Tier        int                   `json:"tier"`
	APIBaseURL  string                `json:"api_base_url"`
	Auth        string                `json:"auth"`
	Credentials []ops.CredentialField `json:"credentials"`
	DocsURL     string                `json:"docs_url"`
	ServerSide  bool                  `json:"server_side_events_api"`
}

func (e catalogueEntry) row() platformRow {
	var r platformRow
	r.fill(ops.Platform{Code: e.Code, Name: e.Name, Vendor: e.Vendor, Category: e.Category, Tier: e.Tier, APIBaseURL: e.APIBaseURL,
		Auth: e.Auth, Fields: e.Credentials, DocsURL: e.DocsURL, ServerSide: e.ServerSide, Active: true})
	return r
}

// seedCatalogue adds the platforms of the catalogue that the table lacks, and returns their codes. An existing platform is
// not changed: an admin may have edited it. Up reports them; the audit holds only changes by admins.
func (s *Store) seedCatalogue(ctx context.Context, q querier) ([]string, error) {
	raw, err := migrationFiles.ReadFile("migrations/platform-catalogue.json")
	if err != nil {
		return nil, err
	}
	var catalogue []catalogueEntry
	if err := json.Unmarshal(raw, &catalogue); err != nil {
		return nil, fmt.Errorf("read the platform catalogue: %w", err)
	}
	var codes []string
	if err := s.bun.NewSelect().Conn(q).Model((*platformRow)(nil)).Column("code").Where("code IS NOT NULL").Scan(ctx, &codes); err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, code := range codes {
		known[code] = true
	}
	var missing []platformRow
	var added []string
	for _, e := range catalogue {
		if !known[e.Code] {
			missing, added = append(missing, e.row()), append(added, e.Code)
		}
	}
	if len(missing) == 0 {
		return nil, nil
	}
	// An admin may have added one of them meanwhile.
	_, err = s.bun.NewInsert().Conn(q).Model(&missing).On("DUPLICATE KEY UPDATE code = ad_analytics_platforms.code").Exec(ctx)
	return added, err
}
