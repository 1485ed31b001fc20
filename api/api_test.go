package api_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/api"
	"relay/internal/relay"
)

const (
	user     = "oms"
	password = "correct horse"
)

// relayed is an API under test with everything around it.
type relayed struct {
	handler http.Handler
	inbox   *inbox
	starter *starter
	probes  *probes
	books   books
	checks  []api.Check
	log     *bytes.Buffer
}

func newTest(t testing.TB, options ...func(*api.Config, *relayed)) *relayed {
	t.Helper()
	r := &relayed{
		inbox: &inbox{storefront: map[string]int64{"bosley": 5, "pfizer": 7}, byKey: map[string]int{},
			status: relay.StatusDelivered},
		starter: &starter{room: 200, held: map[string]int{}, released: map[string]int{}},
		probes:  &probes{},
		log:     &bytes.Buffer{},
	}
	cfg := api.Config{Role: api.RoleServe, Username: user, Password: relay.NewSecret(password)}
	for _, o := range options {
		o(&cfg, r)
	}
	h, err := api.New(cfg, r.deps())
	require.NoError(t, err)
	r.handler = h
	return r
}

func (r *relayed) deps() api.Deps {
	return api.Deps{Inbox: r.inbox, Starter: r.starter, Database: r.probes, Temporal: r.probes.Temporal, Reconciliations: r.books, Checks: r.checks,
		Log: slog.New(slog.NewJSONHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
}

func (r *relayed) do(req *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	r.handler.ServeHTTP(w, req)
	return w
}

// request is a POST with a login and no Content-Type.
func request(body io.Reader) *http.Request {
	req := httptest.NewRequest(http.MethodPost, "/v1/events", body)
	req.SetBasicAuth(user, password)
	return req
}

// answer is everything that an answer to a batch may hold.
type answer struct {
	status int
	header http.Header
	text   string

	Type            string `json:"type"`
	Title           string `json:"title"`
	Status          int    `json:"status"`
	Detail          string `json:"detail"`
	Code            string `json:"code"`
	RequestID       string `json:"request_id"`
	Field           string `json:"field"`
	Offset          *int64 `json:"offset"`
	Accepted        int    `json:"accepted"`
	Duplicates      int    `json:"duplicates"`
	Rejected        int    `json:"rejected"`
	Errors          []note `json:"errors"`
	ErrorsOmitted   int    `json:"errors_omitted"`
	Warnings        []note `json:"warnings"`
	WarningsOmitted int    `json:"warnings_omitted"`
}

type note struct {
	Index   *int   `json:"index"`
	EventID string `json:"event_id"`
	Field   string `json:"field"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

func (n note) String() string {
	index := "-"
	if n.Index != nil {
		index = fmt.Sprint(*n.Index)
	}
	return strings.Join([]string{index, n.EventID, n.Field, n.Code}, " ")
}

func brief(notes []note) []string {
	var s []string
	for _, n := range notes {
		s = append(s, n.String())
	}
	return s
}

func (r *relayed) answer(t testing.TB, req *http.Request) answer {
	t.Helper()
	w := r.do(req)
	a := answer{status: w.Code, header: w.Header(), text: w.Body.String()}
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &a), a.text)
	require.NotEmpty(t, w.Header().Get("X-Request-Id"))
	if a.status >= 400 {
		require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
		require.Equal(t, a.status, a.Status)
		require.NotEmpty(t, a.Code)
		require.NotEmpty(t, a.Type)
		require.NotEmpty(t, a.Title)
		require.NotEmpty(t, a.Detail)
		require.Equal(t, w.Header().Get("X-Request-Id"), a.RequestID)
	} else {
		require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	}
	return a
}

// post sends a body as JSON.
func (r *relayed) post(t testing.TB, body string) answer {
	t.Helper()
	req := request(strings.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	return r.answer(t, req)
}

// items posts a batch of these items.
func (r *relayed) items(t testing.TB, items ...string) answer {
	t.Helper()
	return r.post(t, `{"data":[`+strings.Join(items, ",")+`]}`)
}

// event is a good item with some members replaced; "" leaves one out.
func event(changes ...string) string {
	members := []string{"t-value", `"bosleyaffiliate_0123"`, "storefront_id", `"bosley"`, "event_name", `"purchase_completed"`,
		"event_time", `"2026-01-15T10:25:00Z"`, "order_id", `"2025020100003333"`}
	for i := 0; i < len(changes); i += 2 {
		found := false
		for j := 0; j < len(members); j += 2 {
			if members[j] == changes[i] {
				members[j+1], found = changes[i+1], true
			}
		}
		if !found {
			members = append(members, changes[i], changes[i+1])
		}
	}
	var s []string
	for j := 0; j < len(members); j += 2 {
		if members[j+1] != "" {
			s = append(s, fmt.Sprintf("%q:%s", members[j], members[j+1]))
		}
	}
	return "{" + strings.Join(s, ",") + "}"
}

func order(n int) string { return event("order_id", fmt.Sprintf(`"%d"`, n)) }

func (r *relayed) lines(t testing.TB) []map[string]any {
	t.Helper()
	var lines []map[string]any
	for l := range strings.Lines(r.log.String()) {
		var m map[string]any
		require.NoError(t, json.Unmarshal([]byte(l), &m))
		lines = append(lines, m)
	}
	return lines
}

func unavailable() error { return fmt.Errorf("insert: %w", relay.ErrUnavailable) }

var errBroken = errors.New("broken")
