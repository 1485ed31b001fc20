package checks_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func readText(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	require.NoError(t, err)
	return string(text)
}

func TestReleasesAreStaticProgramsOfLinuxAndDarwin(t *testing.T) {
	t.Parallel()
	var config struct {
		Builds []struct {
			Main         string
			Env, LDFlags []string
			GOOS, GOARCH []string
		}
	}
	readYAML(t, filepath.Join(root, ".goreleaser.yaml"), &config)
	require.Len(t, config.Builds, 1)
	b := config.Builds[0]
	require.Equal(t, "./cmd/relay", b.Main)
	require.Equal(t, []string{"CGO_ENABLED=0"}, b.Env)
	require.Equal(t, [][]string{{"linux", "darwin"}, {"amd64", "arm64"}}, [][]string{b.GOOS, b.GOARCH})
	set := regexp.MustCompile(`-X (\S+)=`)
	names := func(text string) (found []string) {
		for _, m := range set.FindAllStringSubmatch(text, -1) {
			found = append(found, m[1])
		}
		slices.Sort(found)
		return slices.Compact(found)
	}
	require.Equal(t, []string{"relay/cmd.built", "relay/cmd.commit", "relay/cmd.release"}, names(b.LDFlags[0]))
	for _, other := range []string{"Makefile", "deploy/Dockerfile"} {
		require.Equal(t, names(b.LDFlags[0]), names(readText(t, other)), other)
	}
}

func TestAReleaseHasItsSectionOfTheChangelog(t *testing.T) {
	t.Parallel()
	changelog := filepath.Join(t.TempDir(), "CHANGELOG.md")
	require.NoError(t, os.WriteFile(changelog, []byte("# Changelog\n\n## [Unreleased]\n\n- later\n\n## [1.2.0] - 2026-01-15\n\n### Added\n\n- the second\n\n"+
		"## [1.2.0-rc.1] - 2026-01-10\n\n- a candidate\n\n## [1.1.0] - 2026-01-01\n\n- the first\n\n## [1.0.0]\n\n[1.2.0]: https://example.com/1.2.0\n"), 0o600))
	for tag, want := range map[string]string{
		"v1.2.0": "\n### Added\n\n- the second\n", "1.2.0": "\n### Added\n\n- the second\n", "v1.2.0-rc.1": "\n- a candidate\n", "v1.1.0": "\n- the first\n",
		"v1.0.0": "", "v1.2": "", "v11.2.0": "", "v1x2.0": "", "v2.0.0": "",
	} {
		notes := exec.CommandContext(t.Context(), filepath.Join(root, "deploy/release/notes.sh"), tag)
		notes.Env = append(os.Environ(), "CHANGELOG="+changelog)
		out, err := notes.Output()
		if want == "" {
			require.Error(t, err, tag)
			require.Empty(t, out, tag)
			continue
		}
		require.NoError(t, err, tag)
		require.Equal(t, want, string(out), tag)
	}
}

// workflow is the part of a GitHub workflow that these tests read.
type workflow struct {
	Permissions map[string]string
	Jobs        map[string]struct {
		Uses, Needs string
		Container   struct{ Image string }
		Steps       []struct {
			Run, Uses string
			With      map[string]any
		}
	}
}

func TestWorkflowsRunTheProjectsOwnScriptsWithPinnedTools(t *testing.T) {
	t.Parallel()
	var ci, release workflow
	readYAML(t, filepath.Join(root, ".github/workflows/ci.yml"), &ci)
	readYAML(t, filepath.Join(root, ".github/workflows/release.yml"), &release)
	require.Contains(t, dockerfile(t), " "+ci.Jobs["ci"].Container.Image+" AS build")
	var runs []string
	for _, step := range ci.Jobs["ci"].Steps {
		runs = append(runs, step.Run)
	}
	require.Contains(t, runs, "bash .ci/run")
	require.Contains(t, runs, `git config --system --add safe.directory "$GITHUB_WORKSPACE"`, "for the HOME of .ci/run as well")
	for name, w := range map[string]workflow{"ci": ci, "release": release} {
		require.Equal(t, map[string]string{"contents": "read"}, w.Permissions, "%s: a job asks for more by itself", name)
		for _, job := range w.Jobs {
			for _, step := range job.Steps {
				require.Regexp(t, `^$|^[\w./-]+@v\d+$`, step.Uses, name)
			}
		}
	}
	for _, step := range release.Jobs["image"].Steps {
		if step.Uses == "docker/build-push-action@v6" {
			require.Equal(t, "deploy/Dockerfile", step.With["file"])
			require.Equal(t, "relay", step.With["target"])
			require.Equal(t, []any{"mode=max", true}, []any{step.With["provenance"], step.With["sbom"]})
			for _, arg := range []string{"VERSION", "COMMIT", "BUILT"} {
				require.Regexp(t, `(?m)^`+arg+`=\$`, step.With["build-args"])
			}
		}
	}
	for _, step := range release.Jobs["programs"].Steps {
		if version, ok := step.With["version"]; ok {
			require.Contains(t, readText(t, "Makefile"), "github.com/goreleaser/goreleaser/v2@"+version.(string)+" ", "make release-check checks for this version")
		}
	}
}

// A fault in the configuration of a release must not show at the tag.
func TestTheCheckReadsTheConfigurationOfReleases(t *testing.T) {
	t.Parallel()
	require.Regexp(t, `(?m)^check:.*\n(?:\t.*\n)*\t.*\$\(GORELEASER\) check;`, readText(t, "Makefile"))
}

// A tag may name a commit on which CI has not run, or has failed.
func TestNothingIsReleasedUnchecked(t *testing.T) {
	t.Parallel()
	var ci struct {
		On map[string]any `json:"true"` // YAML 1.1 reads "on" as a boolean
	}
	var release workflow
	readYAML(t, filepath.Join(root, ".github/workflows/ci.yml"), &ci)
	readYAML(t, filepath.Join(root, ".github/workflows/release.yml"), &release)
	require.Contains(t, ci.On, "workflow_call")
	require.Equal(t, "./.github/workflows/ci.yml", release.Jobs["checks"].Uses)
	for name, job := range release.Jobs {
		if name != "checks" {
			require.Equal(t, "checks", job.Needs, name)
		}
	}
}

// Without git's list of modules, make check would vet and lint nothing, and succeed.
func TestACheckOfNoModuleFails(t *testing.T) {
	t.Parallel()
	check := exec.CommandContext(t.Context(), "make", "check", "MODULES=", "GOLANGCI=/bin/true", "WORKFLOWCHECK=/bin/true")
	check.Dir = root
	out, err := check.CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "no module to check")
}
