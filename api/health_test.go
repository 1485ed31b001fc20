package api_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"relay/api"
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

func TestReadinessSaysWhyInTheLogOnly(t *testing.T) {
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
