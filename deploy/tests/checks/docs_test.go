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
	link    = regexp.MustCompile(`\]\(([^)#]*)(#[^)]*)?\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
	// unslugged are the characters that an anchor omits from its heading.
	unslugged = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	command   = regexp.MustCompile("(?m)^ *relay ([a-z](?:[a-z-]+ ?)+)$|`relay ([a-z](?:[a-z-]+ ?)+)`")
	// elsewhere matches paths on the machines of authors, which do not exist for readers.
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

// anchors returns the fragments that GitHub derives from a page's headings.
func anchors(page string) []string {
	var all []string
	for _, m := range heading.FindAllStringSubmatch(page, -1) {
		all = append(all, strings.ReplaceAll(unslugged.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-"))
	}
	return all
}

func TestLinksOfThePagesResolve(t *testing.T) {
	t.Parallel()
	all := pages(t)
	for file, text := range all {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if strings.Contains(m[1], ":") {
				continue
			}
			target := file
			if m[1] != "" {
				target = filepath.Join(filepath.Dir(file), m[1])
				_, err := os.Stat(target) // a file or a folder
				require.NoError(t, err, file)
			}
			if page, ok := all[target]; ok && m[2] != "" {
				require.Contains(t, anchors(page), m[2][1:], "%s: %s", file, m[0])
			}
		}
		require.NotRegexp(t, elsewhere, text, file)
	}
}

// place matches a link to a Go file in CONTRIBUTING's section "Four places", with the name to look for in it.
var place = regexp.MustCompile("\\[[^]]*\\]\\(([^)]*\\.go)\\), `(\\w+)`")

func TestThePlacesInContributingDefineTheirNames(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(root, "CONTRIBUTING.md"))
	require.NoError(t, err)
	_, section, _ := strings.Cut(string(text), "\n## Four places\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var rows int
	for line := range strings.Lines(section) {
		if !strings.HasPrefix(line, "| Where ") {
			continue
		}
		rows++
		places := place.FindAllStringSubmatch(line, -1)
		require.Len(t, places, strings.Count(line, "]("), "each link names what to look for: %s", line)
		require.NotEmpty(t, places, line)
		for _, m := range places {
			code, err := os.ReadFile(filepath.Join(root, m[1]))
			require.NoError(t, err)
			require.Regexp(t, `(?m)^(func (\([^)]*\) )?|type |\t|var )`+m[2]+`\b`, string(code), "%s lacks %s", m[1], m[2])
		}
	}
	require.Equal(t, 4, rows)
}

// The test reads only whole lines and whole quotes, so that other text, as in `relay api`'s pod, is not a command.
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
