package api_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/api"
)

func visit(t *testing.T, r *relayed, method, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	req := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	req.SetBasicAuth(user, password)
	return r.do(req)
}

func TestTheConsoleIsServedWhereItIsWanted(t *testing.T) {
	t.Parallel()
	with := newTest(t, func(cfg *api.Config, _ *relayed) { cfg.Console = true })
	for _, path := range []string{"/", "/console"} {
		w := visit(t, with, http.MethodGet, path)
		require.Equal(t, http.StatusSeeOther, w.Code)
		require.Equal(t, "console/", w.Header().Get("Location"))
	}
	w := visit(t, with, http.MethodGet, "/console/keys", "Accept-Encoding", "gzip", "X-Request-Id", "mine")
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	require.Equal(t, "text/html; charset=utf-8", w.Header().Get("Content-Type"))
	require.Equal(t, "gzip", w.Header().Get("Content-Encoding"))
	require.Equal(t, "mine", w.Header().Get("X-Request-Id"))
	require.Contains(t, w.Header().Get("Content-Security-Policy"), "default-src 'none'")
	require.Equal(t, http.StatusMethodNotAllowed, visit(t, with, http.MethodPut, "/console/keys").Code)
	require.Equal(t, http.StatusOK, visit(t, with, http.MethodHead, "/console/keys").Code)
	require.Equal(t, http.StatusForbidden, visit(t, with, http.MethodPost, "/console/search", "Sec-Fetch-Site", "cross-site").Code, "of another site")

	req := httptest.NewRequest(http.MethodGet, "/console/keys", nil)
	w = with.do(req)
	require.Equal(t, http.StatusUnauthorized, w.Code)
	require.Contains(t, w.Header().Get("WWW-Authenticate"), "Basic")

	without := newTest(t)
	for _, path := range []string{"/", "/console", "/console/", "/console/keys"} {
		require.Equal(t, http.StatusNotFound, visit(t, without, http.MethodGet, path).Code, path)
	}
	worker := newTest(t, func(cfg *api.Config, _ *relayed) { cfg.Console, cfg.Role = true, api.RoleWorker })
	require.Equal(t, http.StatusNotFound, visit(t, worker, http.MethodGet, "/console/").Code)
}
