package db

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun/migrate"
)

//go:embed migrations
var migrationFiles embed.FS

// Names of the relay's own tables: the database may be shared with OMS.
const (
	migrationsTable     = "relay_migrations"
	migrationLocksTable = "relay_migration_locks" // bun creates it; the lock is GET_LOCK, see locked
	adoptionsTable      = "relay_adoptions"       // changes to tables of the earlier service
	migrateLockWait     = 60 * time.Second

	tablesMigration = "20261123100000" // creates the six tables
)

// Report is the result of a migration.
type Report struct {
	Applied     []string // migrations, in order
	Platforms   []string // codes added to the catalogue
	Corrected   []string // platforms of the catalogue, with the fields that this release corrected
	Left        []string // likewise, with the fields that it would correct but an admin has changed
	Changes     []string // changes to existing tables, as text
	Differences []string // differences that were left, as text
}

// Migration is one step of the schema.
type Migration struct {
	Name    string
	Applied bool
	At      time.Time // when it was applied
}

// ErrAdopted refuses to undo the schema if tables of the earlier service were adopted: that would drop its rows.
var ErrAdopted = errors.New("the tables hold rows of the earlier service; drop them by hand to delete those rows")

// Up applies the missing migrations, and adds and corrects the platforms of
// the catalogue. It completes an Up or
// Down that was killed. On a database with tables of the earlier service it drops nothing: it adds missing parts and reports
// differences.
func (s *Store) Up(ctx context.Context) (Report, error) {
	var r Report
	err := s.locked(ctx, func(pool *sql.DB) error {
		taken, err := takesOver(ctx, pool)
		if err != nil {
			return err
		}
		m, err := newMigrator(pool, func(ctx context.Context, pool *sql.DB) error {
			if !taken { // and needs no right to create temporary tables
				return nil
			}
			return adopt(ctx, pool, &r)
		})
		if err != nil {
			return err
		}
		if err := m.Init(ctx); err != nil {
			return err
		}
		group, err := m.Migrate(ctx)
		for _, applied := range group.Migrations {
			if applied.IsApplied() {
				r.Applied = append(r.Applied, applied.String())
			}
		}
		if err != nil {
			return err
		}
		if err := joinGroup(ctx, pool); err != nil {
			return err
		}
		if err := forgetBegun(ctx, pool); err != nil {
			return err
		}
		return s.seedCatalogue(ctx, pool, &r)
	})
	return r, wrap("migrate up", err)
}

// Undo is what a Down is about to do.
type Undo struct {
	Steps []string // migrations, the last one first
	// DropsAll reports that the migration that made the tables is among them: no row remains.
	DropsAll bool
}

// Down undoes the migrations that the last Up applied or began, and returns their names. agree is called before the first one,
// while no other process can migrate, so that what it agrees to is what is done; its error ends Down with nothing undone.
func (s *Store) Down(ctx context.Context, agree func(Undo) error) ([]string, error) {
	var undone []string
	err := s.locked(ctx, func(pool *sql.DB) error {
		m, err := newMigrator(pool, nil)
		if err != nil {
			return err
		}
		if err := m.Init(ctx); err != nil {
			return err
		}
		plan, err := lastSteps(ctx, pool, m)
		if err != nil || len(plan) == 0 {
			return err
		}
		if err := agree(undoOf(plan)); err != nil {
			return err
		}
		for _, step := range plan {
			if err := undo(ctx, pool, m, step); err != nil {
				return err
			}
			undone = append(undone, step.String())
		}
		return nil
	})
	return undone, wrap("migrate down", err)
}

// lastSteps returns the migrations of the last Up, the last one first. It refuses what cannot be undone before anything is.
func lastSteps(ctx context.Context, pool *sql.DB, m *migrate.Migrator) (migrate.MigrationSlice, error) {
	group, err := lastGroup(ctx, pool)
	if err != nil {
		return nil, err
	}
	if group[tablesMigration] {
		if err := refuseAdopted(ctx, pool); err != nil {
			return nil, err
		}
	}
	known, err := m.MigrationsWithStatus(ctx)
	if err != nil {
		return nil, err
	}
	if n := unknownOf(group, known); n > 0 {
		return nil, fmt.Errorf("a newer release applied %d migrations that this one does not know: undo them with that release", n)
	}
	var steps migrate.MigrationSlice
	for _, step := range slices.Backward(known) {
		if group[step.Name] {
			steps = append(steps, step)
		}
	}
	return steps, nil
}

func undoOf(plan migrate.MigrationSlice) Undo {
	var u Undo
	for _, step := range plan {
		u.Steps = append(u.Steps, step.String())
		u.DropsAll = u.DropsAll || step.Name == tablesMigration
	}
	return u
}

// unknownOf counts the migrations of a group that this binary does not have.
func unknownOf(group map[string]bool, known migrate.MigrationSlice) int {
	n := len(group)
	for _, step := range known {
		if group[step.Name] {
			n--
		}
	}
	return n
}

// MigrationStatus lists the migrations of this binary, in order.
func (s *Store) MigrationStatus(ctx context.Context) ([]Migration, error) {
	known, err := newMigrations(nil)
	if err != nil {
		return nil, err
	}
	applied, err := s.applied(ctx)
	if err != nil {
		return nil, wrap("read the migrations", err)
	}
	var list []Migration
	for _, m := range known.Sorted() {
		at, ok := applied[m.Name]
		list = append(list, Migration{Name: m.String(), Applied: ok, At: at})
	}
	return list, nil
}

// Current reports whether every migration of this binary has been applied. A database that a newer binary has migrated
// further is current too.
func (s *Store) Current(ctx context.Context) (bool, error) {
	list, err := s.MigrationStatus(ctx)
	for _, m := range list {
		if !m.Applied {
			return false, err
		}
	}
	return err == nil, err
}

func (s *Store) applied(ctx context.Context) (map[string]time.Time, error) {
	rows, err := s.sql.QueryContext(ctx, "SELECT name, migrated_at FROM "+migrationsTable)
	if isNumber(err, errNoSuchTable) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	applied := map[string]time.Time{}
	for rows.Next() {
		var name string
		var at time.Time
		if err := rows.Scan(&name, &at); err != nil {
			return nil, err
		}
		applied[name] = at
	}
	return applied, rows.Err()
}

func newMigrator(pool *sql.DB, adopt func(context.Context, *sql.DB) error) (*migrate.Migrator, error) {
	migrations, err := newMigrations(adopt)
	if err != nil {
		return nil, err
	}
	return migrate.NewMigrator(newBun(pool), migrations, migrate.WithTableName(migrationsTable),
		migrate.WithLocksTableName(migrationLocksTable), migrate.WithMarkAppliedOnSuccess(true)), nil
}

// newMigrations returns the embedded files and, ordered by name among them, the steps that need Go.
func newMigrations(adopt func(context.Context, *sql.DB) error) (*migrate.Migrations, error) {
	found := migrate.NewMigrations()
	if err := found.Discover(migrationFiles); err != nil {
		return nil, err
	}
	ms := migrate.NewMigrations()
	for _, m := range found.Sorted() {
		file := "migrations/" + m.String()
		m.Up, m.Down = begins(script(file+".up.sql")), script(file+".down.sql")
		ms.Add(m)
	}
	step := func(name, comment string, up stepFunc) {
		ms.Add(migrate.Migration{Name: name, Comment: comment, Up: up}) // dropping the tables undoes it
	}
	step("20261123100001", "adopt", func(ctx context.Context, m *migrate.Migrator, _ *migrate.Migration) error {
		return adopt(ctx, m.DB().DB)
	})
	// Every Up seeds the catalogue at its end. The step stays, because an older binary looks for it.
	step("20261123100002", "catalogue", func(context.Context, *migrate.Migrator, *migrate.Migration) error { return nil })
	return ms, nil
}

// locked runs f while only this process migrates the database. The lock is the server's own and ends with its connection;
// bun's is a row, which a killed process would leave behind. f receives a pool without a read time-out, because changing a
// large table can take hours.
func (s *Store) locked(ctx context.Context, f func(*sql.DB) error) error {
	config := s.config.Clone()
	config.ReadTimeout, config.WriteTimeout = 0, 0
	config.RejectReadOnly = false // its error says more than a dropped connection
	pool, err := newPool(config, 4, s.wrap)
	if err != nil {
		return err
	}
	defer func() { _ = pool.Close() }()
	conn, err := pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	sum := sha256.Sum256([]byte(config.DBName))
	name := "relay_migrate_" + hex.EncodeToString(sum[:8]) // locks are the server's, not the database's
	var got sql.NullInt64
	if err := conn.QueryRowContext(ctx, "SELECT GET_LOCK(?, ?)", name, int(migrateLockWait.Seconds())).Scan(&got); err != nil {
		return err
	}
	if got.Int64 != 1 {
		return fmt.Errorf("another process has been migrating this database for %s", migrateLockWait)
	}
	return f(pool)
}
