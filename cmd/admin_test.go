package cmd_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"relay/cmd"
	"relay/db"
)

// setenv is a complete environment with some variables changed. Such tests do not run in parallel.
func setenv(t *testing.T, changes map[string]string) {
	t.Helper()
	key, err := db.GenerateKey()
	require.NoError(t, err)
	env := map[string]string{"DATABASE_URL": "mysql://relay:pw@127.0.0.1/relay", "BASIC_AUTH_USERNAME": "oms",
		"BASIC_AUTH_PASSWORD": "secret-of-oms", "ENCRYPTION_KEY": key}
	for k, v := range changes {
		env[k] = v
	}
	for k, v := range env {
		t.Setenv(k, v)
	}
}

func TestABadUsersFileStopsTheStartWithOneLine(t *testing.T) {
	hash, err := bcrypt.GenerateFromPassword([]byte("a longer horse"), bcrypt.MinCost)
	require.NoError(t, err)
	good := "anna:" + string(hash) + ":admin\n"
	for name, c := range map[string]struct{ file, words string }{
		"good":             {"# people\n\n" + good + "rita:" + string(hash) + ":read-only\n", ""},
		"no role":          {"anna:" + string(hash) + "\n", "line 1: is not name:bcrypt-hash:role"},
		"unknown role":     {good + "bob:" + string(hash) + ":root\n", "line 2: has a role"},
		"plain password":   {"anna:hunter2:admin\n", "line 1: has no hash of bcrypt"},
		"another hash":     {"anna:$apr1$abcdefgh$0123456789012345678901:admin\n", "line 1: has no hash of bcrypt"},
		"a duplicate name": {good + good, "line 2: the name is used twice"},
		"no name":          {":" + string(hash) + ":admin\n", "line 1: is not"},
		"empty":            {"\n# nobody\n", "has no user"},
		"a mark":           {"\ufeff" + good, "line 1: begins with a byte order mark"},
		"a mark, comment":  {"\ufeff# people\n" + good, "line 1: begins with a byte order mark"},
		"a cut hash":       {good + "bob:" + string(hash[:59]) + ":admin\n", "line 2: has no hash of bcrypt"},
		"a longer hash":    {"anna:" + string(hash) + strings.Repeat("x", 73) + ":admin\n", "line 1: has no hash of bcrypt"},
		"a cost of 15":     {strings.Replace(good, "$04$", "$15$", 1), "line 1: has a hash of a cost"},
		"white space":      {strings.Replace(good, "anna:", "anna :", 1), "line 1: has a name with"},
		"Latin-1":          {"ann\xe9:" + string(hash) + ":admin\n", "line 1: has a name that is not UTF-8"},
		"a long name":      {strings.Repeat("a", 256) + ":" + string(hash) + ":admin\n", "line 1: has a name of more"},
		"Windows":          {strings.ReplaceAll(good, "\n", "\r\n"), ""},
		"the other login":  {strings.Replace(good, "anna", "root", 1), "root is ADMIN_AUTH_USERNAME, too"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "users")
			require.NoError(t, os.WriteFile(path, []byte(c.file), 0o600))
			setenv(t, map[string]string{"ADMIN_USERS_FILE": path, "ADMIN_AUTH_USERNAME": "root", "ADMIN_AUTH_PASSWORD": "pw"})
			_, err := cmd.Load()
			if c.words == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, "ADMIN_USERS_FILE: ")
			require.ErrorContains(t, err, c.words)
			require.NotContains(t, err.Error(), "\n")
			require.NotContains(t, err.Error(), string(hash))
			require.NotContains(t, err.Error(), "hunter2")
		})
	}
}

// TestAnUnreadableUsersFileSaysWhy matters in the image, which has no shell to look with.
func TestAnUnreadableUsersFileSaysWhy(t *testing.T) {
	folder := t.TempDir()
	for name, c := range map[string]struct{ path, words string }{
		"no such file": {filepath.Join(folder, "none"), "no such file or directory"},
		"a folder":     {folder, "is a directory"},
		"no folder":    {filepath.Join(folder, "a\x00b"), "invalid argument"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := cmd.ReadUsers(c.path)
			require.EqualError(t, err, "cannot be read: "+c.words)
		})
	}
	t.Run("no permission", func(t *testing.T) {
		err := cmd.Unreadable(&fs.PathError{Op: "open", Path: "/run/secrets/users", Err: syscall.EACCES})
		require.EqualError(t, err, "cannot be read: permission denied")
	})
	t.Run("a long line", func(t *testing.T) {
		path := filepath.Join(folder, "long")
		require.NoError(t, os.WriteFile(path, []byte(strings.Repeat("x", 1<<17)), 0o600))
		_, err := cmd.ReadUsers(path)
		require.ErrorContains(t, err, "cannot be read: ")
	})
	t.Run("at the start", func(t *testing.T) {
		setenv(t, map[string]string{"ADMIN_USERS_FILE": filepath.Join(folder, "none")})
		_, err := cmd.Load()
		require.EqualError(t, err, "ADMIN_USERS_FILE: cannot be read: no such file or directory")
	})
}

func TestHalfAnAdminLoginStopsTheStart(t *testing.T) {
	for _, name := range []string{"ADMIN_AUTH_USERNAME", "ADMIN_AUTH_PASSWORD"} {
		t.Run(name, func(t *testing.T) {
			setenv(t, map[string]string{name: "root"})
			_, err := cmd.Load()
			require.ErrorContains(t, err, "set both or none")
		})
	}
}
