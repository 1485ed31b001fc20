package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"

	"relay/cmd/cli"
	"relay/db"
	"relay/workflows"
)

func migrateCommand() *cobra.Command {
	c := cli.Group("migrate", "Bring the database's tables up or down, or list them")
	c.AddCommand(
		migration("up", "Apply what is missing, and register search attributes", func(c *cobra.Command, s *db.Store) error {
			return migrateUp(c.Context(), s, c.OutOrStdout())
		}),
		migrateDown(),
		migration("status", "List migrations, applied and not", func(c *cobra.Command, s *db.Store) error {
			return migrateStatus(c.Context(), s, c.OutOrStdout())
		}),
	)
	return c
}

func migration(name, short string, f func(*cobra.Command, *db.Store) error) *cobra.Command {
	return &cobra.Command{
		Use:   name,
		Short: short,
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			var cfg Database
			if err := parse(&cfg); err != nil {
				return err
			}
			store, err := db.Open(db.Config{URL: cfg.URL.Reveal()})
			if err != nil {
				return fmt.Errorf("DATABASE_URL: %w", err)
			}
			defer func() { _ = store.Close() }()
			return f(c, store)
		},
	}
}

const flagDropAll = "drop-all-data"

func migrateDown() *cobra.Command {
	var yes, dropAll bool
	c := migration("down", "Revert the migrations of the last up", func(c *cobra.Command, s *db.Store) error {
		undone, err := s.Down(c.Context(), func(u db.Undo) error {
			if u.DropsAll && !dropAll {
				return errors.New("nothing was reverted: the last up made this database's tables, so that every event, storefront, credential and the audit " +
					"would be dropped; set --" + flagDropAll + " if you want that. An older release needs no migrate down: it works on newer tables")
			}
			if yes {
				return nil
			}
			return askDown(c, u)
		})
		show(c.OutOrStdout(), "reverted", undone)
		if err == nil && len(undone) == 0 {
			err = errors.New("nothing was reverted: no migration is applied")
		}
		return err
	})
	c.Long = "Lists the migrations that the last up applied, asks, and reverts them; columns and tables that they added are dropped with what is in them. The first up of " +
		"a database makes all its tables: reverting it drops all data, and is refused without --" + flagDropAll + ". Tables of the earlier service are never dropped."
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	c.Flags().BoolVar(&dropAll, flagDropAll, false, "revert even the migration that made the tables: drop all data")
	return c
}

// askDown shows what is to be reverted, and asks.
func askDown(c *cobra.Command, u db.Undo) error {
	show(c.OutOrStdout(), "to be reverted", u.Steps)
	question := "Revert them? What they added is dropped."
	if u.DropsAll {
		question = "Revert them? ALL DATA of the relay in this database is dropped. This cannot be undone."
	}
	return cli.Confirm(c.Context(), c.InOrStdin(), c.OutOrStdout(), question, "reverted")
}

func migrateUp(ctx context.Context, s *db.Store, w io.Writer) error {
	r, err := s.Up(ctx)
	show(w, "applied", r.Applied)
	show(w, "changed", r.Changes)
	show(w, "differs, left as it is", r.Differences)
	show(w, "corrected in the catalogue", r.Corrected)
	show(w, "left as an admin changed it", r.Left)
	if n := len(r.Platforms); n > 0 {
		_, _ = fmt.Fprintf(w, "platforms added to the catalogue: %d\n", n)
	}
	if err != nil {
		return err
	}
	if err := registerSearch(ctx); err != nil {
		_, _ = fmt.Fprintln(w, "warning: deliveries will not be searchable by storefront, type, id and destination:", err)
		return nil
	}
	_, _ = fmt.Fprintln(w, "search attributes registered with Temporal")
	return nil
}

func show(w io.Writer, label string, lines []string) {
	for _, l := range lines {
		_, _ = fmt.Fprintf(w, "%s: %s\n", label, l)
	}
}

func migrateStatus(ctx context.Context, s *db.Store, w io.Writer) error {
	list, err := s.MigrationStatus(ctx)
	for _, m := range list {
		state := "not applied"
		if m.Applied {
			state = "applied " + m.At.UTC().Format(time.RFC3339)
		}
		_, _ = fmt.Fprintf(w, "%-40s %s\n", m.Name, state)
	}
	return err
}

// registerSearch registers the search attributes for the Web UI; deliveries work without them.
func registerSearch(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var t Temporal
	if err := t.connect(); err != nil {
		return err
	}
	t.options.Logger = quiet{}
	c, err := client.DialContext(ctx, t.options)
	if err != nil {
		return fmt.Errorf("temporal does not respond at %s", t.options.HostPort)
	}
	defer c.Close()
	return workflows.RegisterSearchAttributes(ctx, c, t.options.Namespace)
}

// quiet keeps the SDK's lines out of a command's output.
type quiet struct{}

func (quiet) Debug(string, ...any) {}
func (quiet) Info(string, ...any)  {}
func (quiet) Warn(string, ...any)  {}
func (quiet) Error(string, ...any) {}
