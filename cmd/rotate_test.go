package cmd_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"relay/cmd"
	"relay/db"
	"relay/db/dbtest"
	"relay/db/seed"
	"relay/internal/ops"
	"relay/internal/relay"
)

const asRelay = "TEST_BINARY_IS_RELAY" // set, this test binary is the program itself

func TestMain(m *testing.M) {
	if os.Getenv(asRelay) != "" {
		os.Exit(cmd.Main(context.Background(), os.Args[1:], nil))
	}
	dbtest.Main(m)
}

// vault is a database with a secret in each of many rows, under an old key.
type vault struct {
	t        *testing.T
	dsn      string
	raw      *sql.DB
	old, new string
}

const (
	credentials = 300 // six pages
	heldRow     = 220
)

func newVault(t *testing.T) *vault {
	t.Helper()
	v := &vault{t: t, dsn: dbtest.New(t)}
	var err error
	v.old, err = db.GenerateKey()
	require.NoError(t, err)
	v.new, err = db.GenerateKey()
	require.NoError(t, err)
	v.raw, err = sql.Open("mysql", v.dsn)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, v.raw.Close()) })
	s := v.store(v.old)
	_, err = s.Up(t.Context())
	require.NoError(t, err)
	for n := 1; n <= credentials; n++ {
		id, err := seed.On(s).CreateStorefront(t.Context(), relay.Storefront{Code: fmt.Sprintf("s%d", n), Active: true})
		require.NoError(t, err)
		require.NoError(t, seed.On(s).PutCredential(t.Context(), id, ops.Credential{Platform: "ga4",
			Fields: map[string]relay.Secret{"api_secret": relay.NewSecret(fmt.Sprintf("s3cr3t-%d", n))}}))
	}
	require.NoError(t, seed.On(s).PutSGTM(t.Context(), 1, ops.SGTMConfig{URL: "https://tags.example.com", APISecret: relay.NewSecret("s3cr3t"),
		Headers: map[string]relay.Secret{"X-Api-Key": relay.NewSecret("s3cr3t")}}))
	return v
}

func (v *vault) store(keys string) *db.Store {
	v.t.Helper()
	k, err := db.NewKeys(keys)
	require.NoError(v.t, err)
	s, err := db.Open(db.Config{URL: v.dsn, Keys: k})
	require.NoError(v.t, err)
	v.t.Cleanup(func() { require.NoError(v.t, s.Close()) })
	return s
}

// readable are the rows whose secret is right for a process with these keys.
func (v *vault) readable(keys string) int {
	v.t.Helper()
	list, err := v.store(keys).Credentials().List(v.t.Context(), ops.ListQuery{Limit: 2 * credentials})
	require.NoError(v.t, err)
	n := 0
	for _, c := range list.Items {
		if !c.Value.Unreadable {
			require.Equal(v.t, fmt.Sprintf("s3cr3t-%d", c.ID), c.Value.Fields["api_secret"].Reveal())
			n++
		}
	}
	return n
}

// rotate is relay rotate-keys as a process of its own.
func (v *vault) rotate(args ...string) (*exec.Cmd, *bytes.Buffer, *bytes.Buffer) {
	c := exec.CommandContext(v.t.Context(), os.Args[0], append([]string{"rotate-keys"}, args...)...) //nolint:gosec // this test's own binary
	c.Env = append(os.Environ(), asRelay+"=yes", "DATABASE_URL="+v.dsn, "ENCRYPTION_KEY="+v.new+","+v.old)
	var out, trouble bytes.Buffer
	c.Stdout, c.Stderr = &out, &trouble
	return c, &out, &trouble
}

func TestARotationThatWasKilledContinues(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	// A lock on a row in the middle keeps the process alive until it is killed, on any machine.
	tx, err := v.raw.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	var id int
	require.NoError(t, tx.QueryRowContext(t.Context(), "SELECT id FROM platform_credentials WHERE id = ? FOR UPDATE", heldRow).Scan(&id))

	killed, out, _ := v.rotate()
	require.NoError(t, killed.Start())
	require.Eventually(t, func() bool { return v.readable(v.new) == heldRow-1 }, time.Minute, 20*time.Millisecond)
	require.NoError(t, killed.Process.Kill())
	require.Error(t, killed.Wait())
	require.NoError(t, tx.Rollback())
	require.Contains(t, out.String(), "] 200 of 302 values, 200 re-encrypted\n")
	require.Less(t, v.readable(v.new), credentials)
	require.Equal(t, credentials, v.readable(v.new+","+v.old), "the relay has read all of them all the time")

	count, out, trouble := v.rotate("--dry-run")
	require.NoError(t, count.Run(), trouble.String())
	require.Regexp(t, `(?s)^NEED +VALUES\nkey 1, which encrypts +(219|220)\nkey 2 +(82|83)\nno key: stored bare +0\na key that is missing +0\n$`, out.String())

	again, out, trouble := v.rotate()
	require.NoError(t, again.Run(), trouble.String())
	require.Contains(t, out.String(), "under the first key: 302 values, ")
	require.Equal(t, credentials, v.readable(v.new), "the old key can go")
	require.Zero(t, v.readable(v.old))
	require.NotContains(t, out.String()+trouble.String(), "s3cr3t")

	count, out, _ = v.rotate("--dry-run")
	require.NoError(t, count.Run())
	require.Regexp(t, `(?s)key 1, which encrypts +302\nkey 2 +0\n`, out.String())

	third, out, trouble := v.rotate()
	require.NoError(t, third.Run(), trouble.String())
	require.True(t, strings.HasSuffix(out.String(), "under the first key: 302 values, 0 of them re-encrypted\n"), out.String())
	var lines int
	require.NoError(t, v.raw.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM admin_audit WHERE action = 'rotate'").Scan(&lines))
	require.Equal(t, 2, lines, "one for each run that changed something")
}

func TestARotationNamesUnreadableValues(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	stranger, err := db.GenerateKey()
	require.NoError(t, err)
	require.NoError(t, seed.On(v.store(stranger)).PutCredential(t.Context(), 7, ops.Credential{Platform: "ga4",
		Fields: map[string]relay.Secret{"api_secret": relay.NewSecret("s3cr3t")}}))
	c, out, trouble := v.rotate()
	var exit *exec.ExitError
	require.ErrorAs(t, c.Run(), &exit)
	require.Equal(t, 1, exit.ExitCode())
	require.Contains(t, out.String(), "under the first key: 301 values, 301 of them re-encrypted\ncannot be read: platform_credentials 7 credentials\n")
	require.Equal(t, "relay: 1 values cannot be read with the keys of ENCRYPTION_KEY, and were left as they are\n", trouble.String())
	require.NotContains(t, out.String(), "gAAAA")
}

func TestRotationRefusesInvalidSettingsAndAcceptsAnEmptyDatabase(t *testing.T) {
	key, err := db.GenerateKey()
	require.NoError(t, err)
	for _, c := range []struct{ url, keys, says string }{
		{"", key, "DATABASE_URL: is required"},
		{"mysql://relay:hunter2@localhost", key, "DATABASE_URL: "},
		{"mysql://relay:hunter2@localhost/relay", "hunter2", "ENCRYPTION_KEY: key 1 of 1: has 7 characters"},
	} {
		t.Setenv("DATABASE_URL", c.url)
		t.Setenv("ENCRYPTION_KEY", c.keys)
		root := cmd.NewRoot()
		root.SetArgs([]string{"rotate-keys"})
		err := root.ExecuteContext(t.Context())
		require.ErrorContains(t, err, c.says)
		require.NotContains(t, err.Error(), "hunter2")
	}
}
