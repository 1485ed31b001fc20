package checks_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDiagramsAreRenderedFromTheirText fails if a picture is older than its text: docs/diagrams/render.sh renders it.
func TestDiagramsAreRenderedFromTheirText(t *testing.T) {
	t.Parallel()
	sources, err := filepath.Glob(root + "/docs/diagrams/*.dot")
	require.NoError(t, err)
	require.NotEmpty(t, sources)
	for _, source := range sources {
		text, err := os.ReadFile(source)
		require.NoError(t, err)
		picture, err := os.ReadFile(strings.TrimSuffix(source, ".dot") + ".svg")
		require.NoError(t, err)
		sum := sha256.Sum256(text)
		require.Contains(t, string(picture), hex.EncodeToString(sum[:]), "run docs/diagrams/render.sh")
	}
}
