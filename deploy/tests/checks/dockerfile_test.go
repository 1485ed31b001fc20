package checks_test

import (
	"os"
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

func TestImagesAreBuiltFromExistingFilesByTheGoVersionOfTheModules(t *testing.T) {
	t.Parallel()
	text := dockerfile(t)
	for _, folder := range []string{"cmd/relay", "deploy/sandbox/cmd/sandbox"} {
		require.Contains(t, text, folder)
		require.FileExists(t, filepath.Join(root, folder, "main.go"))
	}
	built := regexp.MustCompile(`(?m)^FROM golang:([0-9.]+)-`).FindStringSubmatch(text)
	require.Len(t, built, 2)
	sandbox, err := os.ReadFile("../../go.mod")
	require.NoError(t, err)
	require.Contains(t, string(sandbox), "\ngo "+built[1]+"\n")
	for _, m := range regexp.MustCompile(`(?m)^HEALTHCHECK .*CMD \["/relay", (.*)\]$`).FindAllStringSubmatch(text, -1) {
		requireCommand(t, strings.Fields(strings.NewReplacer(`"`, "", ",", "").Replace(m[1])))
	}
	ignored, err := os.ReadFile(filepath.Join(root, ".dockerignore"))
	require.NoError(t, err)
	require.Contains(t, string(ignored), "\n.env\n", "secrets stay out of images")
}
