package relay_test

import (
	"go/build"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// layer says what a package may import of ours, and which other imports it must not have.
type layer struct {
	path  string // "relay/adapters/*" is any folder there that has no line of its own
	ours  []string
	never []string
}

const (
	nouns     = "relay/internal/relay" // of a delivery
	operation = "relay/internal/ops"   // search, replay, erasure, stats: adapters never see them
)

// layers is the layout: api, activities, adapters and db meet only in cmd.
var layers = []layer{
	{"relay/internal/relay", nil, []string{"*"}},
	{"relay/internal/ops", []string{nouns}, []string{"*"}},
	{"relay/adapters", []string{nouns, "relay/adapters/*"}, []string{"net/http", "database/sql"}},
	{"relay/adapters/identity", []string{nouns}, []string{"net", "net/http", "database/sql"}},
	{"relay/adapters/canonical", []string{nouns, "relay/adapters/identity"}, []string{"net/http", "database/sql"}},
	{"relay/adapters/measurement", []string{nouns, "relay/adapters/identity", "relay/adapters/canonical"}, []string{"net/http", "database/sql"}},
	{"relay/adapters/tracking", []string{nouns, "relay/adapters/canonical"}, []string{"net/http", "database/sql"}},
	{"relay/adapters/adaptertest", []string{nouns}, []string{"net/http", "database/sql"}},
	{"relay/adapters/outbound", []string{nouns}, []string{"database/sql"}},
	{"relay/adapters/*", []string{nouns, "relay/adapters/identity", "relay/adapters/canonical", "relay/adapters/measurement", "relay/adapters/tracking"},
		[]string{"net/http", "database/sql"}},
	{"relay/activities", []string{nouns, operation}, []string{"github.com/uptrace/bun", "github.com/gin-gonic/gin", "net/http", "database/sql"}},
	{"relay/workflows", []string{nouns, operation, "relay/activities"}, []string{"net/http", "database/sql"}},
	{"relay/db", []string{nouns, operation}, []string{"github.com/gin-gonic/gin", "go.temporal.io"}},
	{"relay/db/seed", []string{nouns, operation, "relay/db"}, []string{"database/sql"}}, // for development and tests
	{"relay/db/*", []string{nouns, operation, "relay/db/*", "relay/internal/proc"}, []string{"go.temporal.io"}},
	{"relay/internal/proc", nil, []string{"net/http", "database/sql"}},
	{"relay/cmd/telemetry", []string{nouns, operation}, []string{"github.com/uptrace/bun", "github.com/gin-gonic/gin"}},
	{"relay/api/console", nil, []string{"*"}}, // a client of the REST API
	{"relay/api", []string{nouns, operation, "relay/api/console"}, []string{"github.com/uptrace/bun", "database/sql", "go.temporal.io"}},
	{"relay/cmd/cli", []string{nouns, operation, "relay/api"}, // a client of the REST API, too, with the API's own types
		[]string{"github.com/uptrace/bun", "github.com/gin-gonic/gin", "go.temporal.io", "database/sql"}},
	{"relay/cmd", []string{"*"}, nil},
	{"relay/cmd/*", []string{"*"}, nil},
}

func TestPackagesImportOnlyWhatTheLayoutAllows(t *testing.T) {
	t.Parallel()
	for _, dir := range packages(t) {
		p, err := build.ImportDir(dir, 0)
		require.NoError(t, err)
		path := strings.TrimSuffix("relay/"+filepath.ToSlash(dir), "/.")
		l, ok := layerOf(path)
		require.True(t, ok, "%s has no line in the table", path)
		for _, imported := range p.Imports {
			require.True(t, l.allows(imported), "%s must not import %s", path, imported)
		}
	}
}

func packages(t *testing.T) []string {
	t.Helper()
	var dirs []string
	require.NoError(t, filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		if path != "." && (strings.HasPrefix(d.Name(), ".") || slices.Contains([]string{"deploy", "testdata", "bin", "docs"}, d.Name())) {
			return filepath.SkipDir
		}
		if sources, _ := filepath.Glob(filepath.Join(path, "*.go")); slices.ContainsFunc(sources, isSource) {
			dirs = append(dirs, path)
		}
		return nil
	}))
	return dirs
}

func isSource(file string) bool { return !strings.HasSuffix(file, "_test.go") }

func layerOf(path string) (layer, bool) {
	for _, l := range layers {
		if l.path == path {
			return l, true
		}
	}
	for _, l := range layers {
		if matches(l.path, path) {
			return l, true
		}
	}
	return layer{}, false
}

// matches knows one wildcard: a last element "*", for anything below.
func matches(pattern, path string) bool {
	if pattern == "*" {
		return true
	}
	prefix, wild := strings.CutSuffix(pattern, "*")
	return wild && strings.HasPrefix(path, prefix) || path == pattern
}

func (l layer) allows(imported string) bool {
	if imported == "relay" || strings.HasPrefix(imported, "relay/") {
		return slices.ContainsFunc(l.ours, func(p string) bool { return matches(p, imported) })
	}
	return !slices.ContainsFunc(l.never, func(n string) bool {
		if n == "*" {
			return strings.Contains(strings.Split(imported, "/")[0], ".")
		}
		return imported == n || strings.HasPrefix(imported, n+"/")
	})
}
