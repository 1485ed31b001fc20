package relay_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/internal/relay"
)

// reasons are all constants of reason.go, read from its source, so that a new one is not forgotten.
func reasons(t *testing.T) []relay.Reason {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "reason.go", nil, 0)
	require.NoError(t, err)
	var all []relay.Reason
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, "Reason") {
			return true
		}
		code, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		require.NoError(t, err)
		all = append(all, relay.Reason(code))
		return true
	})
	require.NotEmpty(t, all)
	return all
}

func TestReasonCodesAreUniqueAndPlain(t *testing.T) {
	t.Parallel()
	seen := map[relay.Reason]bool{}
	for _, r := range reasons(t) {
		require.Regexp(t, `^[a-z0-9_]{3,50}$`, string(r), "it is a filter in URLs, SQL and the Web UI")
		require.False(t, seen[r], r)
		seen[r] = true
	}
}
