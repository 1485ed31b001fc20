package console_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/api/console"
)

// rest plays the REST API: it answers by method and path, and keeps what was asked.
type rest struct {
	mu      sync.Mutex
	answers map[string]reply
	tags    map[string]string // ETags
	asked   []asked
}

// reply is an answer; a body that is no string is marshalled.
type reply struct {
	status int
	body   any
}

type asked struct {
	method, path string
	query        url.Values
	header       http.Header
	body         string
}

func (r *rest) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	var body []byte
	if q.Body != nil {
		body, _ = io.ReadAll(q.Body)
	}
	r.mu.Lock()
	r.asked = append(r.asked, asked{q.Method, q.URL.Path, q.URL.Query(), q.Header.Clone(), string(body)})
	a, ok := r.answers[q.Method+" "+q.URL.Path]
	r.mu.Unlock()
	if !ok {
		a = problem(http.StatusNotFound, "not_found", "there is nothing at "+q.URL.Path)
	}
	if a.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="relay"`)
	}
	if tag := r.tags[q.Method+" "+q.URL.Path]; tag != "" {
		w.Header().Set("ETag", tag)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(a.status)
	if text, ok := a.body.(string); ok {
		_, _ = io.WriteString(w, text)
		return
	}
	_ = json.NewEncoder(w).Encode(a.body)
}

func problem(status int, code, detail string) reply {
	return reply{status, map[string]any{"status": status, "code": code, "detail": detail, "request_id": "request-of-rest"}}
}

type object = map[string]any

type list = []any

// newRest answers what every page asks.
func newRest() *rest {
	r := &rest{answers: map[string]reply{}}
	r.on("GET /admin/v1/me", object{"name": "anna", "read_only": false})
	r.on("GET /admin/v1/stats", object{"from": "2026-01-15T00:00:00Z", "to": "2026-01-16T00:00:00Z", "as_of": "2026-01-15T23:59:30Z",
		"storefronts": list{object{"storefront": "brio", "received": 1204, "delivered": 1100, "failed": object{"destination_unhealthy": 47},
			"skipped": object{"not_mapped": 19}, "open": 5, "oldest_pending_seconds": 3.2,
			"destinations": object{"tiktok": object{"health": "unhealthy", "failing_since": "2026-01-15T22:00:00Z"}}}},
		"unknown_storefront": object{"storefront": "", "received": 0, "failed": object{}, "skipped": object{}, "destinations": object{}}})
	return r
}

func (r *rest) on(what string, body any) { r.answers[what] = reply{http.StatusOK, body} }

// calls are the requests for something other than the login.
func (r *rest) calls() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []string
	for _, a := range r.asked {
		if a.path != "/admin/v1/me" {
			list = append(list, a.method+" "+a.path)
		}
	}
	return list
}

// count is how often something was asked.
func (r *rest) count(what string) int {
	n := 0
	for _, c := range r.calls() {
		if c == what {
			n++
		}
	}
	return n
}

// last is the newest request to a path.
func (r *rest) last(t testing.TB, what string) asked {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := len(r.asked) - 1; i >= 0; i-- {
		if r.asked[i].method+" "+r.asked[i].path == what {
			return r.asked[i]
		}
	}
	require.Fail(t, "not asked", what)
	return asked{}
}

// site is a console with a REST API that is played.
type site struct {
	*rest
	handler http.Handler
	log     bytes.Buffer
}

func newSite() *site {
	s := &site{rest: newRest()}
	s.handler = console.New(s.rest, slog.New(slog.NewTextHandler(&s.log, nil)))
	return s
}

func (s *site) do(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	w.Header().Set("X-Request-Id", "request-of-page")
	r.SetBasicAuth("anna", "secret")
	s.handler.ServeHTTP(w, r)
	return w
}

func (s *site) get(t testing.TB, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := s.do(httptest.NewRequest(http.MethodGet, "/console/"+path, nil))
	require.Empty(t, s.log.String())
	return w
}

func (s *site) post(path string, fields ...string) *httptest.ResponseRecorder {
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	r := httptest.NewRequest(http.MethodPost, "/console/"+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return s.do(r)
}

func (a asked) String() string { return fmt.Sprint(a.method, " ", a.path, "?", a.query.Encode()) }
