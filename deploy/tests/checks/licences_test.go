package checks_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite docs/DEPENDENCIES.md")

const (
	dependencies = root + "/docs/DEPENDENCIES.md"

	dependenciesHead = `# Dependencies

Modules in the production binary, and their licences. Those that state one may be linked into a program under the MIT licence; those under
MPL-2.0 want changes to *their* files to be published, and there are none. A module that states none comes with Temporal's own SDK, from the
same makers; publishers of binaries should know it. Checked by a test; rewrite this page with
` + "`cd deploy && go test ./tests/checks -run Licences -update`" + `

| module | licence |
|---|---|
`
)

// marks holds texts that identify a licence; the first one found counts.
var marks = []struct{ licence, words string }{
	{"Apache-2.0", "Apache License"},
	{"MPL-2.0", "Mozilla Public License"},
	{"BSD-3-Clause", "Neither the name of"},
	{"BSD-2-Clause", "Redistributions in binary form must reproduce"},
	{"ISC", "Permission to use, copy, modify, and/or distribute this software"},
	{"MIT", "Permission is hereby granted, free of charge"},
}

// unstated holds modules without a licence file that were reviewed.
var unstated = []string{"github.com/nexus-rpc/nexus-proto-annotations"}

func TestLicencesOfDependenciesAllowOurs(t *testing.T) {
	t.Parallel()
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}\t{{.Dir}}{{end}}", "./cmd/relay")
	list.Dir = root
	out, err := list.Output()
	require.NoError(t, err)
	var rows []string
	for line := range strings.Lines(string(out)) {
		path, dir, _ := strings.Cut(strings.TrimSpace(line), "\t")
		if path != "" && path != "relay" {
			rows = append(rows, fmt.Sprintf("| %s | %s |\n", path, licence(t, path, dir)))
		}
	}
	slices.Sort(rows)
	want := dependenciesHead + strings.Join(slices.Compact(rows), "")
	if *update {
		require.NoError(t, os.WriteFile(dependencies, []byte(want), 0o600))
		return
	}
	got, err := os.ReadFile(dependencies)
	require.NoError(t, err)
	require.Equal(t, want, string(got), "read the licence of the new dependency, then use -update")
}

// licence returns the licence of a module's folder. A licence without one of the marks needs a review.
func licence(t *testing.T, path, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "[LlCc][IiOo][CcPp]*"))
	require.NoError(t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // a folder
		}
		words := strings.Join(strings.Fields(string(text)), " ")
		for _, m := range marks {
			if strings.Contains(words, m.words) {
				return m.licence
			}
		}
	}
	require.Contains(t, unstated, path, "no known licence")
	return "none stated"
}
