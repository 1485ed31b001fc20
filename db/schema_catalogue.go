package db

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"relay/internal/ops"
	"relay/internal/relay"
)

const (
	catalogueFile = "migrations/platform-catalogue.json"
	// formerFile holds the entries as the releases seeded them that did not record it, where they have been corrected since.
	formerFile = "migrations/platform-catalogue-former.json"
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
	Limits      relay.Limits          `json:"limits,omitzero"`
}

func (e catalogueEntry) row() platformRow {
	var r platformRow
	r.fill(ops.Platform{Code: e.Code, Name: e.Name, Vendor: e.Vendor, Category: e.Category, Tier: e.Tier, APIBaseURL: e.APIBaseURL,
		Auth: e.Auth, Fields: e.Credentials, DocsURL: e.DocsURL, ServerSide: e.ServerSide, Active: true, Limits: e.Limits})
	return r
}

func readCatalogue(file string) ([]catalogueEntry, error) {
	raw, err := migrationFiles.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var catalogue []catalogueEntry
	if err := json.Unmarshal(raw, &catalogue); err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	return catalogue, nil
}

// seedCatalogue adds the platforms of the catalogue that the table lacks, and corrects those of an earlier release (see corrections).
// Up reports both; the audit holds only changes by admins.
func (s *Store) seedCatalogue(ctx context.Context, q querier, r *Report) error {
	catalogue, err := readCatalogue(catalogueFile)
	if err != nil {
		return err
	}
	var have []platformRow
	if err := s.bun.NewSelect().Conn(q).Model(&have).Where("code IS NOT NULL").Scan(ctx); err != nil {
		return err
	}
	var missing []platformRow
	for _, e := range catalogue {
		if !slices.ContainsFunc(have, func(r platformRow) bool { return r.Code == e.Code }) {
			missing, r.Platforms = append(missing, e.row()), append(r.Platforms, e.Code)
		}
	}
	if len(missing) > 0 { // an admin may have added one of them meanwhile
		_, err := s.bun.NewInsert().Conn(q).Model(&missing).On("DUPLICATE KEY UPDATE code = ad_analytics_platforms.code").Exec(ctx)
		if err != nil {
			return err
		}
	}
	c, err := s.newCorrections(ctx, q, r)
	if err != nil {
		return err
	}
	for _, e := range catalogue {
		if i := slices.IndexFunc(have, func(r platformRow) bool { return r.Code == e.Code }); i >= 0 {
			if err := c.correct(ctx, have[i], e); err != nil {
				return err
			}
		}
	}
	return c.record(ctx, catalogue)
}
