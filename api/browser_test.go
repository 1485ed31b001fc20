package api_test

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/api"
	"relay/internal/relay"
)

func TestWhatAnotherSiteMakesABrowserSendIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		public  string
		headers map[string]string
		status  int
	}{
		"a command-line client":                       {"", nil, 202},
		"a page of this relay":                        {"", map[string]string{"Sec-Fetch-Site": "same-origin", "Origin": "https://relay.example.com"}, 202},
		"a bookmark":                                  {"", map[string]string{"Sec-Fetch-Site": "none"}, 202},
		"a page of another site":                      {"", map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, 403},
		"a sandboxed page":                            {"", map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "null"}, 403},
		"a page of a sister domain":                   {"", map[string]string{"Sec-Fetch-Site": "same-site", "Origin": "https://blog.example.com"}, 403},
		"an older browser on another site":            {"", map[string]string{"Origin": "https://evil.example"}, 403},
		"an older browser on this relay":              {"", map[string]string{"Origin": "https://relay.example.com"}, 202},
		"an older browser behind a proxy, unset":      {"", map[string]string{"Origin": "https://public.example.com"}, 403},
		"an older browser behind a proxy":             {"https://Public.example.com:443/relay/", map[string]string{"Origin": "https://public.example.com"}, 202},
		"an older browser behind a proxy with a port": {"https://public.example.com:8443", map[string]string{"Origin": "https://public.example.com:8443"}, 202},
		"another site although there is a PUBLIC_URL": {"https://public.example.com", map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, 403},
		"a public URL of an IPv6 address":             {"http://[2001:DB8::1]:80", map[string]string{"Origin": "http://[2001:db8::1]"}, 202},
		"the public page over http where it is https": {"https://public.example.com", map[string]string{"Origin": "http://public.example.com"}, 403},
	} {
		t.Run(fmt.Sprintf("%s is %d", name, c.status), func(t *testing.T) {
			t.Parallel()
			r := newTest(t, func(cfg *api.Config, _ *relayed) { cfg.PublicURL = c.public })
			req := request(strings.NewReader(`{"data":[` + event() + `]}`))
			req.Host = "relay.example.com"
			for k, v := range c.headers {
				req.Header.Set(k, v)
			}
			a := r.answer(t, req)
			require.Equal(t, c.status, a.status)
			if c.status == 403 {
				require.Equal(t, "cross_origin", a.Code)
				require.Zero(t, r.inbox.inserts)
			}
		})
	}
	for _, public := range []string{"relay.example.com", "ftp://relay.example.com", "https://", "https://a:b@relay.example.com", "://"} {
		r := newTest(t)
		_, err := api.New(api.Config{Role: api.RoleAPI, Username: user, Password: relay.NewSecret(password), PublicURL: public}, r.deps())
		require.ErrorContains(t, err, "PublicURL", public)
	}
}

// TestNoRouteLetsAnotherSiteIn asks every route of the document, and paths that are none.
func TestNoRouteLetsAnotherSiteIn(t *testing.T) {
	t.Parallel()
	a := newOpsTest(t)
	c := readContract(t, a.handler)
	asked := 0
	ask := func(method, path string) {
		req := httptest.NewRequest(method, path, nil) // a form without a body
		req.SetBasicAuth(anna[0], anna[1])
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Sec-Fetch-Site", "cross-site")
		require.Equal(t, http.StatusForbidden, a.do(req).Code, "%s %s", method, path)
		asked++
	}
	c.operations(func(method, template string, _ map[string]any) {
		if method != http.MethodGet {
			ask(method, pathParam.ReplaceAllString(template, "1"))
		}
	})
	ask(http.MethodPost, "/nothing")
	ask(http.MethodPost, "/health")
	require.Greater(t, asked, 20)
	require.Len(t, a.call(http.MethodGet, "/admin/v1/audit", "").items(t), 2, "the two storefronts of the test")
}

func TestEveryAnswerForbidsStoringAndSniffing(t *testing.T) {
	t.Parallel()
	a := newOpsTest(t)
	c := readContract(t, a.handler)
	c.operations(func(method, template string, _ map[string]any) {
		for _, login := range [][2]string{{"", ""}, anna, {user, password}} {
			req := httptest.NewRequest(method, pathParam.ReplaceAllString(template, "1"), strings.NewReader("{}"))
			if login[0] != "" {
				req.SetBasicAuth(login[0], login[1])
			}
			w := a.do(req)
			require.Equal(t, "no-store", w.Header().Get("Cache-Control"), "%s %s is %d", method, template, w.Code)
			require.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"), "%s %s is %d", method, template, w.Code)
		}
	})
	for _, path := range []string{"/admin", "/admin/v1/none"} {
		require.Equal(t, "no-store", a.call(http.MethodGet, path, "").header.Get("Cache-Control"))
	}
}

// TestHeadHasTheHeadersOfGet also holds that reads change nothing. It needs a real server: net/http drops the body of a HEAD.
func TestHeadHasTheHeadersOfGet(t *testing.T) {
	t.Parallel()
	a := newOpsTest(t)
	id := a.event(a.bosley, "o-1", "purchase_completed", person)
	paths := []string{"/docs", "/docs/swagger-ui.css", "/openapi.json", "/openapi-3.0.json"}
	readContract(t, a.handler).operations(func(method, template string, _ map[string]any) {
		if method == http.MethodGet {
			paths = append(paths, pathParam.ReplaceAllString(template, fmt.Sprint(id)))
		}
	})
	server := httptest.NewServer(a.handler)
	t.Cleanup(server.Close)
	client := &http.Client{Transport: &http.Transport{DisableCompression: true}}
	for _, path := range append(paths, "/nothing", "/admin/v1/events?limit=0") {
		for _, encoding := range []string{"identity", "gzip"} {
			ask := func(method string) (*http.Response, []byte) {
				req, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, nil)
				require.NoError(t, err)
				req.SetBasicAuth(anna[0], anna[1])
				req.Header.Set("Accept-Encoding", encoding)
				req.Header.Set("X-Request-Id", "head-and-get")
				resp, err := client.Do(req)
				require.NoError(t, err)
				body, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				resp.Header.Del("Date")
				return resp, body
			}
			get, body := ask(http.MethodGet)
			head, none := ask(http.MethodHead)
			require.Equal(t, get.StatusCode, head.StatusCode, path)
			require.Equal(t, get.ContentLength < 0, head.ContentLength < 0, path)
			require.InDelta(t, get.ContentLength, head.ContentLength, 40, "%s: but for the digits of times and ages", path)
			get.Header.Del("Content-Length")
			head.Header.Del("Content-Length")
			require.Equal(t, get.Header, head.Header, path)
			require.NotEmpty(t, body, path)
			require.Empty(t, none, path)
		}
	}
	require.Len(t, a.call(http.MethodGet, "/admin/v1/audit", "").items(t), 2, "the two storefronts of the test")
	require.Equal(t, http.StatusNotFound, a.do(httptest.NewRequest(http.MethodHead, "/nothing", nil)).Code)
}

func TestAnIDInAPathIsAPlainNumber(t *testing.T) {
	t.Parallel()
	a := newOpsTest(t)
	for _, id := range []string{"+1", "01", "001", "-1", "+01", "00", "%2B1", "0", "1e0", "1e3", "1.0", "0x1", "1_0", "1a",
		"%2D5", "-0", "99999999999999999999", "9223372036854775808"} {
		for _, path := range []string{"storefronts/" + id, "events/" + id, "replays/" + id} {
			r := a.call(http.MethodGet, "/admin/v1/"+path, "")
			require.Equal(t, http.StatusNotFound, r.status, path)
			require.Equal(t, "not_found", r.body["code"])
		}
	}
	require.Equal(t, http.StatusNotFound, a.call(http.MethodGet, "/admin/v1/storefronts/2147483648", "").status, "more than a column holds")
	require.Equal(t, http.StatusNotFound, a.call(http.MethodGet, "/admin/v1/events/9223372036854775807", "").status)
	require.Equal(t, http.StatusUnprocessableEntity, a.call(http.MethodGet, "/admin/v1/storefronts/bosley", "").status, "a code is not an id")
	require.Equal(t, http.StatusOK, a.call(http.MethodGet, fmt.Sprintf("/admin/v1/storefronts/%d", a.bosley), "").status)
	require.Equal(t, http.StatusNotFound, a.call(http.MethodPost, fmt.Sprintf("/admin/v1/storefronts/0%d/deactivate", a.bosley), "").status)
}

func TestLargeJSONIsCompressed(t *testing.T) {
	t.Parallel()
	a := newAdminTest(t)
	list := func(accept string) *httptest.ResponseRecorder {
		req := httptest.NewRequest(http.MethodGet, "/admin/v1/platforms", nil)
		req.SetBasicAuth(anna[0], anna[1])
		req.Header.Set("Accept-Encoding", accept)
		return a.do(req)
	}
	plain := list("")
	require.Greater(t, plain.Body.Len(), 1024)
	require.Equal(t, "Accept-Encoding", plain.Header().Get("Vary"))
	for accept, packs := range map[string]bool{"gzip": true, "br, gzip;q=0.5": true, "*": true, "GZIP": true, "gzip;q=0": false,
		"gzip;q=0, *": false, "identity": false, "gzip;q=x": false, "gzippy": false} {
		w := list(accept)
		require.Equal(t, packs, w.Header().Get("Content-Encoding") == "gzip", accept)
		body := io.Reader(w.Body)
		if packs {
			require.Less(t, w.Body.Len(), plain.Body.Len()/2)
			z, err := gzip.NewReader(w.Body)
			require.NoError(t, err)
			body = z
		}
		got, err := io.ReadAll(body)
		require.NoError(t, err)
		require.Equal(t, plain.Body.String(), string(got), accept)
	}
	req := httptest.NewRequest(http.MethodGet, "/health", nil)
	req.Header.Set("Accept-Encoding", "gzip")
	small := a.do(req)
	require.Empty(t, small.Header().Get("Content-Encoding"))
	require.JSONEq(t, `{"status":"ok"}`, small.Body.String())
}

// TestTheETagOfACompressedResponseIsAccepted is about a version that a client sends back as it was written.
func TestTheETagOfACompressedResponseIsAccepted(t *testing.T) {
	t.Parallel()
	a := newAdminTest(t)
	a.storefront("bosley")
	path := fmt.Sprintf("/admin/v1/sgtm-configs/%d", a.sgtm("bosley"))
	made := a.must(http.MethodPatch, path, `{"options":{"allow":["`+strings.Repeat(`a_field_of_the_payload","`, 100)+`last"]}}`)
	req := httptest.NewRequest(http.MethodGet, path, nil)
	req.SetBasicAuth(anna[0], anna[1])
	req.Header.Set("Accept-Encoding", "gzip")
	w := a.do(req)
	require.Equal(t, "gzip", w.Header().Get("Content-Encoding"))
	require.Equal(t, "W/"+made.header.Get("ETag"), w.Header().Get("ETag"))
	a.must(http.MethodPatch, path, `{"is_active":false}`, "If-Match", w.Header().Get("ETag"))
}

func TestAPanicWhileABodyIsBufferedReturnsOneDocument(t *testing.T) {
	t.Parallel()
	r := newTest(t, func(_ *api.Config, r *relayed) { r.inbox.panics = true })
	req := request(strings.NewReader(`{"data":[` + event() + `]}`))
	req.Header.Set("Accept-Encoding", "gzip")
	w := r.do(req)
	require.Equal(t, http.StatusInternalServerError, w.Code)
	require.True(t, json.Valid(w.Body.Bytes()))
}
