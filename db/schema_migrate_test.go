package db_test

import (
	"encoding/json"
	"errors"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/db"
)

var errRefused = errors.New("not agreed to")

func agree(db.Undo) error { return nil }

func TestMigrationsGoUpAndDownAndUpAgain(t *testing.T) {
	t.Parallel()
	f := empty(t)
	current, err := f.Current(t.Context())
	require.NoError(t, err)
	require.False(t, current)

	report, err := f.Up(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"20261123100000_tables", "20261123100001_adopt", "20261123100002_catalogue"}, report.Applied[:3])
	require.True(t, slices.IsSorted(report.Applied))
	first := report.Applied
	require.Empty(t, report.Changes)
	require.Empty(t, report.Differences)
	current, err = f.Current(t.Context())
	require.NoError(t, err)
	require.True(t, current)

	report, err = f.Up(t.Context())
	require.NoError(t, err)
	require.Empty(t, report.Applied)

	_, err = f.Down(t.Context(), func(db.Undo) error { return errRefused })
	require.ErrorIs(t, err, errRefused)
	current, err = f.Current(t.Context())
	require.NoError(t, err)
	require.True(t, current, "nothing was undone")

	var agreed db.Undo
	undone, err := f.Down(t.Context(), func(u db.Undo) error { agreed = u; return nil })
	require.NoError(t, err)
	require.Equal(t, undone, agreed.Steps)
	require.True(t, agreed.DropsAll)
	slices.Reverse(undone)
	require.Equal(t, first, undone, "the last one first")
	require.Equal(t, 2, f.count("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE()"))
	current, err = f.Current(t.Context())
	require.NoError(t, err)
	require.False(t, current)

	report, err = f.Up(t.Context())
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(report.Applied), 3)
	require.Equal(t, catalogueSize(t), f.count("SELECT COUNT(*) FROM ad_analytics_platforms"))
}

// A group without the migration that made the tables is what an upgrade leaves.
func TestUndoingAnUpgradeLeavesTheTables(t *testing.T) {
	t.Parallel()
	f := migrated(t)
	f.storefront("bosley")
	last := f.text("SELECT MAX(name) FROM relay_migrations")
	f.exec("UPDATE relay_migrations SET group_id = 2 WHERE name = ?", last)
	var agreed db.Undo
	undone, err := f.Down(t.Context(), func(u db.Undo) error { agreed = u; return nil })
	require.NoError(t, err)
	require.Len(t, undone, 1)
	require.Contains(t, undone[0], last)
	require.False(t, agreed.DropsAll)
	require.Equal(t, 1, f.count("SELECT COUNT(*) FROM storefronts"))
}

// catalogueSize is the number of platforms in the catalogue's file.
func catalogueSize(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile("migrations/platform-catalogue.json")
	require.NoError(t, err)
	var all []json.RawMessage
	require.NoError(t, json.Unmarshal(text, &all))
	return len(all)
}
