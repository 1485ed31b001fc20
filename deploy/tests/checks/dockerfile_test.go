package checks_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func dockerfile(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../Dockerfile")
	require.NoError(t, err)
	return string(text)
}

func TestImagesAreStaticAndRunAsAUser(t *testing.T) {
	t.Parallel()
	text := dockerfile(t)
	stages := strings.Split(text, "\nFROM ")[1:]
	require.Contains(t, text, "CGO_ENABLED=0")
	for _, stage := range stages {
		if !strings.HasPrefix(stage, "scratch AS ") {
			continue
		}
		require.Contains(t, stage, "\nUSER 65532:65532\n")
		require.Contains(t, stage, "\nHEALTHCHECK ")
		require.NotContains(t, stage, "\nRUN ")
	}
	require.True(t, strings.HasPrefix(stages[len(stages)-1], "scratch AS relay\n"), "the last stage is the default")
}

// A builder would pull the image of such a line from a registry, for every build, in whatever version it has.
func TestTheDockerfileNamesNoFrontend(t *testing.T) {
	t.Parallel()
	require.NotRegexp(t, `(?mi)^#\s*(syntax|escape)\s*=`, dockerfile(t))
}

func TestAnImageHasLabelsAndItsProgramTheSameVersion(t *testing.T) {
	t.Parallel()
	text := dockerfile(t)
	_, relay, found := strings.Cut(text, "\nFROM scratch AS relay")
	require.True(t, found)
	for label, arg := range map[string]string{"version": "VERSION", "revision": "COMMIT", "created": "BUILT"} {
		require.Contains(t, relay, "org.opencontainers.image."+label+`="$`+arg+`"`)
		require.Contains(t, relay, "\nARG "+arg+"=", "an argument ends with its stage")
	}
	for _, label := range []string{"title", "description", "licenses"} {
		require.Regexp(t, `org\.opencontainers\.image\.`+label+`="[^"$]+"`, relay)
	}
	program, err := buildOnce()
	require.NoError(t, err)
	out, err := exec.CommandContext(t.Context(), program, "version").CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Regexp(t, `(?s)^version +1\.2\.3\ncommit +0a1b2c\nbuilt +2026-01-15T10:25:00Z\n`, string(out))
}

func TestImagesAreBuiltFromExistingFilesByTheGoVersionOfTheModules(t *testing.T) {
	t.Parallel()
	text := dockerfile(t)
	for _, folder := range []string{"cmd/relay", "deploy/sandbox/cmd/sandbox"} {
		require.Contains(t, text, folder)
		require.FileExists(t, filepath.Join(root, folder, "main.go"))
	}
	built := regexp.MustCompile(`(?m)^FROM --platform=\$BUILDPLATFORM golang:([0-9.]+)-`).FindStringSubmatch(text)
	require.Len(t, built, 2)
	sandbox, err := os.ReadFile("../../go.mod")
	require.NoError(t, err)
	require.Contains(t, string(sandbox), "\ngo "+built[1]+"\n")
	for _, m := range regexp.MustCompile(`(?m)^HEALTHCHECK .*CMD \["/relay", (.*)\]$`).FindAllStringSubmatch(text, -1) {
		requireCommand(t, strings.Fields(strings.NewReplacer(`"`, "", ",", "").Replace(m[1])))
	}
	ignored, err := os.ReadFile(filepath.Join(root, ".dockerignore"))
	require.NoError(t, err)
	for _, pattern := range []string{"**/.env*", "**/*.env"} { // of any folder, relay.env among them
		require.Contains(t, string(ignored), "\n"+pattern+"\n", "secrets stay out of images")
	}
}
