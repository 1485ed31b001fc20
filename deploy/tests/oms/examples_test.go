package oms_test

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/db"
	shared "relay/deploy/tests/world"
)

// python is a Python with both libraries. Another python3 on the PATH may hide Debian's, which has them. Without one the test is
// skipped, unless PYTHON=required, as in CI.
func python(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"python3", "/usr/bin/python3"} {
		if exec.CommandContext(t.Context(), name, "-c", "import requests, pymysql").Run() == nil {
			return name
		}
	}
	const lacks = "no python3 with requests and PyMySQL: apt-get install python3-requests python3-pymysql"
	if os.Getenv("PYTHON") == "required" {
		t.Fatal(lacks)
	}
	t.Skip(lacks)
	return ""
}

// run runs an example and returns its output, its errors, and whether it succeeded.
func run(t *testing.T, example string, env ...string) (out, trouble string, ok bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), python(t), "-B", filepath.Join(docs, "examples", example))
	cmd.Env = append(os.Environ(), append(env, "no_proxy=*", "NO_PROXY=*")...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	return stdout.String(), stderr.String(), err == nil
}

// delivered is what both examples print.
func delivered(order string) string {
	return order + " purchase_completed delivered -\n" + order + "-refund-1 refund delivered -\n" + order + "-renewal-2 renewal delivered -\n"
}

// requireOrder requires that the container received the three events as those of one order.
func (w *world) requireOrder(t *testing.T, storefront, order string) {
	t.Helper()
	received, err := w.Sandbox.Requests(t.Context(), "/"+storefront+"/", 0)
	require.NoError(t, err)
	require.Len(t, received, 3)
	keys := map[string]bool{}
	for _, r := range received {
		require.Contains(t, r.Body, `"transaction_id":"`+order+`"`)
		keys[r.Key] = true
	}
	require.Len(t, keys, 3, "each is an event of its own")
}

func TestTheHTTPExampleDelivers(t *testing.T) {
	t.Parallel()
	python(t)
	const storefront, order = "oms-http", "http-4444"
	w := setup(t)
	w.Storefront(t, storefront)
	env := []string{"RELAY_URL=" + w.Relay.URL, "BASIC_AUTH_USERNAME=" + shared.Username, "BASIC_AUTH_PASSWORD=" + shared.Password,
		"STOREFRONT=" + storefront, "ORDER=" + order}
	out, trouble, ok := run(t, "oms_http.py", env...)
	require.True(t, ok, trouble)
	require.Equal(t, delivered(order), out)
	w.requireOrder(t, storefront, order)

	out, trouble, ok = run(t, "oms_http.py", env...)
	require.False(t, ok, "the times differ, so these are other events with the ids of stored ones")
	require.Contains(t, trouble, "rejected: "+order+"-refund-1 event_id conflict")
	require.Equal(t, delivered(order), out)

	_, trouble, ok = run(t, "oms_http.py", append(env, "BASIC_AUTH_PASSWORD=wrong")...)
	require.False(t, ok)
	require.Contains(t, trouble, "401 unauthorized")
	_, trouble, ok = run(t, "oms_http.py", append(env, "STOREFRONT=none-such")...)
	require.False(t, ok)
	require.Contains(t, trouble, "storefront_id unknown_storefront")
}

// TestTheHTTPExampleSendsAgain gets a 503, loses a connection, and finds its refund busy, because a transaction of OMS is inserting it.
func TestTheHTTPExampleSendsAgain(t *testing.T) {
	t.Parallel()
	python(t)
	const storefront, order = "oms-again", "again-4444"
	w := setup(t)
	w.Storefront(t, storefront)
	open, err := w.SQL.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = open.Rollback() })
	_, err = open.ExecContext(t.Context(), `INSERT INTO marketing_events (event_id, storefront_code, event_type, event_payload, source_system, status)
		VALUES (?, ?, 'refund', '{}', 'oms_direct', 'pending')`, order+"-refund-1", storefront)
	require.NoError(t, err)

	target, err := url.Parse(w.Relay.URL)
	require.NoError(t, err)
	var busy atomic.Bool
	forward := httputil.NewSingleHostReverseProxy(target)
	forward.ModifyResponse = func(response *http.Response) error {
		text, err := io.ReadAll(response.Body)
		if bytes.Contains(text, []byte(`"busy"`)) && !busy.Swap(true) {
			_ = open.Rollback()
		}
		response.Body = io.NopCloser(bytes.NewReader(text))
		return err
	}
	var requests atomic.Int32
	proxy := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch requests.Add(1) {
		case 1:
			rw.Header().Set("Retry-After", "1")
			rw.WriteHeader(http.StatusServiceUnavailable)
		case 2:
			panic(http.ErrAbortHandler)
		default:
			forward.ServeHTTP(rw, r)
		}
	}))
	t.Cleanup(proxy.Close)
	out, trouble, ok := run(t, "oms_http.py", "RELAY_URL="+proxy.URL, "BASIC_AUTH_USERNAME="+shared.Username,
		"BASIC_AUTH_PASSWORD="+shared.Password, "STOREFRONT="+storefront, "ORDER="+order)
	require.True(t, ok, trouble)
	require.True(t, busy.Load())
	w.requireOrder(t, storefront, order)
	require.ElementsMatch(t, linesOf(delivered(order)), linesOf(out), "the refund was stored last")
}

func linesOf(text string) []string {
	var all []string
	for line := range bytes.Lines([]byte(text)) {
		all = append(all, string(line))
	}
	return all
}

// TestTheSQLExampleDelivers runs it as the user of the page, who may do no more than the page says.
func TestTheSQLExampleDelivers(t *testing.T) {
	t.Parallel()
	python(t)
	const storefront, order = "oms-sql", "sql-4444"
	w := setup(t)
	w.Storefront(t, storefront)
	password := grantedUser(t, w)
	config, err := db.ParseURL(w.DatabaseURL())
	require.NoError(t, err)
	host, port, err := net.SplitHostPort(config.Addr)
	require.NoError(t, err)
	env := []string{"MYSQL_HOST=" + host, "MYSQL_PORT=" + port, "MYSQL_USER=oms", "MYSQL_PASSWORD=" + password,
		"MYSQL_DATABASE=" + config.DBName, "STOREFRONT=" + storefront, "ORDER=" + order}
	out, trouble, ok := run(t, "oms_sql.py", env...)
	require.True(t, ok, trouble)
	require.Equal(t, delivered(order), out)
	w.requireOrder(t, storefront, order)

	_, trouble, ok = run(t, "oms_sql.py", env...)
	require.False(t, ok)
	require.Contains(t, trouble, "another event has the id "+order+" and the type purchase_completed")

	config.User, config.Passwd = "oms", password
	as := openAs(t, config)
	for _, forbidden := range []string{"UPDATE marketing_events SET status = 'pending'", "DELETE FROM marketing_events", "SELECT * FROM storefronts",
		"SELECT run_id FROM marketing_events", "INSERT INTO marketing_events (event_id, generation) VALUES ('x', 1)"} {
		_, err := as.ExecContext(t.Context(), forbidden)
		require.Error(t, err, forbidden)
	}
}

func TestTheShortAnswersOfThePageAreTrue(t *testing.T) {
	t.Parallel()
	w := setup(t)
	status, body, err := w.Relay.Do(t.Context(), http.MethodPost, "/v1/events/status", []byte(`{"ids": [`+strconv.Quote("never-sent")+`]}`))
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status)
	require.JSONEq(t, `{"items": [], "unknown": ["never-sent"]}`, string(body))
}
