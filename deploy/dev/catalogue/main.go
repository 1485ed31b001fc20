// Command catalogue writes docs/AD-ANALYTICS-PLATFORMS.md: the platform catalogue, which the database is seeded from, with our
// own words about the platforms that the relay speaks to. It is no part of the production binary.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

//go:generate go run .

// The paths as go generate and go test see them, which both work in this folder.
var (
	source = filepath.FromSlash("../../../db/migrations/platform-catalogue.json")
	target = filepath.FromSlash("../../../docs/AD-ANALYTICS-PLATFORMS.md")
)

func main() {
	if err := write(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func write() error {
	catalogue, err := os.ReadFile(source)
	if err != nil {
		return err
	}
	page, err := render(catalogue)
	if err != nil {
		return err
	}
	return os.WriteFile(target, page, 0o644) //nolint:gosec // a page for everybody
}
