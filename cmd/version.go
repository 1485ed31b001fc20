package cmd

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

// Set by -ldflags -X where a build has no checkout to read them from, as in an image.
var release, commit, built string

// build is the origin of a program. A field is empty where it is unknown.
type build struct {
	Version string // a release, or what Go derived from the checkout
	Commit  string
	Date    string // of the build or, built from a checkout, of the commit; RFC 3339
}

// thisBuild describes this program.
func thisBuild() build {
	b := build{Version: "unknown"}
	if info, ok := debug.ReadBuildInfo(); ok {
		b = checkout(info)
	}
	if release != "" {
		b.Version = release
	}
	if commit != "" {
		b.Commit = commit
	}
	if built != "" {
		b.Date = built
	}
	return b
}

// checkout is the build as Go records it.
func checkout(info *debug.BuildInfo) build {
	b := build{Version: info.Main.Version}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value
		case "vcs.time":
			b.Date = s.Value
		}
	}
	return b
}

// version is the release and the commit: two images of one release differ.
func version() string {
	b := thisBuild()
	return strings.TrimSpace(b.Version + " " + b.Commit)
}

// buildID is the version as one word.
func buildID() string { return strings.ReplaceAll(version(), " ", "-") }

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version, the commit and the date of the build",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			b := thisBuild()
			_, err := fmt.Fprintf(c.OutOrStdout(), "version  %s\ncommit   %s\nbuilt    %s\ngo       %s %s/%s\n",
				b.Version, orUnknown(b.Commit), orUnknown(b.Date), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}

func orUnknown(text string) string {
	if text == "" {
		return "unknown"
	}
	return text
}
