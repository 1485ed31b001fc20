package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/api"
	"relay/internal/ops"
	"relay/internal/relay"
)

const live = "/admin/v1/live"

// message is an event of a stream.
type message struct {
	kind string
	data map[string]any
}

// stream is an open stream of a real server.
type stream struct {
	t        *testing.T
	messages chan message
	kept     []message // that something else was waited for
	over     chan struct{}
}

// serveLive serves the API with a stream that goes on until stop is called.
func (o *operated) serveLive(configure func(*http.Server)) (server *httptest.Server, stop func()) {
	o.t.Helper()
	stopping := make(chan struct{})
	deps := o.all
	deps.Stopping = stopping
	handler, err := api.New(o.config, deps)
	require.NoError(o.t, err)
	server = httptest.NewUnstartedServer(handler)
	if configure != nil {
		configure(server.Config)
	}
	server.Start()
	stop = sync.OnceFunc(func() { close(stopping) })
	o.t.Cleanup(func() { stop(); server.Close() })
	return server, stop
}

func open(t *testing.T, server *httptest.Server, query string) *stream {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+live+query, nil)
	require.NoError(t, err)
	req.SetBasicAuth(rita[0], rita[1])
	res, err := server.Client().Do(req)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.Equal(t, "text/event-stream", res.Header.Get("Content-Type"))
	require.Equal(t, "no-store", res.Header.Get("Cache-Control"))
	require.Empty(t, res.Header.Get("Content-Encoding"))
	s := &stream{t: t, messages: make(chan message, 10_000), over: make(chan struct{})}
	go func() {
		defer close(s.over)
		defer func() { _ = res.Body.Close() }()
		kind := ""
		for lines := bufio.NewScanner(res.Body); lines.Scan(); {
			if name, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
				kind = name
			}
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				var v map[string]any
				if json.Unmarshal([]byte(data), &v) == nil {
					s.messages <- message{kind, v}
				}
			}
		}
	}()
	return s
}

// until waits for a message.
func (s *stream) until(want func(message) bool) message {
	s.t.Helper()
	for i, m := range s.kept {
		if want(m) {
			s.kept = slices.Delete(s.kept, i, i+1)
			return m
		}
	}
	deadline := time.After(20 * time.Second)
	for {
		select {
		case m := <-s.messages:
			if want(m) {
				return m
			}
			s.kept = append(s.kept, m)
		case <-deadline:
			require.Fail(s.t, "the message did not come")
		}
	}
}

func TestTheStreamSendsWhatHappens(t *testing.T) {
	t.Parallel()
	o := newOpsTest(t)
	o.configured()
	server, stop := o.serveLive(func(s *http.Server) { // far less than the stream lasts
		s.ReadTimeout, s.WriteTimeout = 300*time.Millisecond, 300*time.Millisecond
	})
	s := open(t, server, "")
	counts := func(pending float64) message {
		return s.until(func(m message) bool { return m.kind == "figures" && m.data["pending"] == pending })
	}
	counts(0)
	id := o.event(o.bosley, "o-1", "purchase_completed", person)
	m := counts(1)
	require.InDelta(t, 0, m.data["waiting"], 0, "it is counted with the others, as the stats are")
	require.Contains(t, m.data, "oldest_seconds")

	attempt := relay.Attempt{AttemptID: "a-1", EventID: id, Destination: relay.SGTM, Number: 1, StartedAt: time.Now(), Body: `{"email":"jo@example.com"}`}
	require.NoError(t, o.store.RecordSending(t.Context(), attempt))
	m = s.until(func(m message) bool { return m.kind == "attempt" })
	require.Equal(t, []any{"sending", "bosley", relay.SGTM, float64(id)}, []any{m.data["outcome"], m.data["storefront"], m.data["destination"], m.data["event_id"]})
	require.NoError(t, o.store.CompleteAttempts(t.Context(), []relay.AttemptEnd{{AttemptID: "a-1", Duration: 12 * time.Millisecond,
		Result: relay.Result{Outcome: relay.Retry, Reason: relay.ReasonServerError, Status: 503}}}))
	m = s.until(func(m message) bool { return m.kind == "attempt" })
	require.Equal(t, []any{"retry", "server_error", 503.0, 12.0}, []any{m.data["outcome"], m.data["reason"], m.data["status"], m.data["ms"]})
	require.NotContains(t, fmt.Sprint(m.data), "jo@")

	o.unhealthy(relay.SGTM)
	m = s.until(func(m message) bool { return m.kind == "health" })
	require.Equal(t, []any{"bosley", relay.SGTM, "unhealthy"}, []any{m.data["storefront"], m.data["destination"], m.data["state"]})
	_, err := o.store.RecordSuccess(t.Context(), o.bosley, relay.SGTM)
	require.NoError(t, err)
	m = s.until(func(m message) bool { return m.kind == "health" })
	require.Equal(t, "healthy", m.data["state"])

	m = s.until(func(m message) bool { return m.kind == "replay" }) // of the recovery
	o.must(http.MethodPost, fmt.Sprintf("/admin/v1/replays/%v/cancel", m.data["id"]), "")
	s.until(func(m message) bool { return m.kind == "replay" && m.data["state"] == "cancelled" })

	later := open(t, server, "?kinds=attempt")
	m = later.until(func(message) bool { return true })
	require.Equal(t, "attempt", m.kind, "a stream begins with what is known")
	none := open(t, server, "?destination=tiktok&kinds=attempt,health")
	elsewhere := open(t, server, "?outcome=accepted&storefront=bosley&kinds=attempt")
	attempt.AttemptID, attempt.Destination, attempt.Result.Outcome = "a-2", "tiktok", relay.Accepted
	require.NoError(t, o.store.RecordSending(t.Context(), attempt))
	for _, one := range []*stream{none, elsewhere} {
		m = one.until(func(message) bool { return true })
		require.Equal(t, "tiktok", m.data["destination"])
	}

	stop()
	for _, one := range []*stream{s, later, none, elsewhere} {
		select {
		case <-one.over:
		case <-time.After(10 * time.Second):
			require.Fail(t, "a stream outlives its server")
		}
	}
}

func TestABadStreamIsRefused(t *testing.T) {
	t.Parallel()
	o := newOpsTest(t)
	for _, query := range []string{"?color=red", "?kinds=figures,secrets", "?destination=%22", "?outcome=a%20b", "?storefront=" + strings.Repeat("x", 51)} {
		r := o.call(http.MethodGet, live+query, "")
		require.Equal(t, http.StatusUnprocessableEntity, r.status, query)
	}
	req := httptest.NewRequest(http.MethodGet, live+"?outcome=&destination=&storefront=&kinds=", nil)
	req.SetBasicAuth(rita[0], rita[1])
	require.Equal(t, http.StatusOK, o.do(req).Code, "a form's empty fields")
	require.Equal(t, http.StatusUnauthorized, o.as([2]string{"nobody", "x"}).call(http.MethodGet, live, "").status)
	require.Equal(t, http.StatusForbidden, o.as([2]string{user, password}).call(http.MethodGet, live, "").status)
}

// watched counts what the stream asks of the database.
type watched struct {
	api.LiveStore
	asked atomic.Int64
}

func (w *watched) LiveCounts(ctx context.Context) (ops.LiveCounts, error) {
	w.asked.Add(1)
	return w.LiveStore.LiveCounts(ctx)
}

func (w *watched) LiveAttempts(ctx context.Context, after int64, open []int64, n int) ([]ops.LiveAttempt, error) {
	w.asked.Add(1)
	return w.LiveStore.LiveAttempts(ctx, after, open, n)
}

func TestTheStreamReadsOnlyWhileSomeoneListens(t *testing.T) {
	t.Parallel()
	o := newOpsTest(t)
	store := &watched{LiveStore: o.store}
	o.all.Live = store
	server, _ := o.serveLive(nil)
	require.Zero(t, store.asked.Load())
	req, err := http.NewRequestWithContext(t.Context(), http.MethodHead, server.URL+live, nil)
	require.NoError(t, err)
	req.SetBasicAuth(rita[0], rita[1])
	res, err := server.Client().Do(req)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusOK, res.StatusCode, "and its head ends")

	ctx, leave := context.WithCancel(t.Context())
	req, err = http.NewRequestWithContext(ctx, http.MethodGet, server.URL+live, nil)
	require.NoError(t, err)
	req.SetBasicAuth(rita[0], rita[1])
	res, err = server.Client().Do(req)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return store.asked.Load() > 4 }, time.Minute, 10*time.Millisecond)
	leave()
	_ = res.Body.Close()
	last, still := int64(-1), 0
	require.Eventually(t, func() bool { // five looks of the poller's own time without a question
		now := store.asked.Load()
		if still++; now != last {
			last, still = now, 0
		}
		return still > 5
	}, time.Minute, 30*time.Millisecond)
}

// uncertain has other totals each time, and cannot always read them.
type uncertain struct {
	api.LiveStore
	down    atomic.Bool
	counted atomic.Int64
	asked   atomic.Int64
}

func (u *uncertain) LiveCounts(ctx context.Context) (ops.LiveCounts, error) {
	f, err := u.LiveStore.LiveCounts(ctx)
	f.CountedAt = time.Unix(u.counted.Load(), 0)
	return f, err
}

func (u *uncertain) LiveTotals(context.Context) (ops.LiveTotals, error) {
	u.asked.Add(1)
	if u.down.Load() {
		return ops.LiveTotals{}, relay.ErrUnavailable
	}
	return ops.LiveTotals{Received: 100 + u.counted.Load(), Open: 7}, nil
}

func TestTotalsThatCannotBeReadAreReadAgain(t *testing.T) {
	t.Parallel()
	o := newOpsTest(t)
	store := &uncertain{LiveStore: o.store}
	store.counted.Store(1)
	o.all.Live = store
	server, _ := o.serveLive(nil)
	s := open(t, server, "?kinds=figures")
	received := func(n float64) message {
		return s.until(func(m message) bool { return m.data["received"] == n })
	}
	require.InDelta(t, 7, received(101).data["waiting"], 0)
	store.down.Store(true)
	asked := store.asked.Load()
	store.counted.Store(2)
	require.Eventually(t, func() bool { return store.asked.Load() >= asked+3 }, 10*time.Second, 10*time.Millisecond)
	store.down.Store(false)
	received(102)
	for _, m := range s.kept {
		require.NotZero(t, m.data["received"], "no count has been zero")
	}
}
