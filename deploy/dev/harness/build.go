package harness

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"relay/internal/proc"
)

// BuildOptions configure the build of the relay. Temporal's server is always built without the race detector, which would check code
// of others at several times the cost.
type BuildOptions struct {
	Race bool // build the relay with the race detector
}

// Build builds both programs of the module of the working directory, and returns their command lines. They are
// kept in the user's cache folder, where go build reuses them if nothing changed: linking Temporal takes longer
// than most tests.
func Build(ctx context.Context, o BuildOptions) (Programs, error) {
	module, err := run(ctx, []string{"go", "list", "-m", "-f", "{{.Dir}}", "relay/deploy"}, nil)
	if err != nil {
		return Programs{}, err
	}
	dir, err := buildDir(strings.TrimSpace(module))
	if err != nil {
		return Programs{}, err
	}
	lock, err := proc.WaitLock(filepath.Join(dir, "lock"))
	if err != nil {
		return Programs{}, err
	}
	defer func() { _ = lock.Close() }()
	dev, relay := filepath.Join(dir, "dev"), filepath.Join(dir, "relay-dev")
	builds := [][]string{{"go", "build", "-o", dev, "relay/deploy/dev"}}
	if o.Race {
		relay += "-race"
		builds = append(builds, []string{"go", "build", "-race", "-o", relay, "relay/deploy/dev/cmd/relay-dev"})
	} else {
		builds = append(builds, []string{"go", "build", "-o", relay, "relay/deploy/dev/cmd/relay-dev"})
	}
	for _, line := range builds {
		if _, err := run(ctx, line, nil); err != nil {
			return Programs{}, err
		}
	}
	return Programs{Dev: []string{dev}, Relay: []string{relay}}, nil
}

// buildDir returns a folder of the checkout's own.
func buildDir(module string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	sum := sha256.Sum256([]byte(module))
	dir := filepath.Join(cache, "relay-dev", hex.EncodeToString(sum[:6]))
	return dir, os.MkdirAll(dir, 0o700)
}

// run runs a program to its end and returns its output; the error holds the standard error.
func run(ctx context.Context, line, env []string) (string, error) {
	var out, complaints bytes.Buffer
	cmd := exec.CommandContext(ctx, line[0], line[1:]...)
	cmd.Env, cmd.Stdout, cmd.Stderr = env, &out, &complaints
	process, err := proc.Start(cmd)
	if err != nil {
		return "", err
	}
	<-process.Done()
	if err := process.Err(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s%s", strings.Join(line, " "), err, out.String(), complaints.String())
	}
	return out.String(), nil
}
