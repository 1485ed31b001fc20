package api_test

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/api"
	"relay/internal/ops"
	"relay/internal/relay"
)

// exported asks for the audit as an admin, and returns its lines.
func (a *administered) exported(server *httptest.Server, query string, headers ...string) (*http.Response, []api.AuditEntry, error) {
	a.t.Helper()
	req, err := http.NewRequestWithContext(a.t.Context(), http.MethodGet, server.URL+"/admin/v1/audit"+query, nil)
	require.NoError(a.t, err)
	req.SetBasicAuth(a.login[0], a.login[1])
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := server.Client().Do(req)
	require.NoError(a.t, err)
	defer func() { require.NoError(a.t, res.Body.Close()) }()
	var body io.Reader = res.Body
	if res.Header.Get("Content-Encoding") == "gzip" {
		body, err = gzip.NewReader(res.Body)
		require.NoError(a.t, err)
	}
	var list []api.AuditEntry
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e api.AuditEntry
		require.NoError(a.t, json.Unmarshal(lines.Bytes(), &e), lines.Text())
		list = append(list, e)
	}
	return res, list, lines.Err()
}

func (a *administered) audited(n int) {
	a.t.Helper()
	for i := range n {
		to, err := json.Marshal(fmt.Sprintf("<ticket> %d\n", i))
		require.NoError(a.t, err)
		require.NoError(a.t, a.store.RecordAudit(a.t.Context(), ops.AuditEntry{By: []string{"anna", "ben"}[i%2], Action: "reveal", Entity: "events",
			EntityID: int64(i + 1), Changes: []ops.Change{{Field: "note", To: to}}}))
	}
}

func TestTheAuditIsExportedLineByLine(t *testing.T) {
	t.Parallel()
	a := newAdminTest(t)
	a.audited(1203) // three pages
	server := httptest.NewServer(a.handler)
	t.Cleanup(server.Close)
	a.login = rita

	for _, c := range []struct {
		query   string
		headers []string
	}{
		{"?format=ndjson", nil},
		{"", []string{"Accept", "application/x-ndjson"}},
		{"?limit=3&format=ndjson", []string{"Accept-Encoding", "gzip"}},
		{"", []string{"Accept", "text/html, application/x-ndjson; q=0.5"}},
	} {
		res, list, err := a.exported(server, c.query, c.headers...)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, res.StatusCode)
		require.Equal(t, "application/x-ndjson", res.Header.Get("Content-Type"))
		require.Equal(t, "no-store", res.Header.Get("Cache-Control"))
		require.Len(t, list, 1203, c)
		require.Equal(t, int64(1203), list[0].EntityID, "newest first")
		require.Equal(t, int64(1), list[1202].EntityID)
		require.Equal(t, "<ticket> 1202\n", list[0].Note)
	}
	_, some, err := a.exported(server, "?format=ndjson&actor=ben&from=2020-01-01T00:00:00Z")
	require.NoError(t, err)
	require.Len(t, some, 601)
	_, none, err := a.exported(server, "?format=ndjson&action=erase")
	require.NoError(t, err)
	require.Empty(t, none)

	page := a.must(http.MethodGet, "/admin/v1/audit?limit=200", "", "Accept", "application/x-ndjson;q=0")
	require.Len(t, page.body["items"], 200)
	rest := a.export("&cursor=" + page.body["next_cursor"].(string))
	require.Equal(t, 1003, strings.Count(rest, "\n"), "it continues after a page")
	require.Len(t, a.must(http.MethodGet, "/admin/v1/audit?format=json", "", "Accept", "application/x-ndjson").body["items"], 50)
	for _, query := range []string{"?format=csv", "?format=ndjson&color=red", "?format=ndjson&cursor=x", "?format=ndjson&from=yesterday"} {
		require.Equal(t, http.StatusUnprocessableEntity, a.call(http.MethodGet, "/admin/v1/audit"+query, "").status, query)
	}
	a.login = [2]string{user, password}
	require.Equal(t, http.StatusForbidden, a.call(http.MethodGet, "/admin/v1/audit?format=ndjson", "").status)
}

// export calls the handler without a server, and validates the response against the OpenAPI document.
func (a *administered) export(query string) string {
	a.t.Helper()
	req := httptest.NewRequest(http.MethodGet, "/admin/v1/audit?format=ndjson"+query, nil)
	req.SetBasicAuth(a.login[0], a.login[1])
	w := a.do(req)
	require.Equal(a.t, http.StatusOK, w.Code)
	readContract(a.t, a.handler).documented(a.t, http.MethodGet, "/admin/v1/audit", w.Code, w.Header(), w.Body.Bytes())
	return w.Body.String()
}

// auditing renames api.Audit: an embedded interface must not have the name of its own method.
type auditing = api.Audit

// failing is an audit log whose database becomes unavailable after some pages.
type failing struct {
	auditing
	pages, limit, largest atomic.Int64
}

func (f *failing) Audit(ctx context.Context, q ops.AuditQuery) (ops.Page[ops.AuditEntry], error) {
	f.largest.Store(max(f.largest.Load(), int64(q.Limit)))
	if f.pages.Add(1) > f.limit.Load() {
		return ops.Page[ops.AuditEntry]{}, fmt.Errorf("list: %w", relay.ErrUnavailable)
	}
	return f.auditing.Audit(ctx, q)
}

func TestAnExportThatFailsDoesNotLookComplete(t *testing.T) {
	t.Parallel()
	a := newAdminTest(t)
	a.audited(1203)
	admin := adminOn(a.store)
	audit := &failing{auditing: a.store}
	audit.limit.Store(2)
	admin.Audit = audit
	deps := a.deps()
	deps.Admin = admin
	h, err := api.New(api.Config{Role: api.RoleServe, Username: user, Password: relay.NewSecret(password), Admins: []api.AdminLogin{
		{Name: anna[0], Password: relay.NewSecret(anna[1])}}}, deps)
	require.NoError(t, err)
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	for _, encoding := range []string{"identity", "gzip"} {
		audit.pages.Store(0)
		_, list, err := a.exported(server, "?format=ndjson", "Accept-Encoding", encoding)
		require.Error(t, err, encoding)
		require.NotEmpty(t, list)
		require.Less(t, len(list), 1203)
		require.LessOrEqual(t, audit.largest.Load(), int64(500), "memory has one page")
	}
	audit.limit.Store(0)
	req := httptest.NewRequest(http.MethodGet, "/admin/v1/audit?format=ndjson", nil)
	req.SetBasicAuth(anna[0], anna[1])
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	require.Equal(t, http.StatusServiceUnavailable, w.Code, "a first page that fails is a problem document")

	audit.limit.Store(1)
	audit.pages.Store(0)
	req = httptest.NewRequest(http.MethodHead, "/admin/v1/audit?format=ndjson", nil)
	req.SetBasicAuth(anna[0], anna[1])
	w = httptest.NewRecorder()
	h.ServeHTTP(w, req)
	require.Equal(t, http.StatusOK, w.Code)
	require.EqualValues(t, 1, audit.pages.Load(), "HEAD reads no further")
}
