package api_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/api"
	"relay/internal/relay"
)

// blocked is an inbox that stores nothing until it is told to.
type blocked struct {
	*inbox
	entered chan struct{}
	leave   chan struct{}
}

func (b blocked) InsertEvents(ctx context.Context, events []relay.NewEvent, lease time.Duration) ([]relay.InsertResult, error) {
	b.entered <- struct{}{}
	<-b.leave
	return b.inbox.InsertEvents(ctx, events, lease)
}

func newBlocked(t *testing.T, budget int64) (*relayed, blocked) {
	t.Helper()
	r := newTest(t)
	b := blocked{r.inbox, make(chan struct{}, 100), make(chan struct{})}
	deps := r.deps()
	deps.Inbox = b
	var err error
	r.handler, err = api.New(api.Config{Role: api.RoleAPI, Username: user, Password: relay.NewSecret(password), MaxBodyBytes: 1 << 20, MaxBodiesBytes: budget}, deps)
	require.NoError(t, err)
	return r, b
}

func TestBodiesInFlightHaveOneBudget(t *testing.T) {
	t.Parallel()
	const budget = 5 << 20
	r, inbox := newBlocked(t, budget)
	large := func(n int) string { return `{"data":[` + order(n) + `],"x":"` + strings.Repeat("x", 1000<<10) + `"}` }
	var held sync.WaitGroup
	for n := range 5 {
		held.Go(func() { r.do(request(strings.NewReader(large(n)))) })
		<-inbox.entered
	}
	for name, req := range map[string]*http.Request{
		"a body":                      request(strings.NewReader(large(9))),
		"a body of unknown length":    request(&reading{r: strings.NewReader(large(9))}),
		"a packed body":               request(bytes.NewReader(packed(t, large(9)))),
		"a query of OMS's":            httptest.NewRequest(http.MethodPost, "/v1/events/status", strings.NewReader(large(9))),
		"a packed body, never opened": request(bytes.NewReader(append(packed(t, large(9))[:8:8], make([]byte, 60<<10)...))),
	} {
		if strings.Contains(name, "packed") {
			req.Header.Set("Content-Encoding", "gzip")
		}
		if strings.Contains(name, "query") {
			continue // no operations here; see TestTypedOperationsShareTheBudget
		}
		a := r.answer(t, req)
		require.Equal(t, http.StatusServiceUnavailable, a.status, name)
		require.Equal(t, "busy", a.Code, name)
		require.Equal(t, "5", a.header.Get("Retry-After"), name)
	}
	close(inbox.leave)
	held.Wait()
	require.Equal(t, http.StatusAccepted, r.post(t, large(9)).status, "what was held is given back")
	for range 50 { // whatever the end of a request
		r.post(t, `{"data":1,"x":"`+strings.Repeat("x", 1000<<10))
		r.post(t, large(9)[1:])
	}
	require.Equal(t, http.StatusAccepted, r.post(t, large(10)).status)
}

func TestTypedOperationsShareTheBudget(t *testing.T) {
	t.Parallel()
	a := newOpsTest(t)
	inbox := blocked{a.inbox, make(chan struct{}, 100), make(chan struct{})}
	deps := a.deps()
	deps.Inbox, deps.Ops = inbox, a.ops
	h, err := api.New(api.Config{Role: api.RoleAPI, Username: user, Password: relay.NewSecret(password), MaxBodyBytes: 1 << 20, MaxBodiesBytes: 5 << 20}, deps)
	require.NoError(t, err)
	a.handler = h
	var held sync.WaitGroup
	for n := range 5 {
		held.Go(func() {
			a.do(request(strings.NewReader(`{"data":[` + order(n) + `],"x":"` + strings.Repeat("x", 1023<<10) + `"}`)))
		})
		<-inbox.entered
	}
	ask := func(length int) int {
		req := httptest.NewRequest(http.MethodPost, "/v1/events/status", strings.NewReader(`{"ids":["`+strings.Repeat("x", length)+`"]}`))
		req.SetBasicAuth(user, password)
		w := a.do(req)
		readContract(t, a.handler).documented(t, req.Method, req.URL.Path, w.Code, w.Header(), w.Body.Bytes())
		return w.Code
	}
	require.Equal(t, http.StatusServiceUnavailable, ask(900<<10))
	require.Equal(t, http.StatusOK, ask(10))
	close(inbox.leave)
	held.Wait()
	require.NotEqual(t, http.StatusServiceUnavailable, ask(900<<10))
}

// TestACompressionBombCostsNoMoreThanTheBudget sends what made the API take gigabytes: many small bodies that unpack to the limit.
func TestACompressionBombCostsNoMoreThanTheBudget(t *testing.T) {
	if testing.Short() {
		t.Skip("it unpacks a gigabyte")
	}
	const most = 32 << 20
	bodies := map[string]string{
		"white space": `{"data":[` + strings.Repeat(" ", most-100) + `]}`,
		"one item":    `{"data":[{"x":"` + strings.Repeat("x", most-100) + `"}]}`,
		"nesting":     `{"data":[` + strings.Repeat(`{"a":[{},{}]},`, (most-100)/14) + `{}]}`,
	}
	var full strings.Builder
	for n := range 9_900 {
		full.WriteString(event("order_id", fmt.Sprintf(`"%d"`, n), "x", `"`+strings.Repeat("x", 3000)+`"`) + ",")
	}
	bodies["good items"] = `{"data":[` + full.String() + event() + `]}`
	for name, body := range bodies {
		r := newTest(t, func(_ *api.Config, r *relayed) { r.inbox.discard = true })
		small := packed(t, body)
		peak, stop := watchHeap()
		var codes sync.Map
		var all sync.WaitGroup
		for range 24 {
			all.Go(func() {
				req := request(bytes.NewReader(small))
				req.Header.Set("Content-Encoding", "gzip")
				codes.Store(r.do(req).Code, true)
			})
		}
		all.Wait()
		stop()
		t.Logf("%s: %d MiB above what was there", name, peak.Load()>>20)
		require.Less(t, peak.Load(), int64(6*api.DefaultMaxBodies), name)
	}
}

// watchHeap notes by how much the live heap grows, in the worst of many moments.
func watchHeap() (*atomic.Int64, func()) {
	var peak atomic.Int64
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	before, end, done := int64(m.HeapInuse), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-end:
				return
			case <-time.After(2 * time.Millisecond):
				runtime.ReadMemStats(&m)
				peak.Store(max(peak.Load(), int64(m.HeapInuse)-before))
			}
		}
	}()
	return &peak, func() { close(end); <-done }
}

// TestAClientThatWritesBeforeItReadsReceivesTheRefusal is Python's http.client, on a real connection.
func TestAClientThatWritesBeforeItReadsReceivesTheRefusal(t *testing.T) {
	t.Parallel()
	handler := newAdminTest(t).handler
	admin := anna[0] + ":" + anna[1]
	for name, c := range map[string]struct {
		login  string
		path   string
		size   int
		head   string
		status string
	}{
		"a body over the limit":             {user + ":" + password, "/v1/events", 40 << 20, "", "413"},
		"a body of unknown length":          {user + ":" + password, "/v1/events", 40 << 20, "chunked", "413"},
		"a large body with a wrong login":   {user + ":wrong", "/v1/events", 40 << 20, "", "401"},
		"a large body of another type":      {user + ":" + password, "/v1/events", 40 << 20, "Content-Type: text/plain\r\n", "415"},
		"a large body of another site":      {user + ":" + password, "/v1/events", 20 << 20, "Sec-Fetch-Site: cross-site\r\n", "403"},
		"a body that is beyond all measure": {user + ":" + password, "/v1/events", 200 << 20, "", ""},
		"a typed operation":                 {admin, "/admin/v1/storefronts", 20 << 20, "", "413"},
		"a typed operation, chunked":        {admin, "/admin/v1/storefronts", 20 << 20, "chunked", "413"},
		"a typed operation without a body":  {admin, "/admin/v1/storefronts/1/activate", 20 << 20, "", "404"},
		"a path that is not there":          {user + ":" + password, "/nothing", 20 << 20, "", "404"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(handler)
			defer server.Close()
			conn, err := net.Dial("tcp", server.Listener.Addr().String())
			require.NoError(t, err)
			defer func() { _ = conn.Close() }()
			require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute)))
			head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Basic %s\r\n", c.path, base64.StdEncoding.EncodeToString([]byte(c.login)))
			if c.head == "chunked" {
				head += fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n", c.size)
			} else {
				head += fmt.Sprintf("%sContent-Length: %d\r\n\r\n", c.head, c.size)
			}
			_, err = io.WriteString(conn, head)
			require.NoError(t, err)
			_, err = io.CopyN(conn, spaces{}, int64(c.size))
			if c.head == "chunked" && err == nil {
				_, err = io.WriteString(conn, "\r\n0\r\n\r\n")
			}
			if c.status == "" {
				require.Error(t, err, "what is drained is bounded")
				return
			}
			require.NoError(t, err)
			line, err := bufio.NewReader(conn).ReadString('\n')
			require.NoError(t, err)
			require.Contains(t, line, c.status)
		})
	}
}

// spaces are endless.
type spaces struct{}

func (spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// TestNoiseOverTheLimitIsRefused is about gzip that unpacks to noise over the limit.
func TestNoiseOverTheLimitIsRefused(t *testing.T) {
	t.Parallel()
	noise := make([]byte, 1<<20)
	_, _ = rand.Read(noise)
	r := newTest(t, func(c *api.Config, _ *relayed) { c.MaxBodyBytes = 1 << 19 })
	req := request(bytes.NewReader(packed(t, string(noise))))
	req.Header.Set("Content-Encoding", "gzip")
	require.Equal(t, http.StatusRequestEntityTooLarge, r.answer(t, req).status)
}
