package cmd_test

import (
	"bytes"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/cmd"
)

// Not parallel: the build is a variable of the program.
func TestVersionPrintsVersionCommitAndDate(t *testing.T) {
	defer cmd.SetBuild("1.2.3", "0a1b2c", "2026-01-15T10:25:00Z")()
	var out bytes.Buffer
	root := cmd.NewRoot()
	root.SetOut(&out)
	root.SetArgs([]string{"version"})
	require.NoError(t, root.Execute())
	require.Regexp(t, `^version  1\.2\.3\ncommit   0a1b2c\nbuilt    2026-01-15T10:25:00Z\ngo       go[0-9.]+ \w+/\w+\n$`, out.String())
	require.Equal(t, "1.2.3-0a1b2c", cmd.BuildID())
}

func TestABuildWithoutACommitHasAOneWordID(t *testing.T) {
	defer cmd.SetBuild("1.2.3", "", "")()
	require.Regexp(t, `^1\.2\.3(-[0-9a-f]{40})?$`, cmd.BuildID())
}

func TestABuildFromACheckoutNamesItsCommit(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		info *debug.BuildInfo
		want [3]string
	}{
		"a checkout": {&debug.BuildInfo{Main: debug.Module{Version: "v0.1.1-0.20260115102500-0a1b2c"}, Settings: []debug.BuildSetting{
			{Key: "vcs", Value: "git"}, {Key: "vcs.revision", Value: "0a1b2c"}, {Key: "vcs.time", Value: "2026-01-15T10:25:00Z"}}},
			[3]string{"v0.1.1-0.20260115102500-0a1b2c", "0a1b2c", "2026-01-15T10:25:00Z"}},
		"without its history": {&debug.BuildInfo{Main: debug.Module{Version: "(devel)"}}, [3]string{"(devel)"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, cmd.Checkout(c.info))
		})
	}
}
