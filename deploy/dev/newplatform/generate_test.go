package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

const repositoryRoot = "../../.."

// copied returns a copy of the adapters and their dependencies, in which a new one can be generated and built.
func copied(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for _, dir := range []string{"adapters", "internal/relay"} {
		require.NoError(t, os.CopyFS(filepath.Join(root, dir), os.DirFS(filepath.Join(repositoryRoot, dir))))
	}
	for _, file := range []string{"go.mod", "go.sum", catalogueFile} {
		text, err := os.ReadFile(filepath.Join(repositoryRoot, file))
		require.NoError(t, err)
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(root, file)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(root, file), text, 0o644))
	}
	return root
}

func TestAGeneratedPlatformPassesTheConformanceSuite(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds the adapters")
	}
	root := copied(t)
	codes := []string{"quora", "x_ads", "taboola"} // the usual form, with an underscore, without a secret
	lines := 0
	for _, code := range codes {
		written, err := Generate(t.Context(), root, code)
		require.NoError(t, err, code)
		require.Contains(t, written, registryFile)
		sources, err := filepath.Glob(filepath.Join(root, "adapters", code, "*.go"))
		require.NoError(t, err)
		lines = 0
		for _, source := range sources {
			text, err := os.ReadFile(source)
			require.NoError(t, err)
			lines += bytes.Count(text, []byte("\n"))
		}
		require.FileExists(t, filepath.Join(root, "adapters", code, "testdata", "purchase_full.request.json"))
	}
	require.Less(t, lines, 210, "a platform is small, its test included")
	for _, args := range [][]string{
		{"vet", "./adapters/quora", "./adapters/x_ads", "./adapters/taboola", "./adapters"},
		{"test", "./adapters/quora", "./adapters/x_ads", "./adapters/taboola"},
		{"test", "./adapters", "-run", "/(quora|x_ads|taboola)"},
	} {
		cmd := exec.CommandContext(t.Context(), "go", args...)
		cmd.Dir = root
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "go %v\n%s", args, out)
	}
}

func TestGenerateOverwritesNothing(t *testing.T) {
	t.Parallel()
	_, err := Generate(t.Context(), repositoryRoot, "snapchat")
	require.ErrorContains(t, err, "exists")
}

func TestGenerateRefusesUnsuitablePlatforms(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]string{
		"nothing_of_the_kind": "is not in",
		"tune":                "no fixed api_base_url",
		"../x":                "is not in",
	} {
		_, err := Generate(t.Context(), repositoryRoot, code)
		require.ErrorContains(t, err, want, code)
	}
	_, err := newPlatform(entry{Code: "a_b", URL: "https://example.com"})
	require.ErrorContains(t, err, "no API for server-side events")
	_, err = newPlatform(entry{Code: "../x", URL: "https://example.com", ServerSide: true})
	require.ErrorContains(t, err, "not usable as the name of a folder")
}

func TestEveryPlatformOfTheCatalogueIsRenderedOrRefused(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(repositoryRoot, catalogueFile))
	require.NoError(t, err)
	var all []entry
	require.NoError(t, json.Unmarshal(text, &all))
	rendered := 0
	for _, e := range all {
		p, err := newPlatform(e)
		if err != nil {
			require.ErrorContains(t, err, e.Code)
			continue
		}
		_, err = p.render(t.TempDir(), "adapters/"+e.Code)
		require.NoError(t, err, e.Code)
		rendered++
	}
	require.Greater(t, rendered, len(all)/2)
}
