package main

import (
	"crypto/sha256"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/adapters"
	"relay/internal/relay"
)

func TestThePageIsUpToDate(t *testing.T) {
	t.Parallel()
	catalogue, err := os.ReadFile(source)
	require.NoError(t, err)
	want, err := render(catalogue)
	require.NoError(t, err)
	got, err := os.ReadFile(target)
	require.NoError(t, err)
	require.Equal(t, sha256.Sum256(want), sha256.Sum256(got), "docs/AD-ANALYTICS-PLATFORMS.md is stale: run go generate ./dev/catalogue")
}

func TestEveryAdapterHasASection(t *testing.T) {
	t.Parallel()
	keys := slices.DeleteFunc(slices.Sorted(maps.Keys(adapters.All())), func(key string) bool { return key == relay.SGTM })
	require.Equal(t, keys, slices.Sorted(maps.Keys(platforms)))
	require.ElementsMatch(t, keys, order)
}

// The envelopes of a request, which need no explanation.
var wrappers = []string{"data", "events"}

// Every field in the golden requests has to be named in the section.
func TestTheSectionsNameEveryFieldThatIsSent(t *testing.T) {
	t.Parallel()
	catalogue, err := os.ReadFile(source)
	require.NoError(t, err)
	rendered, err := render(catalogue)
	require.NoError(t, err)
	p, err := newPage(catalogue)
	require.NoError(t, err)
	for _, section := range p.Adapters {
		code := section.Code
		_, text, found := strings.Cut(string(rendered), "\n## "+section.Name+"\n")
		require.True(t, found, code)
		text, _, _ = strings.Cut(text, "\n## ")
		for _, key := range sent(t, strings.TrimSuffix(code, "_capi")) {
			if !slices.Contains(wrappers, key) {
				require.Contains(t, text, "`"+key, "%s sends %s", code, key)
			}
		}
	}
}

// sent returns the keys in the bodies of an adapter's golden requests.
func sent(t *testing.T, folder string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.FromSlash("../../../adapters/" + folder + "/testdata/*.request.json"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	keys := map[string]bool{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		require.NoError(t, err)
		var request struct{ Body any }
		require.NoError(t, json.Unmarshal(b, &request))
		collect(request.Body, keys)
	}
	return slices.Sorted(maps.Keys(keys))
}

func collect(v any, keys map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		for k, inner := range v {
			keys[k] = true
			collect(inner, keys)
		}
	case []any:
		for _, inner := range v {
			collect(inner, keys)
		}
	}
}

func TestCellEscapesMarkdown(t *testing.T) {
	t.Parallel()
	require.Equal(t, `a\|b \*c\* \_d\_ &lt;e>`, cell("a|b\n*c* _d_ <e>"))
}

func TestLongLinesBreakAtSpaces(t *testing.T) {
	t.Parallel()
	words := strings.TrimSpace(strings.Repeat("word ", 100))
	for line := range strings.SplitSeq(wrap(words), "\n") {
		require.LessOrEqual(t, len(line), width)
	}
	require.Equal(t, words, strings.ReplaceAll(wrap(words), "\n", " "))
	table := "| " + words + " |"
	require.Equal(t, table, wrap(table))
}
