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
