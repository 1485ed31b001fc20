package api_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/api"
	"relay/internal/relay"
)

func TestNewNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	good := api.Config{Role: api.RoleAPI, Username: user, Password: relay.NewSecret(password)}
	for name, change := range map[string]func(*api.Config, *api.Deps){
		"Inbox":        func(_ *api.Config, d *api.Deps) { d.Inbox = nil },
		"Starter":      func(_ *api.Config, d *api.Deps) { d.Starter = nil },
		"Database":     func(_ *api.Config, d *api.Deps) { d.Database = nil },
		"Temporal":     func(_ *api.Config, d *api.Deps) { d.Temporal = nil },
		"Log":          func(_ *api.Config, d *api.Deps) { d.Log = nil },
		"Role":         func(c *api.Config, _ *api.Deps) { c.Role = "" },
		"Username":     func(c *api.Config, _ *api.Deps) { c.Username = "" },
		"Password":     func(c *api.Config, _ *api.Deps) { c.Password = relay.Secret{} },
		"MaxBodyBytes": func(c *api.Config, _ *api.Deps) { c.MaxBodyBytes = -1 },
		"Lease":        func(c *api.Config, _ *api.Deps) { c.Lease = -1 },
	} {
		t.Run(name+" is named", func(t *testing.T) {
			t.Parallel()
			cfg, deps := good, newTest(t).deps()
			change(&cfg, &deps)
			_, err := api.New(cfg, deps)
			require.ErrorContains(t, err, name)
		})
	}
	t.Run("a worker needs no login, inbox or starter, and has no ingestion", func(t *testing.T) {
		t.Parallel()
		r := newTest(t)
		deps := r.deps()
		deps.Inbox, deps.Starter = nil, nil
		h, err := api.New(api.Config{Role: api.RoleWorker}, deps)
		require.NoError(t, err)
		r.handler = h
		require.Equal(t, http.StatusOK, r.do(httptest.NewRequest(http.MethodGet, "/health", nil)).Code)
		require.Equal(t, http.StatusNotFound, r.post(t, sample).status)
	})
}

func TestLogin(t *testing.T) {
	t.Parallel()
	for name, login := range map[string]func(*http.Request){
		"no login":          func(r *http.Request) { r.Header.Del("Authorization") },
		"a wrong password":  func(r *http.Request) { r.SetBasicAuth(user, password+"x") },
		"a wrong name":      func(r *http.Request) { r.SetBasicAuth("OMS", password) },
		"an empty login":    func(r *http.Request) { r.SetBasicAuth("", "") },
		"swapped fields":    func(r *http.Request) { r.SetBasicAuth(password, user) },
		"a bearer token":    func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+password) },
		"broken base64":     func(r *http.Request) { r.Header.Set("Authorization", "Basic ?") },
		"a colon too early": func(r *http.Request) { r.SetBasicAuth(user+":", password) },
	} {
		t.Run(name+" is 401 before the body is read", func(t *testing.T) {
			t.Parallel()
			r := newTest(t)
			body := &reading{r: strings.NewReader(sample)}
			req := request(body)
			login(req)
			a := r.answer(t, req)
			require.Equal(t, http.StatusUnauthorized, a.status)
			require.Equal(t, "unauthorized", a.Code)
			require.Equal(t, `Basic realm="relay", charset="UTF-8"`, a.header.Get("WWW-Authenticate"))
			require.Zero(t, body.read)
			require.Zero(t, r.inbox.inserts)
		})
	}
}

func TestEveryAnswerIsAProblemOrTheAnswer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		method, path string
		status       int
		code         string
	}{
		"an unknown path":       {http.MethodGet, "/v2/events", 404, "not_found"},
		"the root":              {http.MethodGet, "/", 404, "not_found"},
		"a slash at the end":    {http.MethodPost, "/v1/events/", 404, "not_found"},
		"a wrong method":        {http.MethodPut, "/v1/events", 405, "method_not_allowed"},
		"a wrong health method": {http.MethodPost, "/health", 405, "method_not_allowed"},
	} {
		t.Run(fmt.Sprintf("%s is %d", name, c.status), func(t *testing.T) {
			t.Parallel()
			a := newTest(t).answer(t, httptest.NewRequest(c.method, c.path, nil))
			require.Equal(t, c.status, a.status)
			require.Equal(t, c.code, a.Code)
			if c.status == 405 {
				require.NotEmpty(t, a.header.Get("Allow"))
			}
		})
	}
	t.Run("a panic is 500 without internals, logged with its stack, and leaks no reservation", func(t *testing.T) {
		t.Parallel()
		r := newTest(t, func(_ *api.Config, r *relayed) { r.inbox.panics = true })
		a := r.items(t, event())
		require.Equal(t, http.StatusInternalServerError, a.status)
		require.Equal(t, "internal_error", a.Code)
		require.NotContains(t, a.text, "index out of range")
		line := r.lines(t)[0]
		require.Contains(t, line["error"], "index out of range")
		require.Contains(t, line["stack"], "InsertEvents")
		require.Equal(t, "ERROR", line["level"])
		r.starter.idle(t)
	})
}

func TestRequestID(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		sent string
		kept bool
	}{
		"none":                    {"", false},
		"a UUID":                  {"0197a0de-7c43-7a2b-9b53-1f0f5a7d1c11", true},
		"a word with punctuation": {"oms:batch_12.3", true},
		"one with a blank":        {"a b", false},
		"an e-mail address":       {"a@b.example", false},
		"one that is too long":    {strings.Repeat("a", 129), false},
		"one that is not ASCII":   {"é", false},
	} {
		t.Run(fmt.Sprintf("%s is kept: %t", name, c.kept), func(t *testing.T) {
			t.Parallel()
			r := newTest(t)
			req := httptest.NewRequest(http.MethodGet, "/nothing", nil)
			req.Header.Set("X-Request-Id", c.sent)
			got := r.answer(t, req).RequestID
			require.Equal(t, c.kept, got == c.sent)
			require.Equal(t, got, r.lines(t)[0]["request_id"])
		})
	}
	t.Run("two requests without one get two", func(t *testing.T) {
		t.Parallel()
		r := newTest(t)
		first := r.items(t).header.Get("X-Request-Id")
		require.NotEqual(t, first, r.items(t).header.Get("X-Request-Id"))
	})
}

func TestEachRequestIsOneLine(t *testing.T) {
	t.Parallel()
	r := newTest(t)
	body := `{"data":[` + event() + `,` + event() + `,{}]}`
	r.post(t, body)
	r.post(t, `{`)
	lines := r.lines(t)
	require.Len(t, lines, 2)

	require.Equal(t, "http.request", lines[0]["msg"])
	require.Equal(t, "INFO", lines[0]["level"])
	require.Equal(t, "POST", lines[0]["method"])
	require.Equal(t, "/v1/events", lines[0]["route"])
	require.EqualValues(t, 202, lines[0]["status"])
	require.EqualValues(t, 1, lines[0]["accepted"])
	require.EqualValues(t, 1, lines[0]["duplicates"])
	require.EqualValues(t, 1, lines[0]["rejected"])
	require.EqualValues(t, len(body), lines[0]["bytes"])
	require.NotEmpty(t, lines[0]["request_id"])
	require.Contains(t, lines[0], "duration")

	require.Equal(t, "WARN", lines[1]["level"])
	require.Equal(t, "malformed_json", lines[1]["code"])
}

// TestNothingLeaks plants a person in every place of a request where one can be, and looks for it in answers and logs.
func TestNothingLeaks(t *testing.T) {
	t.Parallel()
	const marker = "jane.roe@example.com"
	quoted := `"` + marker + `"`
	var bodies []string
	for _, f := range []string{"t-value", "storefront_id", "event_name", "event_time", "order_revenue", "email", marker} {
		bodies = append(bodies, `{"data":[`+event(f, quoted)+`]}`)
		bodies = append(bodies, `{"data":[`+event(f, `{"x":`+quoted+`}`)+`]}`)
		bodies = append(bodies, `{"data":[`+event(f, `"`+strings.Repeat(marker, 10)+`"`)+`]}`)
	}
	for _, f := range []string{"order_id", "event_id"} {
		bodies = append(bodies, `{"data":[`+event(f, `[`+quoted+`]`)+`]}`, `{"data":[`+event(f, `"`+marker+`\u0000"`)+`]}`,
			`{"data":[`+event(f, `"`+strings.Repeat(marker, 10)+`"`)+`]}`)
	}
	bodies = append(bodies, marker, quoted, `[`+quoted+`]`, `{`+quoted+`:`+marker+`}`, `{"data":`+quoted+`}`, `{"data":[`+quoted+`]}`,
		`{"data":[{"email":`+quoted+` oops}]}`, `{"data":[{"a`+"\xff"+marker+`":1}]}`, `{"data":[],"error":`+quoted+`,"count":`+quoted+`}`)
	r := newTest(t)
	for _, b := range bodies {
		a := r.post(t, b)
		require.NotContains(t, a.text, marker, b)
	}
	for _, options := range []func(*http.Request){
		func(req *http.Request) { req.SetBasicAuth(marker, marker) },
		func(req *http.Request) { req.Header.Set("Authorization", marker) },
		func(req *http.Request) { req.Header.Set("X-Request-Id", marker) },
		func(req *http.Request) { req.Header.Set("Content-Type", marker) },
		func(req *http.Request) { req.Header.Set("Content-Encoding", marker) },
		func(req *http.Request) { req.Header.Set("User-Agent", marker) },
		func(req *http.Request) { req.URL.RawQuery = "email=" + marker },
		func(req *http.Request) { req.URL.Path = "/v1/events/" + marker },
	} {
		req := request(strings.NewReader(`{"data":[` + event() + `]}`))
		options(req)
		w := r.do(req)
		require.NotContains(t, w.Body.String()+fmt.Sprint(w.Header()), marker)
	}
	require.NotContains(t, r.log.String(), marker)
	require.NotContains(t, r.log.String(), password)
	require.Equal(t, len(bodies)+8, bytes.Count(r.log.Bytes(), []byte("\n")))
}
