package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"relay/api"
	"relay/internal/ops"
	"relay/internal/relay"
)

func (r *relayed) get(t testing.TB, path string) (int, map[string]string) {
	t.Helper()
	w := r.do(httptest.NewRequest(http.MethodGet, path, nil))
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	require.NotEmpty(t, w.Header().Get("X-Request-Id"))
	var words map[string]string
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &words))
	return w.Code, words
}

func TestHealthIsUpWhateverIsDown(t *testing.T) {
	t.Parallel()
	r := newTest(t, func(_ *api.Config, r *relayed) { r.probes.ping, r.probes.temporal = errBroken, errBroken })
	status, words := r.get(t, "/health")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, map[string]string{"status": "ok"}, words)
	require.Equal(t, "DEBUG", r.lines(t)[0]["level"])
}

func TestReadiness(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		probes                         *probes
		database, migrations, temporal string
		api, serve, worker             int
	}{
		"all well":                {&probes{}, "ok", "ok", "ok", 200, 200, 200},
		"without MySQL":           {&probes{ping: errBroken}, "down", "unknown", "ok", 503, 503, 503},
		"with a replica":          {&probes{written: refusal(relay.WriteReadOnly)}, "read_only", "ok", "ok", 503, 503, 503},
		"with a full disk":        {&probes{written: refusal(relay.WriteNoRoom)}, "full", "ok", "ok", 503, 503, 503},
		"with a hanging write":    {&probes{written: refusal(relay.WriteStalled)}, "stalled", "ok", "ok", 503, 503, 503},
		"with writes that fail":   {&probes{written: errBroken}, "down", "ok", "ok", 503, 503, 503},
		"with old migrations":     {&probes{old: true}, "ok", "old", "ok", 503, 503, 503},
		"without Temporal":        {&probes{temporal: errBroken}, "ok", "ok", "down", 200, 503, 503},
		"without anything at all": {&probes{ping: errBroken, temporal: errBroken}, "down", "unknown", "down", 503, 503, 503},
	} {
		for role, want := range map[api.Role]int{api.RoleAPI: c.api, api.RoleServe: c.serve, api.RoleWorker: c.worker} {
			t.Run(fmt.Sprintf("%s is %d for %s", name, want, role), func(t *testing.T) {
				t.Parallel()
				r := newTest(t, func(cfg *api.Config, r *relayed) {
					cfg.Role = role
					r.probes = c.probes
				})
				status, words := r.get(t, "/health/ready")
				require.Equal(t, want, status)
				word := map[int]string{200: "ready", 503: "unavailable"}[want]
				require.Equal(t, map[string]string{"status": word, "database": c.database, "migrations": c.migrations,
					"temporal": c.temporal}, words)
			})
		}
	}
}

func refusal(why relay.WriteRefusal) error {
	return fmt.Errorf("write to the database: %w", &relay.Unwritable{Why: why})
}

// books is what the reconciler found last.
type books struct {
	last  ops.Reconciliation
	inAll int64
	err   error
}

func (b books) Reconciliation(context.Context) (ops.Reconciliation, int64, error) {
	return b.last, b.inAll, b.err
}

func TestReadinessShowsTheReconcilersCountToThoseWithALogin(t *testing.T) {
	t.Parallel()
	verbose := func(t *testing.T, role api.Role, b books, p *probes, login string) (int, http.Header, map[string]any) {
		t.Helper()
		r := newTest(t, func(cfg *api.Config, r *relayed) {
			cfg.Role, r.probes, r.books = role, p, b
			cfg.Admins = []api.AdminLogin{{Name: "anna", Password: relay.NewSecret("secret of anna"), ReadOnly: true}}
		})
		req := httptest.NewRequest(http.MethodGet, "/health/ready?verbose", nil)
		if name, password, ok := strings.Cut(login, ":"); ok {
			req.SetBasicAuth(name, password)
		}
		w := r.do(req)
		var body map[string]any
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &body))
		return w.Code, w.Header(), body
	}
	lately, oms := time.Now().Add(-time.Minute), user+":"+password
	found := books{ops.Reconciliation{At: lately, Checked: 12, Reopened: 1, Cancelled: 2}, 7, nil}

	for _, login := range []string{oms, "anna:secret of anna"} {
		for _, role := range []api.Role{api.RoleAPI, api.RoleServe, api.RoleWorker} {
			status, _, body := verbose(t, role, found, &probes{}, login)
			require.Equal(t, http.StatusOK, status)
			require.Equal(t, "ready", body["status"])
			require.Equal(t, map[string]any{"invariant": "repaired", "at": lately.UTC().Format(time.RFC3339Nano), "checked": 12.0, "disagreed": 3.0,
				"reopened": 1.0, "cancelled": 2.0, "repaired_in_all": 7.0}, body["reconciliation"], "%s, %s", role, login)
		}
	}
	for name, c := range map[string]struct {
		books books
		want  any
	}{
		"every row was in order":  {books{last: ops.Reconciliation{At: lately, Checked: 3}}, "holds"},
		"nobody has looked since": {books{last: ops.Reconciliation{At: time.Now().Add(-time.Hour)}}, "unknown"},
		"nobody has looked yet":   {books{}, nil},
		"the row cannot be read":  {books{last: found.last, err: errBroken}, nil},
	} {
		_, _, body := verbose(t, api.RoleServe, c.books, &probes{}, oms)
		r, _ := body["reconciliation"].(map[string]any)
		require.Equal(t, c.want, r["invariant"], name)
	}
	for _, login := range []string{"", ":", oms + "x", "nobody:"} {
		for _, role := range []api.Role{api.RoleServe, api.RoleWorker} {
			status, header, body := verbose(t, role, found, &probes{}, login)
			require.Equal(t, http.StatusUnauthorized, status, login)
			require.NotEmpty(t, header.Get("WWW-Authenticate"))
			require.NotContains(t, body, "reconciliation")
		}
	}
	status, _, body := verbose(t, api.RoleServe, found, &probes{ping: errBroken}, oms)
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.NotContains(t, body, "reconciliation", "where the database is away nobody asks it")
}

func TestReadinessNamesTheReasonInTheLogOnly(t *testing.T) {
	t.Parallel()
	r := newTest(t, func(_ *api.Config, r *relayed) { r.probes.ping = errors.New("dial db.internal:3306") })
	w := r.do(httptest.NewRequest(http.MethodGet, "/health/ready", nil))
	require.NotContains(t, w.Body.String(), "db.internal")
	require.Contains(t, r.log.String(), "db.internal")
	require.Equal(t, "ERROR", r.lines(t)[0]["level"])
}

func TestReadinessIsBounded(t *testing.T) {
	t.Parallel()
	t.Run("a probe that hangs is down after two seconds", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			r := newTest(t, func(_ *api.Config, r *relayed) { r.probes.hang = true })
			began := time.Now()
			status, words := r.get(t, "/health/ready")
			require.Equal(t, 2*time.Second, time.Since(began))
			require.Equal(t, http.StatusServiceUnavailable, status)
			require.Equal(t, "down", words["database"])
		})
	})
	t.Run("many who ask at once cost one probe, and the next moment is seen anew", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			r := newTest(t)
			var wg sync.WaitGroup
			for range 20 {
				wg.Go(func() { r.do(httptest.NewRequest(http.MethodGet, "/health/ready", nil)) })
			}
			wg.Wait()
			require.Equal(t, 1, r.probes.asked)

			r.probes.ping = errBroken
			time.Sleep(250 * time.Millisecond)
			status, _ := r.get(t, "/health/ready")
			require.Equal(t, http.StatusServiceUnavailable, status)
		})
	})
}

func TestReadinessListsEveryFurtherCheck(t *testing.T) {
	t.Parallel()
	check := func(name, word string, err error, optional bool) api.Check {
		return api.Check{Name: name, About: "Whether it is.", Words: []string{"read_only", "stopped"}, Optional: optional,
			Probe: func(context.Context) (string, error) { return word, err }}
	}
	for name, c := range map[string]struct {
		check  api.Check
		status int
		word   string
	}{
		"one that is well":                   {check("writes", "ok", nil, false), 200, "ok"},
		"one that names its trouble":         {check("writes", "read_only", errBroken, false), 503, "read_only"},
		"one that fails without a word":      {check("writes", "", errBroken, false), 503, "down"},
		"one that fails although it says ok": {check("writes", "ok", errBroken, false), 503, "down"},
		"one that may fail":                  {check("writes", "stopped", nil, true), 200, "stopped"},
		"one that panics":                    {api.Check{Name: "writes", Probe: func(context.Context) (string, error) { panic("x") }}, 503, "down"},
	} {
		t.Run(fmt.Sprintf("%s is %d", name, c.status), func(t *testing.T) {
			t.Parallel()
			r := newTest(t, func(_ *api.Config, r *relayed) { r.checks = []api.Check{c.check} })
			w := r.do(httptest.NewRequest(http.MethodGet, "/health/ready", nil))
			require.Equal(t, c.status, w.Code)
			require.Regexp(t, `^{"status":"[a-z]+","database":"ok","migrations":"ok","temporal":"ok","writes":"`+c.word+`"}\n$`, w.Body.String())
			require.Equal(t, c.word, r.lines(t)[0]["writes"])
			readContract(t, r.handler).documented(t, http.MethodGet, "/health/ready", w.Code, w.Header(), w.Body.Bytes())
		})
	}
	for name, c := range map[string]api.Check{
		"no name":              check("", "ok", nil, false),
		"a name that is taken": check("database", "ok", nil, false),
		"no probe":             {Name: "worker"},
	} {
		deps := newTest(t).deps()
		deps.Checks = []api.Check{c}
		_, err := api.New(api.Config{Role: api.RoleWorker}, deps)
		require.ErrorContains(t, err, "Checks", name)
	}
}
