package apitest_test

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/adapters"
	"relay/api"
	"relay/cmd"
	"relay/db"
	"relay/db/dbtest"
	"relay/internal/proc"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

const (
	user     = "oms"
	password = "correct horse"
)

// serve runs the relay's api role on its own database, without Temporal, and returns its address. It reads the
// environment, as in production, so such tests do not run in parallel.
func serve(t *testing.T) string {
	t.Helper()
	port, err := proc.FreePort(t.Context())
	require.NoError(t, err)
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	key, err := db.GenerateKey()
	require.NoError(t, err)
	dsn := dbtest.New(t)
	for name, value := range map[string]string{"DATABASE_URL": dsn, "BASIC_AUTH_USERNAME": user, "BASIC_AUTH_PASSWORD": password,
		"ENCRYPTION_KEY": key, "LISTEN_ADDR": address, "TEMPORAL_ADDRESS": "127.0.0.1:1"} {
		t.Setenv(name, value)
	}
	store, err := db.Open(db.Config{URL: dsn})
	require.NoError(t, err)
	_, err = store.Up(t.Context())
	require.NoError(t, err)
	require.NoError(t, store.Close())
	cfg, err := cmd.Load()
	require.NoError(t, err)

	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Run(ctx, api.RoleAPI, cfg, adapters.All()) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-ended)
	})
	url := "http://" + address
	require.Eventually(t, func() bool {
		res, err := http.Get(url + "/health")
		if err != nil {
			return false
		}
		_ = res.Body.Close()
		return res.StatusCode == http.StatusOK
	}, time.Minute, 20*time.Millisecond)
	return url
}

// create posts an entry to the admin API.
func create(t *testing.T, url, path, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/admin/v1/"+path, strings.NewReader(body))
	require.NoError(t, err)
	req.SetBasicAuth(user, password)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	require.Equal(t, http.StatusCreated, res.StatusCode)
}

// run runs a command in this folder and fails with its output.
func run(t *testing.T, env []string, name string, args ...string) {
	t.Helper()
	c := exec.CommandContext(t.Context(), name, args...)
	c.Env = append(os.Environ(), env...)
	out, err := c.CombinedOutput()
	require.NoError(t, err, "%s %v: %s", name, args, out)
}
