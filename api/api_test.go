package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay"
	"relay/api"
)

const (
	user     = "oms"
	password = "correct horse"
)

// inbox keeps events in memory, unique by id and type as the table is.
type inbox struct {
	mu         sync.Mutex
	err        error
	panics     bool
	storefront map[string]int64
	status     relay.Status
	rows       []relay.NewEvent
	byKey      map[string]int
	leases     []time.Duration
	inserts    int
}

func (i *inbox) StorefrontIDs(_ context.Context, codes []string) (map[string]int64, error) {
	ids := map[string]int64{}
	for _, c := range codes {
		if id, ok := i.storefront[c]; ok {
			ids[c] = id
		}
	}
	return ids, nil
}

func (i *inbox) InsertEvents(_ context.Context, events []relay.NewEvent, lease time.Duration) ([]relay.Stored, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.inserts++
	i.leases = append(i.leases, lease)
	if i.panics {
		var none []int
		_ = none[len(events)]
	}
	if i.err != nil {
		return nil, i.err
	}
	stored := make([]relay.Stored, len(events))
	for n, e := range events {
		key := e.EventID + "\x00" + e.Type
		row, taken := i.byKey[key]
		switch {
		case !taken:
			i.rows = append(i.rows, e)
			i.byKey[key] = len(i.rows)
			stored[n] = relay.Stored{ID: int64(len(i.rows)), Verdict: relay.Inserted, Status: relay.StatusPending}
		case i.rows[row-1].Digest == e.Digest && i.rows[row-1].StorefrontID == e.StorefrontID:
			stored[n] = relay.Stored{ID: int64(row), Verdict: relay.Duplicate, Status: i.status}
		default:
			stored[n] = relay.Stored{ID: int64(row), Verdict: relay.Conflict, Status: i.status}
		}
	}
	return stored, nil
}

// starter has room for so many events of each storefront.
type starter struct {
	mu       sync.Mutex
	room     int
	held     map[string]int
	started  []relay.Start
	released map[string]int
}

func (s *starter) Reserve(storefront string, n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	got := min(n, s.room)
	s.held[storefront] += got
	return got
}

func (s *starter) Start(starts []relay.Start) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.started = append(s.started, starts...)
	for _, st := range starts {
		s.held[st.StorefrontCode]--
	}
}

func (s *starter) Release(storefront string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held[storefront] -= n
	s.released[storefront] += n
}

// probes are the database and Temporal as readiness sees them.
type probes struct {
	mu             sync.Mutex
	ping, temporal error
	old, hang      bool
	asked          int
}

func (p *probes) Ping(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked++
	if p.hang {
		<-ctx.Done()
		return ctx.Err()
	}
	return p.ping
}

func (p *probes) Current(context.Context) (bool, error) { return !p.old, p.ping }

func (p *probes) Temporal(context.Context) error { return p.temporal }

// relayed is an API under test with everything around it.
type relayed struct {
	handler http.Handler
	inbox   *inbox
	starter *starter
	probes  *probes
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
	return api.Deps{Inbox: r.inbox, Starter: r.starter, Database: r.probes, Temporal: r.probes.Temporal,
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

func (s *starter) idle(t testing.TB) {
	t.Helper()
	for storefront, n := range s.held {
		require.Zero(t, n, "reservation of %s", storefront)
	}
}

func unavailable() error { return fmt.Errorf("insert: %w", relay.ErrUnavailable) }

var errBroken = errors.New("broken")
