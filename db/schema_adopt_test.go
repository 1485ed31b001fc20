package db_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/db"
	"relay/internal/ops"
	"relay/internal/relay"
)

// earlier are tables as the earlier service may have left them: the brief's column contract, and columns, types and rows of
// its own.
var earlier = []string{
	`CREATE TABLE storefronts (id INT PRIMARY KEY AUTO_INCREMENT, storefront_id VARCHAR(50) NOT NULL UNIQUE, name VARCHAR(100) NOT NULL,
		is_active TINYINT(1) NOT NULL DEFAULT 1, owner_email VARCHAR(255) NOT NULL, created_at DATETIME NOT NULL, KEY by_owner (owner_email))`,
	`INSERT INTO storefronts (id, storefront_id, name, owner_email, created_at) VALUES (5, 'bosley', 'Bosley', 'x@example.com', '2025-01-01 00:00:00')`,
	`CREATE TABLE marketing_events (id INT PRIMARY KEY AUTO_INCREMENT, event_id VARCHAR(100) NOT NULL, storefront_id INT NULL,
		storefront_code VARCHAR(50) NULL, event_type VARCHAR(50) NOT NULL, event_payload TEXT NOT NULL, source_system VARCHAR(50) NOT NULL,
		status VARCHAR(20) NOT NULL, retry_count INT NOT NULL DEFAULT 0, last_error TEXT NULL,
		CONSTRAINT fk_events_storefront FOREIGN KEY (storefront_id) REFERENCES storefronts (id))`,
	`INSERT INTO marketing_events (event_id, storefront_id, event_type, event_payload, source_system, status) VALUES
		('old', 5, 'purchase_completed', '{}', 'oms', 'sent'), ('waiting', 5, 'purchase_completed', '{}', 'oms', 'pending')`,
	`CREATE TABLE event_attempts (id INT PRIMARY KEY AUTO_INCREMENT, event_id INT NOT NULL, attempt_number INT NOT NULL,
		status VARCHAR(20) NOT NULL DEFAULT 'failed', response_body TEXT)`,
	`INSERT INTO event_attempts (event_id, attempt_number) VALUES (1, 1), (1, 2)`,
	`CREATE TABLE ad_analytics_platforms (id INT PRIMARY KEY AUTO_INCREMENT, code VARCHAR(50) NOT NULL UNIQUE, name VARCHAR(255) NOT NULL,
		is_active BOOL NOT NULL DEFAULT 1)`,
	`INSERT INTO ad_analytics_platforms (code, name, is_active) VALUES ('ga4', 'Google, by hand', 0)`,
	`CREATE TABLE orders (id INT PRIMARY KEY)`,
}

func TestTablesOfTheEarlierServiceAreAdopted(t *testing.T) {
	t.Parallel()
	f := empty(t)
	for _, statement := range earlier {
		f.exec(statement)
	}
	report, err := f.Up(t.Context())
	require.NoError(t, err)
	all := strings.Join(append(report.Changes, report.Differences...), "\n")
	for _, says := range []string{
		"marketing_events: column run_id added",
		"marketing_events: unique key uq_marketing_events_event added",
		"marketing_events has the unknown column `retry_count` int",
		"marketing_events has the foreign key",
		"marketing_events could not be changed (check ck_marketing_events_status added)",
		"marketing_events has the column `id` int",
		"storefronts has the unknown column `owner_email` varchar(255)",
		"storefronts: unknown column owner_email may be empty",
		"storefronts has the column `name` varchar(100)",
		"storefronts: column created_at got a default",
		"event_attempts: column attempt_id added, empty in existing rows",
		"event_attempts: unknown column attempt_number may be empty",
		"ad_analytics_platforms: column credential_fields added",
	} {
		require.Contains(t, all, says)
	}

	require.Equal(t, 2, f.count("SELECT COUNT(*) FROM marketing_events"))
	require.Equal(t, 2, f.count("SELECT COUNT(*) FROM event_attempts"))
	require.Equal(t, "sent", f.text("SELECT status FROM marketing_events WHERE event_id = 'old'"))
	require.Equal(t, "Google, by hand 0", f.text("SELECT CONCAT(name, ' ', is_active) FROM ad_analytics_platforms WHERE code = 'ga4'"))
	require.Equal(t, catalogueSize(t), f.count("SELECT COUNT(*) FROM ad_analytics_platforms"))

	again, err := f.Up(t.Context())
	require.NoError(t, err)
	require.Empty(t, again.Applied)
	_, err = f.Down(t.Context(), agree)
	require.ErrorIs(t, err, db.ErrAdopted)
	require.Equal(t, 2, f.count("SELECT COUNT(*) FROM marketing_events"))
	current, err := f.Current(t.Context())
	require.NoError(t, err)
	require.True(t, current, "nothing was undone")
	f.worksOnAdoptedTables()
}

// worksOnAdoptedTables delivers an event of the earlier service's tables from claim to end.
func (f *fixture) worksOnAdoptedTables() {
	t := f.t
	f.storefront("pfizer")
	require.NoError(t, f.PutSGTM(t.Context(), 5, theContainer))
	require.NoError(t, f.PutCredential(t.Context(), 5, ops.Credential{Platform: "ga4", Active: true}))
	stored := f.insert(newEvents(0, 3, 5, "bosley"))
	f.exec(`INSERT INTO marketing_events (event_id, storefront_code, event_type, event_payload, source_system, status)
		VALUES ('by code', 'bosley', 'x', '{}', 'oms_direct', 'pending')`)
	starts := f.claim(aPage)
	require.Len(t, starts, 5)
	require.Equal(t, "waiting", starts[0].EventID)
	id := stored[1].ID
	f.taken(id, "run")
	s, err := f.Switches(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, []relay.PlatformSwitch{{Code: "ga4", CredentialActive: true}}, s.Platforms)
	require.NoError(t, f.RecordSending(t.Context(), anAttempt(id)))
	d, err := f.Delivery(t.Context(), id, "run", "sgtm")
	require.NoError(t, err)
	require.Equal(t, 2, d.LastNumber)
	require.NoError(t, f.Finish(t.Context(), id, "run", relay.EventOutcome{Status: relay.StatusDelivered}))
	attempts, err := f.Attempts(t.Context(), id)
	require.NoError(t, err)
	require.Len(t, attempts, 1)
}

func TestARowThatTheEarlierServiceWasSendingIsFoundAndReopened(t *testing.T) {
	t.Parallel()
	f := empty(t)
	f.exec(earlier[0])
	f.exec(earlier[1])
	f.exec(earlier[2])
	f.exec(strings.Replace(earlier[3], "'pending'", "'processing'", 1))
	_, err := f.Up(t.Context())
	require.NoError(t, err)
	rows, err := f.Processing(t.Context(), nil, 10)
	require.NoError(t, err)
	require.Len(t, rows, 1)
	require.Empty(t, rows[0].Run)

	reopened, err := f.Reopen(t.Context(), rows[0].ID, rows[0].Run)
	require.NoError(t, err)
	require.True(t, reopened)
	require.Len(t, f.claim(aPage), 1)
}

func TestRowsThatViolateTheUniqueKeyStopTheMigration(t *testing.T) {
	t.Parallel()
	f := empty(t)
	f.exec(earlier[0])
	f.exec(earlier[1])
	f.exec(earlier[2])
	f.exec(earlier[3])
	f.exec(strings.Replace(earlier[3], "'old'", "'other'", 1))
	report, err := f.Up(t.Context())
	require.ErrorContains(t, err, "unique key uq_marketing_events_event added")
	require.NotContains(t, err.Error(), "waiting", "no data in errors")
	require.Equal(t, []string{"20261123100000_tables"}, report.Applied)
	current, err := f.Current(t.Context())
	require.NoError(t, err)
	require.False(t, current)

	f.exec("DELETE FROM marketing_events WHERE id = 4")
	report, err = f.Up(t.Context())
	require.NoError(t, err)
	require.Equal(t, "20261123100001_adopt", report.Applied[0])
}

func TestTablesWithOnlyTheContractsColumnsAreAdopted(t *testing.T) {
	t.Parallel()
	f := empty(t)
	f.exec(`CREATE TABLE marketing_events (event_id VARCHAR(100) NOT NULL, storefront_id INT, storefront_code VARCHAR(50),
		event_type VARCHAR(50) NOT NULL, event_payload TEXT NOT NULL, source_system VARCHAR(50) NOT NULL, status VARCHAR(20) NOT NULL)`)
	f.exec(insertByCode)
	_, err := f.Up(t.Context())
	require.NoError(t, err)
	f.storefront("bosley")
	require.Len(t, f.claim(aPage), 1)
	require.Equal(t, "2025020100003333", f.text("SELECT event_id FROM marketing_events WHERE id = 1"))
}

func TestMigrationWaitsForAnotherAndNotForAKilledOne(t *testing.T) {
	t.Parallel()
	f := empty(t)
	errs := make(chan error, 3)
	for range 3 {
		go func() {
			_, err := f.Up(t.Context())
			errs <- err
		}()
	}
	for range 3 {
		require.NoError(t, <-errs)
	}
	list, err := f.MigrationStatus(t.Context())
	require.NoError(t, err)
	require.Equal(t, len(list), f.count("SELECT COUNT(*) FROM relay_migrations"), "each was applied once")

	// The leftovers of a killed migration: bun's row, and a lost connection.
	f.exec("INSERT INTO relay_migration_locks (table_name) VALUES ('relay_migrations')")
	start := time.Now()
	_, err = f.Up(t.Context())
	require.NoError(t, err)
	require.Less(t, time.Since(start), 10*time.Second)
}

func TestStatusListsMigrations(t *testing.T) {
	t.Parallel()
	f := empty(t)
	list, err := f.MigrationStatus(t.Context())
	require.NoError(t, err)
	for _, m := range list {
		require.False(t, m.Applied)
	}
	_, err = f.Up(t.Context())
	require.NoError(t, err)
	list, err = f.MigrationStatus(t.Context())
	require.NoError(t, err)
	require.True(t, list[2].Applied)
	require.WithinDuration(t, time.Now(), list[2].At, time.Minute)

	f.exec("INSERT INTO relay_migrations (name, group_id) VALUES ('20991231235959', 9)")
	current, err := f.Current(t.Context())
	require.NoError(t, err)
	require.True(t, current, "a newer binary has migrated further")
}
