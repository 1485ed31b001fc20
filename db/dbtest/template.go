package dbtest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"relay/internal/proc"
)

// newDataDir copies the engine's template to data: copying takes a fraction of the time of initialising. The folder appears
// as a whole or not at all.
func newDataDir(ctx context.Context, e engine, cache, data string) error {
	template, err := templateDir(ctx, e, cache)
	if err != nil {
		return err
	}
	half := data + ".new"
	if err := os.RemoveAll(half); err != nil {
		return err
	}
	if err := os.Mkdir(half, 0o700); err != nil {
		return err
	}
	if err := os.CopyFS(half, os.DirFS(template)); err != nil {
		return fmt.Errorf("copy the template data folder: %w", err)
	}
	return os.Rename(half, data)
}

// templateDir returns the engine's template, created on first use. The lock prevents concurrent test processes from creating
// it several times; the rename prevents a killed one from leaving half a template.
func templateDir(ctx context.Context, e engine, cache string) (string, error) {
	if err := os.MkdirAll(cache, 0o700); err != nil {
		return "", err
	}
	lock, err := proc.WaitLock(filepath.Join(cache, "lock"))
	if err != nil {
		return "", err
	}
	defer func() { _ = lock.Close() }()
	template := filepath.Join(cache, e.key())
	if _, err := os.Stat(template); err == nil {
		return template, nil
	}
	half := template + ".new"
	if err := os.RemoveAll(half); err != nil {
		return "", err
	}
	if err := e.initialise(ctx, half); err != nil {
		return "", err
	}
	// The copies must not share the server's identity; a server without one creates its own.
	if err := os.RemoveAll(filepath.Join(half, "auto.cnf")); err != nil {
		return "", err
	}
	return template, os.Rename(half, template)
}

// defaultCache returns the folder in which templates stay between runs.
func defaultCache() string {
	dir, err := os.UserCacheDir()
	if err != nil { // no home, as in some containers
		return filepath.Join(os.TempDir(), "relay-dbtest-cache-"+currentUser())
	}
	return filepath.Join(dir, "relay-dbtest")
}
