// Command catalogue writes docs/AD-ANALYTICS-PLATFORMS.md: the platform catalogue, which the database is seeded from, with texts
// about the platforms that have an adapter. It is not part of the production binary.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

//go:generate go run .

// The paths are relative to this folder, in which go generate and go test both run.
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
	return os.WriteFile(target, page, 0o644) //nolint:gosec // a public page
}
