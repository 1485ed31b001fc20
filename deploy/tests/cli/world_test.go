// Package cli_test uses the commands of the relay as an admin does: as programs, on a running system.
package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"relay/deploy/dev/harness"
	shared "relay/deploy/tests/world"
)

// The logins: of two admins, one of whom may only read, and of OMS.
const (
	admin    = "anna"
	reader   = "rita"
	oms      = shared.Username
	password = shared.Password
)

var one *shared.World

func TestMain(m *testing.M) { shared.Main(m, func() error { return one.Stop() }) }

// setup starts the system for the first test.
func setup(t *testing.T) *shared.World {
	t.Helper()
	if one != nil {
		return one
	}
	dir, err := os.MkdirTemp("", "relay-cli-")
	require.NoError(t, err)
	users := filepath.Join(dir, "admins")
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(users, fmt.Appendf(nil, "%s:%s:admin\n%s:%s:read-only\n", admin, hash, reader, hash), 0o600))
	one = shared.Start(t, harness.Config{Dir: dir, Temporal: harness.TemporalOptions{UIPort: -1}, Env: []string{"ADMIN_USERS_FILE=" + users}})
	return one
}

// user is a person at a terminal, with a home folder of their own.
type user struct {
	t    *testing.T
	home string
	env  []string
}

// newUser has no login.
func newUser(t *testing.T) *user {
	home := t.TempDir()
	return &user{t: t, home: home, env: []string{"HOME=" + home, "XDG_CONFIG_HOME=" + home, "PATH=" + os.Getenv("PATH")}}
}

// as has a login from the environment.
func as(t *testing.T, name string) *user {
	u := newUser(t)
	u.env = append(u.env, "RELAY_URL="+setup(t).Relay.URL, "ADMIN_AUTH_USERNAME="+name, "ADMIN_AUTH_PASSWORD="+password)
	return u
}

func (u *user) command(ctx context.Context, args ...string) *exec.Cmd {
	line := append(append([]string{}, harness.Built(u.t).Relay...), args...)
	c := exec.CommandContext(ctx, line[0], line[1:]...)
	c.Env, c.Dir = u.env, u.home
	return c
}

// result is what a command leaves.
type result struct {
	out, notices string
	code         int
}

// run runs a command to its end.
func (u *user) run(in string, args ...string) result {
	u.t.Helper()
	c := u.command(u.t.Context(), args...)
	var out, notices bytes.Buffer
	c.Stdin, c.Stdout, c.Stderr = strings.NewReader(in), &out, &notices
	err := c.Run()
	var ended *exec.ExitError
	if !errors.As(err, &ended) {
		require.NoError(u.t, err)
	}
	return result{out.String(), notices.String(), c.ProcessState.ExitCode()}
}

// ok runs a command that succeeds, and returns its output.
func (u *user) ok(args ...string) string {
	u.t.Helper()
	r := u.run("", args...)
	require.Equal(u.t, 0, r.code, "%v: %s", args, r.notices)
	return r.out
}

// fails runs a command that ends with this exit code, and returns what it says.
func (u *user) fails(code int, args ...string) string {
	u.t.Helper()
	r := u.run("", args...)
	require.Equal(u.t, code, r.code, "%v: %s%s", args, r.out, r.notices)
	return r.notices
}

// object decodes the output of a command with --json.
func object(t *testing.T, out string) map[string]any {
	t.Helper()
	v := map[string]any{}
	require.NoError(t, json.Unmarshal([]byte(out), &v), out)
	return v
}

// secretFile writes a file that only its owner can read.
func secretFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(path, []byte(text+"\n"), 0o600))
	return path
}
