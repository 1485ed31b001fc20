package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/deploy/dev/platformfiles"
)

const repositoryRoot = "../../.."

// copied returns a copy of what a new platform changes and of its dependencies, in which one can be generated and built.
func copied(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for _, dir := range []string{"adapters", "internal", "db", "deploy/dev", "deploy/sandbox"} {
		require.NoError(t, os.CopyFS(filepath.Join(root, dir), os.DirFS(filepath.Join(repositoryRoot, dir))))
	}
	for _, file := range []string{"go.mod", "go.sum", "deploy/go.mod", "deploy/go.sum", "docs/AD-ANALYTICS-PLATFORMS.md"} {
		text, err := os.ReadFile(filepath.Join(repositoryRoot, file))
		require.NoError(t, err)
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(root, file)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(root, file), text, 0o644))
	}
	return root
}

func TestAGeneratedPlatformIsCompleteButForTheVendorsFacts(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds the adapters")
	}
	root := copied(t)
	codes := []string{"quora", "x_ads", "taboola", "example_ads"} // the usual form, with an underscore, without a secret, not in the catalogue
	for _, code := range codes {
		written, err := Generate(t.Context(), root, code)
		require.NoError(t, err, code)
		require.Subset(t, written, []string{platformfiles.Registry, platformfiles.Players, platformfiles.Accounts, platformfiles.Page})
		require.FileExists(t, filepath.Join(root, "adapters", code, "testdata", "purchase_full.request.json"))
		sources, err := filepath.Glob(filepath.Join(root, "adapters", code, "[a-z]*.go"))
		require.NoError(t, err)
		require.Less(t, lines(t, slices.DeleteFunc(sources, isTest)), 200, "a platform is small")

		left, err := platformfiles.Lacks(root, code)
		require.NoError(t, err)
		require.NotEmpty(t, left)
		for _, what := range left {
			require.Contains(t, what, platformfiles.FillIn, "%s lacks what can be generated", code)
		}
		all := strings.Join(left, "\n")
		for _, file := range []string{"adapters/" + code + "/outcome.go:", "adapters/" + code + "/request_test.go:", "deploy/sandbox/vendors/", "text/" + code + ".md:"} {
			require.Contains(t, all, file)
		}
		require.Equal(t, code == "example_ads", strings.Contains(all, platformfiles.Catalogue))
	}
	var packages []string
	for _, code := range codes {
		packages = append(packages, "./adapters/"+code)
	}
	goes(t, root, slices.Concat([]string{"vet", "./adapters"}, packages)...)
	goes(t, root, slices.Concat([]string{"test"}, packages)...)
	goes(t, root, "test", "./adapters", "-run", "/("+strings.Join(codes, "|")+")")
	goes(t, filepath.Join(root, "deploy"), "vet", "./sandbox/vendors")
	goes(t, filepath.Join(root, "deploy"), "test", "./dev/catalogue")
}

func goes(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "go %v\n%s", args, out)
}

func isTest(file string) bool { return strings.HasSuffix(file, "_test.go") }

func lines(t *testing.T, files []string) int {
	t.Helper()
	n := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		n += bytes.Count(text, []byte("\n"))
	}
	return n
}

// What a folder lacks is said by name.
func TestWhatAPlatformLacksIsNamed(t *testing.T) {
	t.Parallel()
	root := copied(t)
	for file, want := range map[string]string{
		"adapters/meta/testdata/consent_denied.event.json": "adapters/meta/testdata/consent_denied.event.json",
		"adapters/meta/testdata/accepted.reply.json":       "adapters/meta/testdata/accepted.reply.json",
		"adapters/meta/request_test.go":                    "func FuzzRequest",
		"adapters/meta/outcome_test.go":                    "outcome_test.go: a table",
		"adapters/meta/golden_test.go":                     "adaptertest.Golden",
		"adapters/meta/testmode.go":                        "TestRequest, or",
		"deploy/dev/catalogue/text/meta_capi.md":           "text/meta_capi.md",
		"deploy/dev/demo/accounts.go":                      "accounts.go: a line",
		"deploy/sandbox/vendors/vendors.go":                "vendors.go: a line",
		"deploy/dev/catalogue/adapters.go":                 "adapters.go: a line",
	} {
		path := filepath.Join(root, file)
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NoError(t, os.Remove(path))
		missing, err := platformfiles.Lacks(root, "meta_capi")
		require.NoError(t, err)
		require.Contains(t, strings.Join(missing, "\n"), want)
		require.NoError(t, os.WriteFile(path, text, 0o644))
	}
	missing, err := platformfiles.Lacks(root, "meta_capi")
	require.NoError(t, err)
	require.Empty(t, missing)
	missing, err = platformfiles.Lacks(root, "quora")
	require.NoError(t, err)
	require.Equal(t, []string{`adapters/adapters.go: a line for "quora"`}, missing)
	require.NoError(t, os.CopyFS(filepath.Join(root, "adapters/quora"), os.DirFS(filepath.Join(root, "adapters/meta"))))
	unregistered, err := platformfiles.Unregistered(root)
	require.NoError(t, err)
	require.Equal(t, []string{"quora"}, unregistered)
}

func TestGenerateOverwritesNothing(t *testing.T) {
	t.Parallel()
	_, err := Generate(t.Context(), repositoryRoot, "snapchat")
	require.ErrorContains(t, err, "exists")
}

func TestGenerateRefusesUnsuitablePlatforms(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]string{
		"tune":    "no fixed api_base_url",
		"../x":    "not usable as the name of a folder",
		"Example": "not usable as the name of a folder",
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
	text, err := os.ReadFile(filepath.Join(repositoryRoot, platformfiles.Catalogue))
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
