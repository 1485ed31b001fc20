package workflows_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A gate is defined in versions.go, under a unique name: two changes behind one name could not be distinguished in a history.
func TestEveryVersionHasANamedGate(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("versions.go")
	require.NoError(t, err)
	gates := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^\t(gate\w+)\s*= "([^"]+)"$`).FindAllStringSubmatch(string(text), -1) {
		for other, name := range gates {
			require.NotEqual(t, name, m[2], "%s and %s", other, m[1])
		}
		gates[m[1]] = m[2]
	}
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	used := map[string]bool{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, m := range regexp.MustCompile(`workflow\.GetVersion\(ctx, ([^,]+),`).FindAllStringSubmatch(string(text), -1) {
			require.Contains(t, gates, m[1], file)
			used[m[1]] = true
		}
	}
	require.Len(t, used, len(gates), "a gate that is asked nowhere")
}
