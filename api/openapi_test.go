package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

func (r *relayed) document(t testing.TB, path string) map[string]any {
	t.Helper()
	w := r.do(httptest.NewRequest(http.MethodGet, path, nil))
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	var doc map[string]any
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &doc))
	return doc
}

func TestTheDocumentIsServedInBothVersionsWithoutALogin(t *testing.T) {
	t.Parallel()
	r := newTest(t)
	require.Equal(t, "3.1.0", r.document(t, "/openapi.json")["openapi"])
	old := r.document(t, "/openapi-3.0.json")
	require.Equal(t, "3.0.3", old["openapi"])
	require.Contains(t, old["paths"], "/v1/events")
}

func TestTheDocsPageIsServedWhole(t *testing.T) {
	t.Parallel()
	r := newTest(t)
	get := func(path, encoding string) *httptest.ResponseRecorder {
		req := httptest.NewRequest(http.MethodGet, path, nil)
		req.Header.Set("Accept-Encoding", encoding)
		return r.do(req)
	}
	page := get("/docs", "")
	require.Equal(t, http.StatusOK, page.Code)
	require.Contains(t, page.Header().Get("Content-Security-Policy"), "default-src 'none'")
	require.NotContains(t, page.Body.String(), "http", "the page loads nothing from elsewhere")
	for path, kind := range map[string]string{"/docs/swagger-ui-bundle.js": "text/javascript", "/docs/swagger-ui.css": "text/css",
		"/docs/init.js": "text/javascript", "/docs/LICENSE.txt": "text/plain", "/docs/NOTICE.txt": "text/plain"} {
		plain, packed := get(path, ""), get(path, "gzip, br")
		require.Equal(t, http.StatusOK, plain.Code, path)
		require.Contains(t, plain.Header().Get("Content-Type"), kind)
		require.Equal(t, "nosniff", plain.Header().Get("X-Content-Type-Options"))
		require.Empty(t, plain.Header().Get("Content-Encoding"))
		require.LessOrEqual(t, packed.Body.Len(), plain.Body.Len())
	}
	require.Equal(t, "gzip", get("/docs/swagger-ui.css", "gzip").Header().Get("Content-Encoding"))
	require.Equal(t, "gzip", get("/docs/swagger-ui.css", "*").Header().Get("Content-Encoding"))
	require.Empty(t, get("/docs/swagger-ui.css", "gzip;q=0").Header().Get("Content-Encoding"), "q=0 refuses")
}
