package db

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"relay/internal/ops"
)

// platform is one entry of the catalogue, under the names that the file uses.
type platform struct {
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

// seedCatalogue adds the platforms of the catalogue that the table lacks, and returns their codes. A platform that is there
// stays as it is: an admin may have changed it.
func seedCatalogue(ctx context.Context, pool *sql.DB) ([]string, error) {
	raw, err := migrationFiles.ReadFile("migrations/platform-catalogue.json")
	if err != nil {
		return nil, err
	}
	var catalogue []platform
	if err := json.Unmarshal(raw, &catalogue); err != nil {
		return nil, fmt.Errorf("read the platform catalogue: %w", err)
	}
	return seed(ctx, pool, catalogue)
}

func seed(ctx context.Context, pool *sql.DB, catalogue []platform) ([]string, error) {
	known, err := platformCodes(ctx, pool)
	if err != nil {
		return nil, err
	}
	var missing []platform
	var added []string
	for _, p := range catalogue {
		if !known[p.Code] {
			missing, added = append(missing, p), append(added, p.Code)
		}
	}
	return added, insertPlatforms(ctx, pool, missing)
}

func platformCodes(ctx context.Context, q querier) (map[string]bool, error) {
	rows, err := q.QueryContext(ctx, "SELECT code FROM ad_analytics_platforms WHERE code IS NOT NULL")
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	codes := map[string]bool{}
	for rows.Next() {
		var code string
		if err := rows.Scan(&code); err != nil {
			return nil, err
		}
		codes[code] = true
	}
	return codes, rows.Err()
}

// insertPlatforms adds platforms in one statement. One of that code that is there stays as it is.
func insertPlatforms(ctx context.Context, q querier, platforms []platform) error {
	if len(platforms) == 0 {
		return nil
	}
	var args []any
	for _, p := range platforms {
		fields, err := json.Marshal(p.Credentials)
		if err != nil {
			return err
		}
		args = append(args, p.Code, p.Name, p.Vendor, p.Category, p.Tier, nullText(p.APIBaseURL), p.Auth, fields, nullText(p.DocsURL), p.ServerSide)
	}
	_, err := q.ExecContext(ctx, `INSERT INTO ad_analytics_platforms (code, name, vendor, category, tier, api_base_url, auth,
		credential_fields, docs_url, server_side_events_api) VALUES `+tuples("("+tuples("?", 10)+")", len(platforms))+`
		ON DUPLICATE KEY UPDATE code = ad_analytics_platforms.code`, args...)
	return err
}

// nullText stores an empty text as NULL.
func nullText(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }
