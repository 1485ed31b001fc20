package checks_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	link    = regexp.MustCompile(`\]\(([^)#]+)(#[^)]*)?\)`)
	command = regexp.MustCompile("(?m)^ *relay ([a-z](?:[a-z-]+ ?)+)$|`relay ([a-z](?:[a-z-]+ ?)+)`")
	// elsewhere are places on the machines of those who write, which mean nothing to those who read.
	elsewhere = regexp.MustCompile(`(^|[\s"'=(])/(root|home|work|Users)/`)
)

func pages(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/decisions/*.md"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		require.NoError(t, err)
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			found[file] = string(text)
		}
	}
	require.Greater(t, len(found), 8)
	return found
}

func TestLinksOfThePagesLeadSomewhere(t *testing.T) {
	t.Parallel()
	for file, text := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if !strings.Contains(m[1], ":") {
				require.FileExists(t, filepath.Join(filepath.Dir(file), m[1]), file)
			}
		}
		require.NotRegexp(t, elsewhere, text, file)
	}
}

// Words that a page has beside the commands, as in `relay api`'s pod, are no business of this test: it takes whole lines and
// whole quotes only.
func TestCommandsInThePagesExist(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, text := range pages(t) {
		for _, m := range command.FindAllStringSubmatch(text, -1) {
			seen[strings.TrimSpace(m[1]+m[2])] = true
		}
	}
	require.True(t, seen["migrate up"])
	for words := range seen {
		requireCommand(t, strings.Fields(words))
	}
}
