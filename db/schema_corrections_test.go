package db_test

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/db"
)

// earlierCatalogue is a database as the first releases left it: their entries in place of those that have been corrected since, no
// default limits, and no record of what was seeded.
func earlierCatalogue(t *testing.T) *fixture {
	t.Helper()
	f := migrated(t)
	f.exec("ALTER TABLE ad_analytics_platforms DROP COLUMN seeded")
	f.exec("DELETE FROM relay_migrations WHERE name = '20261129021000'")
	for code, text := range db.SeededEntries(t) {
		var e struct {
			Auth        string
			Credentials json.RawMessage
			URL         string `json:"api_base_url"`
		}
		require.NoError(t, json.Unmarshal([]byte(text), &e))
		f.exec("UPDATE ad_analytics_platforms SET auth = ?, credential_fields = ?, api_base_url = NULLIF(?, ''), limits = NULL WHERE code = ?",
			e.Auth, string(e.Credentials), e.URL, code)
	}
	return f
}

// platformFields returns what a row has of the catalogue.
func (f *fixture) platformFields(code string) string {
	return f.text(`SELECT CONCAT_WS(' ', name, vendor, category, tier, api_base_url, auth, credential_fields, docs_url, server_side_events_api, is_active, limits)
		FROM ad_analytics_platforms WHERE code = ?`, code)
}

func TestUpCorrectsTheCatalogueOfAnEarlierRelease(t *testing.T) {
	t.Parallel()
	want := migrated(t)
	f := earlierCatalogue(t)
	require.NotEqual(t, want.platformFields("klaviyo"), f.platformFields("klaviyo"), "the earlier release had other rows")
	report, err := f.Up(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"20261129021000_seeded"}, report.Applied)
	require.Contains(t, strings.Join(report.Corrected, "\n"), "klaviyo: ")
	require.Empty(t, report.Left)
	for code := range db.SeededEntries(t) {
		require.Equal(t, want.platformFields(code), f.platformFields(code), code)
	}
	report, err = f.Up(t.Context())
	require.NoError(t, err)
	require.Empty(t, report.Corrected)
}

func TestUpLeavesWhatAnAdminHasChanged(t *testing.T) {
	t.Parallel()
	want := migrated(t)
	f := earlierCatalogue(t)
	f.exec(`UPDATE ad_analytics_platforms SET limits = '{"per_second":2}', name = 'By hand', is_active = 0 WHERE code = 'klaviyo'`)
	report, err := f.Up(t.Context())
	require.NoError(t, err)
	require.Contains(t, report.Left, "klaviyo: limits")
	require.NotContains(t, report.Left, "klaviyo: name", "the release does not change it")
	require.Equal(t, `By hand 0 {"per_second":2}`, f.text("SELECT CONCAT_WS(' ', name, is_active, limits) FROM ad_analytics_platforms WHERE code = 'klaviyo'"))
	require.Equal(t, want.platformFields("google_ads"), f.platformFields("google_ads"), "the others are corrected")

	f.exec("UPDATE ad_analytics_platforms SET limits = NULL WHERE code = 'klaviyo'") // an admin wants none
	report, err = f.Up(t.Context())
	require.NoError(t, err)
	require.Empty(t, report.Corrected)
	require.Empty(t, f.text("SELECT COALESCE(limits, '') FROM ad_analytics_platforms WHERE code = 'klaviyo'"))
}

// A release after this one finds its entries in the column seeded.
func TestALaterReleaseCorrectsFieldByField(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	want := f.platformFields("ga4")
	f.exec(`UPDATE ad_analytics_platforms SET auth = 'as once', tier = 2, docs_url = 'https://example.com/mine',
		seeded = JSON_SET(seeded, '$.auth', 'as once', '$.tier', 2, '$.docs_url', 'https://example.com/once') WHERE code = 'ga4'`)
	report, err := f.Up(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"ga4: tier, auth"}, report.Corrected)
	require.Equal(t, []string{"ga4: docs_url"}, report.Left)
	f.exec("UPDATE ad_analytics_platforms SET docs_url = JSON_UNQUOTE(JSON_EXTRACT(seeded, '$.docs_url')) WHERE code = 'ga4'")
	require.Equal(t, want, f.platformFields("ga4"))
}

func TestUpGivesAPlatformTheRateThatItsVendorDocuments(t *testing.T) {
	t.Parallel()
	f := earlierCatalogue(t)
	report, err := f.Up(t.Context())
	require.NoError(t, err)
	for code, perSecond := range map[string]int{"pinterest": 80, "tiktok": 1000, "reddit": 80, "google_ads": 4} {
		require.Equal(t, perSecond, f.count("SELECT JSON_EXTRACT(limits, '$.per_second') FROM ad_analytics_platforms WHERE code = '"+code+"'"), code)
		require.Contains(t, strings.Join(report.Corrected, "\n"), code+": ")
	}
}

func TestCorrectionsCanBeFinishedAfterAKillAtAnyMoment(t *testing.T) {
	t.Parallel()
	want := migrated(t)
	for n, killed := 0, true; killed; n++ {
		f := earlierCatalogue(t)
		f.exec("UPDATE ad_analytics_platforms SET api_base_url = 'https://example.com' WHERE code = 'google_ads'")
		killed = f.killed(n, f.up)
		require.NoError(t, f.up(f.Store))
		require.Equal(t, "https://example.com", f.text("SELECT api_base_url FROM ad_analytics_platforms WHERE code = 'google_ads'"))
		for code := range db.SeededEntries(t) {
			if code != "google_ads" {
				require.Equal(t, want.platformFields(code), f.platformFields(code), code)
			}
		}
		require.Zero(t, f.count("SELECT COUNT(*) FROM ad_analytics_platforms WHERE seeded IS NULL"))
	}
}

// An admin's write keeps the entry, without which a later release could not tell what the admin has changed.
func TestAnAdminsWriteKeepsTheSeededEntry(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	before := f.text("SELECT seeded FROM ad_analytics_platforms WHERE code = 'ga4'")
	require.NotEmpty(t, before)
	require.NoError(t, f.SetPlatformURL(t.Context(), "ga4", "https://example.com"))
	require.Equal(t, before, f.text("SELECT seeded FROM ad_analytics_platforms WHERE code = 'ga4'"))
}

// The first releases recorded no entries: what they seeded is in the catalogue or, if that has been corrected since, among the former
// entries. testdata/catalogue.digests has a digest of each entry.
func TestFormerEntriesAreThoseOfTheFirstReleases(t *testing.T) {
	t.Parallel()
	texts := db.SeededEntries(t)
	file, err := os.Open("testdata/catalogue.digests")
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	n := 0
	for lines := bufio.NewScanner(file); lines.Scan(); n++ {
		code, digest, _ := strings.Cut(lines.Text(), " ")
		sum := sha256.Sum256([]byte(texts[code]))
		require.Equal(t, digest, hex.EncodeToString(sum[:6]), "%s: put the entry as it was into db/migrations/platform-catalogue-former.json", code)
	}
	require.Equal(t, 153, n)
}
