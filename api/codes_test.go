package api_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestCodesAreDefinedInOnePlace keeps the status and the message of a code beside its name.
func TestCodesAreDefinedInOnePlace(t *testing.T) {
	t.Parallel()
	elsewhere := regexp.MustCompile(`\bdefine\("|\bcode\("|\bcode += "`)
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, file := range files {
		if file == "codes.go" || strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		require.NotRegexp(t, elsewhere, string(text), file)
	}
}

// TestTheDocumentListsEveryCodeOfARequest looks at the table of the description.
func TestTheDocumentListsEveryCodeOfARequest(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("codes.go")
	require.NoError(t, err)
	description := object(newOpsTest(t).document(t, "/openapi.json")["info"])["description"].(string)
	names := regexp.MustCompile(`define\("([a-z0-9_]+)", (\w+)`).FindAllStringSubmatch(string(source), -1)
	require.NotEmpty(t, names)
	for _, m := range names {
		if m[2] != "ofItems" && m[2] != "statusClientGone" {
			require.Contains(t, description, "`"+m[1]+"`")
		}
	}
}
