package db_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/db"
)

var autoIncrement = regexp.MustCompile(` AUTO_INCREMENT=\d+`)

// schema returns each table as the server prints it, and the recorded migrations.
func (f *fixture) schema() map[string]string {
	f.t.Helper()
	tables := map[string]string{}
	for _, name := range f.tables() {
		var printed, text string
		f.scan("SHOW CREATE TABLE "+name, nil, &printed, &text)
		tables[name] = autoIncrement.ReplaceAllString(text, "")
	}
	names := f.dump("relay_migrations", "name")
	slices.Sort(names)
	tables["applied"] = strings.Join(names, " ")
	tables["platforms"] = f.text("SELECT COUNT(*) FROM ad_analytics_platforms")
	return tables
}

func (f *fixture) tables() []string {
	f.t.Helper()
	rows, err := f.raw.QueryContext(f.t.Context(), "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()")
	require.NoError(f.t, err)
	defer func() { require.NoError(f.t, rows.Close()) }()
	var names []string
	for rows.Next() {
		var name string
		require.NoError(f.t, rows.Scan(&name))
		names = append(names, name)
	}
	require.NoError(f.t, rows.Err())
	slices.Sort(names)
	return names
}

// killed runs a migration in a process that is killed after n statements. It returns whether it was killed.
func (f *fixture) killed(n int, run func(*db.Store) error) bool {
	f.t.Helper()
	store, err := db.Open(db.Config{URL: f.dsn, Wrap: killAfter(n)})
	require.NoError(f.t, err)
	defer func() { require.NoError(f.t, store.Close()) }()
	err = run(store)
	if err != nil {
		require.ErrorIs(f.t, err, errKilled)
	}
	return err != nil
}

func (f *fixture) up(s *db.Store) error {
	_, err := s.Up(f.t.Context())
	return err
}

func (f *fixture) down(s *db.Store) error {
	_, err := s.Down(f.t.Context(), agree)
	return err
}

// moments calls check for kills after each number of statements, until one completes: for each number, or for every third
// one from a random one on. On MySQL, whose DDL takes several times as long, it is every eighth one.
func moments(t *testing.T, each bool, check func(t *testing.T, n int) (killed bool)) {
	t.Helper()
	const most = 400
	step := 3
	if version := empty(t).text("SELECT VERSION()"); !strings.Contains(version, "MariaDB") {
		step = 8
	} else if each {
		step = 1
	}
	first := rand.IntN(step)
	for n := first; n < most; n += step {
		killed := false
		t.Run(fmt.Sprintf("after %d statements", n), func(t *testing.T) { killed = check(t, n) })
		if !killed {
			require.Greater(t, n, 20)
			return
		}
	}
	t.Fatal("never came to its end")
}

var ownTables = []string{"relay_migration_locks", "relay_migrations"}

func TestAMigrationThatWasKilledAtAnyMomentCanBeFinished(t *testing.T) {
	t.Parallel()
	want := migrated(t).schema()
	t.Run("up", func(t *testing.T) {
		t.Parallel()
		moments(t, true, func(t *testing.T, n int) bool {
			f := empty(t) // whose first Up decides whether the tables are the relay's own
			killed := f.killed(n, f.up)
			require.NoError(t, f.up(f.Store))
			require.Equal(t, want, f.schema())
			if n%8 == 0 { // takes as long as all other steps
				require.NoError(t, f.down(f.Store), "the tables are the relay's own")
			}
			return killed
		})
	})
	t.Run("up, then down", func(t *testing.T) {
		t.Parallel()
		f := empty(t)
		moments(t, false, func(t *testing.T, n int) bool {
			killed := f.killed(n, f.up)
			require.NoError(t, f.down(f.Store))
			require.Equal(t, ownTables, f.tables(), "no table remains")
			return killed
		})
		require.NoError(t, f.up(f.Store))
		require.Equal(t, want, f.schema())
	})
	t.Run("down, then up", func(t *testing.T) {
		t.Parallel()
		moments(t, false, func(t *testing.T, n int) bool {
			f := migrated(t) // a column that is added again and again takes room in the row each time
			killed := f.killed(n, f.down)
			current, err := f.Current(t.Context())
			require.NoError(t, err)
			require.Equal(t, n < 3, current, "readiness detects a half undone migration, once it is recorded")
			require.NoError(t, f.up(f.Store))
			require.Equal(t, want, f.schema())
			return killed
		})
	})
	t.Run("down", func(t *testing.T) {
		t.Parallel()
		f := migrated(t)
		moments(t, false, func(t *testing.T, n int) bool {
			killed := f.killed(n, f.down)
			require.NoError(t, f.down(f.Store))
			require.Equal(t, ownTables, f.tables())
			require.Zero(t, f.count("SELECT COUNT(*) FROM relay_migrations"))
			require.NoError(t, f.up(f.Store))
			return killed
		})
	})
}

func TestTablesOfTheEarlierServiceAreAdoptedAfterAKillAtAnyMoment(t *testing.T) {
	t.Parallel()
	adopted := func(t *testing.T) *fixture {
		f := empty(t)
		for _, statement := range earlier {
			f.exec(statement)
		}
		return f
	}
	reference := adopted(t)
	require.NoError(t, reference.up(reference.Store))
	want := reference.schema()
	delete(want, "relay_adoptions")
	moments(t, false, func(t *testing.T, n int) bool {
		f := adopted(t)
		killed := f.killed(n, f.up)
		if killed && n > 4 { // the note, the two tables of migrations, and the first mark
			require.ErrorIs(t, f.down(f.Store), db.ErrAdopted, "while the migration is incomplete")
		}
		require.NoError(t, f.up(f.Store))
		have := f.schema()
		delete(have, "relay_adoptions")
		require.Equal(t, want, have)
		require.ErrorIs(t, f.down(f.Store), db.ErrAdopted)
		require.Equal(t, 2, f.count("SELECT COUNT(*) FROM marketing_events"))
		return killed
	})
}

// An earlier release left no marks.
func TestEveryMigrationCanBeAppliedToADatabaseThatHasIt(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	want := f.schema()
	f.exec("DELETE FROM relay_migrations WHERE name > '20261123100002'")
	f.exec("ALTER TABLE marketing_events DROP KEY ix_marketing_events_status")
	require.NoError(t, f.up(f.Store))
	require.Equal(t, want, f.schema(), "one clause of several was missing")
}

func TestMigrationsHoldOnlyStatementsThatCanBeRepeated(t *testing.T) {
	t.Parallel()
	repeatable := regexp.MustCompile(`(?is)^(CREATE TABLE IF NOT EXISTS|DROP TABLE IF EXISTS|UPDATE|DELETE|INSERT INTO .* ON DUPLICATE KEY|INSERT INTO .* WHERE NOT EXISTS)\s`)
	clause := regexp.MustCompile(`(?is)^(ADD (COLUMN|KEY|INDEX|UNIQUE KEY|UNIQUE INDEX|CONSTRAINT) |DROP (COLUMN|KEY|INDEX|CONSTRAINT|CHECK) |MODIFY COLUMN |ALTER COLUMN )`)
	for file, statements := range db.MigrationStatements(t) {
		require.NotEmpty(t, statements, file)
		for _, statement := range statements {
			clauses := db.AlterClauses(statement)
			for _, c := range clauses {
				require.Regexp(t, clause, c, "%s: such a clause cannot be executed twice, or execAgain does not know it", file)
			}
			if clauses == nil {
				require.Regexp(t, repeatable, statement, "%s: a killed migration executes it again", file)
			}
		}
	}
}

func TestCatalogueIsSeededAfterEveryUp(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	f.exec("DELETE FROM ad_analytics_platforms WHERE code = 'ga4'") // as a release that adds the entry finds it
	f.exec("UPDATE ad_analytics_platforms SET name = 'by hand', is_active = 0 WHERE code = 'meta_capi'")
	report, err := f.Up(t.Context())
	require.NoError(t, err)
	require.Empty(t, report.Applied)
	require.Equal(t, []string{"ga4"}, report.Platforms)
	require.Equal(t, catalogueSize(t), f.count("SELECT COUNT(*) FROM ad_analytics_platforms"))
	require.Equal(t, "by hand0", f.text("SELECT CONCAT(name, is_active) FROM ad_analytics_platforms WHERE code = 'meta_capi'"))
	report, err = f.Up(t.Context())
	require.NoError(t, err)
	require.Empty(t, report.Platforms)
}

func TestDownRefusesWhatANewerReleaseApplied(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	f.exec("INSERT INTO relay_migrations (name, group_id) VALUES ('20991231235959', 9)")
	require.ErrorContains(t, f.down(f.Store), "a newer release")
	current, err := f.Current(t.Context())
	require.NoError(t, err)
	require.True(t, current)
}
