package checks_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/adapters"
	"relay/deploy/dev/platformfiles"
	"relay/internal/relay"
)

// Each platform has all its parts: golden files of the same events, tests, a player in the sandbox, an entry of the catalogue, a section
// of the page, and a test mode or a word that there is none. What lacks is named.
func TestEveryPlatformIsComplete(t *testing.T) {
	t.Parallel()
	folders, err := platformfiles.Folders(root)
	require.NoError(t, err)
	require.ElementsMatch(t, slices.Collect(maps.Keys(adapters.All())), append(slices.Collect(maps.Keys(folders)), relay.SGTM), platformfiles.Registry)
	for code := range folders {
		missing, err := platformfiles.Lacks(root, code)
		require.NoError(t, err)
		require.Empty(t, missing, "%s lacks:\n%s", code, strings.Join(missing, "\n"))
	}
	none, err := platformfiles.Unregistered(root)
	require.NoError(t, err)
	require.Empty(t, none, "folders of adapters whose adapter is not in %s", platformfiles.Registry)
}
