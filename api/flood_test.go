package api_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
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

	"relay"
	"relay/api"
)

// blocked is an inbox that stores nothing until it is told to.
type blocked struct {
	*inbox
	entered chan struct{}
	leave   chan struct{}
}

func (b blocked) InsertEvents(ctx context.Context, events []relay.NewEvent, lease time.Duration) ([]relay.Stored, error) {
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
	a.relayed.handler = h
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

// TestAnItemThatIsTooLargeIsNotKept measures a body of ten megabytes of which nothing may stay in memory.
func TestAnItemThatIsTooLargeIsNotKept(t *testing.T) {
	t.Parallel()
	huge := strings.Repeat(`"a":{"b":[1,2,3]},`, 500_000)
	r := newTest(t)
	a := r.post(t, `{"data":[`+order(1)+`,{"order_id":"77",`+huge+`"event_name":5},`+order(2)+`,{"x":"`+strings.Repeat("y", relay.MaxPayload)+`"}]}`)
	require.Equal(t, 2, a.Accepted, a.text)
	require.Subset(t, brief(a.Errors), []string{"1 77  payload_too_large", "1 77 event_name wrong_type", "3   payload_too_large"})
	for _, row := range r.inbox.rows {
		require.Less(t, cap(row.Payload), relay.MaxPayload)
	}
	border := func(size int) string {
		item := event("x", `""`)
		return event("x", `"`+strings.Repeat("y", size-len(item))+`"`)
	}
	a = newTest(t).items(t, border(relay.MaxPayload), border(relay.MaxPayload+1), event("order_id", `"3"`))
	require.Equal(t, 2, a.Accepted, a.text)
	require.Equal(t, []string{"1 2025020100003333  payload_too_large"}, brief(a.Errors))
}

// TestEveryPayloadIsKeptWhereverItLies moves items of many sizes over the borders of what is read at a time.
func TestEveryPayloadIsKeptWhereverItLies(t *testing.T) {
	t.Parallel()
	var items []string
	for n := range 400 {
		items = append(items, event("order_id", fmt.Sprintf(`"%d"`, n), "x", `"`+strings.Repeat(string(rune('a'+n%26)), (n*977)%relay.MaxPayload*9/10)+`"`))
	}
	r := newTest(t)
	require.Equal(t, len(items), r.items(t, items...).Accepted)
	for n, row := range r.inbox.rows {
		require.Equal(t, items[n], string(row.Payload))
	}
}

// TestABombCostsNoMoreThanTheBudget sends what made the API take gigabytes: many small bodies that unpack to the limit.
func TestABombCostsNoMoreThanTheBudget(t *testing.T) {
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

// TestAClientThatWritesBeforeItReadsSeesTheRefusal is Python's http.client, on a real connection.
func TestAClientThatWritesBeforeItReadsSeesTheRefusal(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		login  string
		size   int
		head   string
		status string
	}{
		"a body over the limit":             {user + ":" + password, 40 << 20, "", "413"},
		"a body of unknown length":          {user + ":" + password, 40 << 20, "chunked", "413"},
		"a large body with a wrong login":   {user + ":wrong", 40 << 20, "", "401"},
		"a large body of another type":      {user + ":" + password, 40 << 20, "Content-Type: text/plain\r\n", "415"},
		"a large body of another site":      {user + ":" + password, 20 << 20, "Sec-Fetch-Site: cross-site\r\n", "403"},
		"a body that is beyond all measure": {user + ":" + password, 200 << 20, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(newTest(t).handler)
			defer server.Close()
			conn, err := net.Dial("tcp", server.Listener.Addr().String())
			require.NoError(t, err)
			defer func() { _ = conn.Close() }()
			require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute)))
			head := fmt.Sprintf("POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Basic %s\r\n", base64.StdEncoding.EncodeToString([]byte(c.login)))
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

// TestASlowPackedBodyOfNoiseEndsSoon is gzip that unpacks to noise over the limit.
func TestNoiseOverTheLimitIsRefused(t *testing.T) {
	t.Parallel()
	noise := make([]byte, 1<<20)
	_, _ = rand.Read(noise)
	r := newTest(t, func(c *api.Config, _ *relayed) { c.MaxBodyBytes = 1 << 19 })
	req := request(bytes.NewReader(packed(t, string(noise))))
	req.Header.Set("Content-Encoding", "gzip")
	require.Equal(t, http.StatusRequestEntityTooLarge, r.answer(t, req).status)
}

// TestWhatIsLeftOutChangesNoVerdict holds long tokens of every kind against encoding/json.
func TestWhatIsLeftOutChangesNoVerdict(t *testing.T) {
	t.Parallel()
	long := func(s string) string { return strings.Repeat(s, 3*relay.MaxPayload/len(s)) }
	// Where such an item ends is unknown, so the whole batch is refused.
	unbounded := map[string]bool{"a string without an end": true, "a string with an escaped end": true, "a cut code": true,
		"white space between digits": true}
	for name, c := range map[string]struct {
		value string
		valid bool
	}{
		"letters":                      {`"` + long("x") + `"`, true},
		"escapes":                      {`"` + long(`\n`) + `"`, true},
		"quotes":                       {`"` + long(`\"`) + `"`, true},
		"backslashes":                  {`"` + long(`\\`) + `"`, true},
		"codes":                        {`"` + long(`\u00e9`) + `"`, true},
		"umlauts":                      {`"` + long("é") + `"`, true},
		"digits":                       {`1` + long("1"), true},
		"a fraction":                   {`1.` + long("1") + `e5`, true},
		"white space":                  {long(" \n") + `1`, true},
		"white space before a digit":   {`[1,` + long(" ") + `2]`, true},
		"white space between digits":   {`[1` + long(" ") + `2]`, false},
		"an unknown escape":            {`"` + long("x") + `\q"`, false},
		"a code that is none":          {`"` + long("x") + `\u00g0"`, false},
		"a cut code":                   {`"` + long("x") + `\u00"`, false},
		"a control character":          {`"` + long("x") + "\x01" + `"`, false},
		"letters after digits":         {long("1") + `x`, false},
		"a string without an end":      {`"` + long("x"), false},
		"a string with an escaped end": {`"` + long("x") + `\"`, false},
		"numbers with zeros before":    {`0` + long("1"), false},
		"many small tokens":            {`[` + long(`{"a":[1,"b"]},`) + `1]`, true},
		"a name":                       {`{"` + long("n") + `":1}`, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := `{"data":[` + order(1) + `,{"order_id":"2","x":` + c.value + `},` + order(3) + `]}`
			require.Equal(t, c.valid, json.Valid([]byte(body)))
			r := newTest(t)
			a := r.post(t, body)
			if unbounded[name] {
				require.Equal(t, "malformed_json", a.Code, a.text)
				require.Greater(t, *a.Offset, int64(3*relay.MaxPayload-100), "offsets are those of the body that was sent")
				require.LessOrEqual(t, *a.Offset, int64(len(body)))
				return
			}
			if !c.valid {
				require.Equal(t, 2, a.Accepted, a.text)
				require.Contains(t, brief(a.Errors), "1   invalid_json")
				require.Equal(t, order(3), string(r.inbox.rows[1].Payload))
				return
			}
			require.Equal(t, 2, a.Accepted, a.text)
			require.Contains(t, brief(a.Errors), "1 2  payload_too_large")
			require.Equal(t, order(3), string(r.inbox.rows[1].Payload))

			a = newTest(t).post(t, `{"next_url":`+c.value+`,"data":[`+order(1)+`,`+c.value+`]}`)
			require.Equal(t, 1, a.Accepted, a.text)
		})
	}
}
