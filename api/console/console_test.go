package console_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/api/console"
)

func TestEveryAnswerHasTheHeadersThatKeepAPageToItself(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"", "keys", "nowhere", "static/nothing.js", "sign-out"} {
		h := newSite().get(t, path).Header()
		require.Contains(t, h.Get("Content-Security-Policy"), "default-src 'none'; script-src 'self'", path)
		require.NotContains(t, h.Get("Content-Security-Policy"), "unsafe", path)
		require.Contains(t, h.Get("Content-Security-Policy"), "frame-ancestors 'none'", path)
		require.Equal(t, "nosniff", h.Get("X-Content-Type-Options"), path)
		require.Equal(t, "no-referrer", h.Get("Referrer-Policy"), path)
		require.Equal(t, "same-origin", h.Get("Cross-Origin-Opener-Policy"), path)
		require.Equal(t, "no-store", h.Get("Cache-Control"), path)
	}
}

func TestAssetsAreKeptForGoodUnderTheirDigest(t *testing.T) {
	t.Parallel()
	s := newSite()
	page := s.get(t, "").Body.String()
	found := regexp.MustCompile(`"\./(static/[a-z]+\.[0-9a-f]{12}\.(?:css|js|svg))"`).FindAllStringSubmatch(page, -1)
	require.Len(t, found, 3, page)
	for _, f := range found {
		w := s.get(t, f[1])
		require.Equal(t, http.StatusOK, w.Code)
		require.Equal(t, "public, max-age=31536000, immutable", w.Header().Get("Cache-Control"))
		require.Contains(t, w.Header().Get("Content-Type"), map[string]string{"css": "text/css", ".js": "text/javascript", "svg": "image/svg"}[f[1][len(f[1])-3:]])
	}
}

func TestScriptAndStyleStaySmall(t *testing.T) {
	t.Parallel()
	for file, most := range map[string]int{"app.css": 10 << 10, "app.js": 8 << 10} {
		b, err := os.ReadFile("static/" + file)
		require.NoError(t, err)
		require.LessOrEqual(t, len(b), most, file)
	}
}

// What the browser's policy would refuse is not written in the first place.
func TestTemplatesHoldNeitherScriptNorStyle(t *testing.T) {
	t.Parallel()
	files, err := os.ReadDir("templates")
	require.NoError(t, err)
	for _, f := range files {
		b, err := os.ReadFile("templates/" + f.Name())
		require.NoError(t, err)
		for _, banned := range []string{" style=", "<style", " onclick", " onsubmit", "javascript:", "http://", "https://", "<script>"} {
			require.NotContains(t, string(b), banned, f.Name())
		}
	}
}

func TestAVisitorWithoutARightSeesWords(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]string{
		http.StatusUnauthorized:       "needs the login of an admin",
		http.StatusForbidden:          "This login is OMS&#39;s",
		http.StatusTooManyRequests:    "too many failed logins",
		http.StatusServiceUnavailable: "too many failed logins",
	} {
		s := newSite()
		s.answers["GET /admin/v1/me"] = problem(status, "x", "too many failed logins")
		w := s.get(t, "")
		require.Equal(t, status, w.Code)
		require.Contains(t, w.Body.String(), want)
		require.NotContains(t, w.Body.String(), "<nav")
		require.Equal(t, status == http.StatusUnauthorized, w.Header().Get("WWW-Authenticate") != "")
		require.Empty(t, s.calls(), "nothing else is asked")
	}
}

func TestTheAPISeesTheVisitorAndTheRequest(t *testing.T) {
	t.Parallel()
	s := newSite()
	r := httptest.NewRequest(http.MethodGet, "/console/", nil)
	r.Header.Set("X-Forwarded-For", "203.0.113.7")
	r.Header.Set("Accept-Encoding", "gzip")
	r.Header.Set("Cookie", "a=b")
	require.Equal(t, http.StatusOK, s.do(r).Code)
	me := s.last(t, "GET /admin/v1/me").header
	require.NotEmpty(t, me.Get("Authorization"))
	require.Equal(t, "request-of-page", me.Get("X-Request-Id"))
	require.Equal(t, "203.0.113.7", me.Get("X-Forwarded-For"))
	require.Empty(t, me.Get("Accept-Encoding"))
	require.Empty(t, me.Get("Cookie"))
}

func TestAFormToAPageThatTakesNoneIsRefused(t *testing.T) {
	t.Parallel()
	s := world("brio")
	for path, status := range map[string]int{"nowhere": http.StatusNotFound, "events": http.StatusMethodNotAllowed, "": http.StatusMethodNotAllowed, "replays/3/events": http.StatusMethodNotAllowed,
		"static/app.js": http.StatusMethodNotAllowed} {
		w := s.post(path, "do", "format", "once", "page-1")
		require.Equal(t, status, w.Code, path)
		require.Equal(t, "text/html; charset=utf-8", w.Header().Get("Content-Type"), path)
		require.Contains(t, w.Body.String(), "<nav", path)
		if status == http.StatusMethodNotAllowed {
			require.Equal(t, "GET", w.Header().Get("Allow"), path)
			require.Contains(t, w.Body.String(), "takes no form", path)
		}
	}
	require.Empty(t, s.log.String())
}

func TestAddressesAreRelative(t *testing.T) {
	t.Parallel()
	for path, root := range map[string]string{"": "./", "keys": "./", "a/b": "../", "a/b/c": "../../"} {
		body := newSite().get(t, path).Body.String()
		require.Contains(t, body, fmt.Sprintf(`href="%skeys"`, root), path)
		require.NotContains(t, body, `"/console/`, path)
	}
}

func TestEveryAddressOnEveryPageIsRelative(t *testing.T) {
	t.Parallel()
	attributes := regexp.MustCompile(` (?:href|action|src|data-live)="([^"]*)"`)
	for path := range console.Pages() {
		found := attributes.FindAllStringSubmatch(world("brio").get(t, addresses[path]).Body.String(), -1)
		require.NotEmpty(t, found, path)
		for _, f := range found {
			require.Regexp(t, `^(\./|(\.\./)+|https?://|#|$)`, f[1], path)
		}
	}
}

// Only an address of ours is made relative: a value that looks like one is shown, and saved again, as it is.
func TestAValueThatLooksLikeAnAddressStays(t *testing.T) {
	t.Parallel()
	s := settingsSite()
	container := object{"id": 3, "storefront_code": "nova", "sgtm_url": "https://tags.example.com", "client_type": "custom", "custom_endpoint_path": "/console/collect",
		"api_secret": object{"is_set": false}, "fallback": "direct", "on_exhausted": "fail"}
	s.on("GET /admin/v1/sgtm-configs", object{"items": list{container}})
	s.on("POST /admin/v1/sgtm-configs/3/check", object{"ok": true, "warnings": list{}})
	require.Contains(t, s.get(t, "storefronts/nova/sgtm/settings").Body.String(), `name="custom_endpoint_path" value="/console/collect"`)
}

func TestTheBarKeepsItsLastFiguresWhereThereAreNoNewOnes(t *testing.T) {
	t.Parallel()
	s := newSite()
	require.Contains(t, s.get(t, "").Body.String(), "1,204")
	body := s.get(t, "keys").Body.String()
	require.Contains(t, body, "1,204")
	require.Equal(t, 1, s.count("GET /admin/v1/stats"), "the bar is read once in a while")

	s = newSite()
	s.answers["GET /admin/v1/stats"] = problem(http.StatusServiceUnavailable, "database_unavailable", "the database does not respond")
	w := s.get(t, "keys")
	require.Equal(t, http.StatusOK, w.Code, "a page that needs no database has none to miss")
	require.Contains(t, w.Body.String(), "The counts are not available now")
	w = s.get(t, "")
	require.Equal(t, http.StatusOK, w.Code)
	require.Contains(t, w.Body.String(), "the database does not respond")
	require.Contains(t, w.Body.String(), "request-of-rest")
}

func TestEveryPageHasOneHeadingAndATitle(t *testing.T) {
	t.Parallel()
	for _, p := range console.Pages() {
		require.NotEmpty(t, p, "a page without a title")
	}
	body := newSite().get(t, "keys").Body.String()
	require.Equal(t, 1, strings.Count(body, "<h1"))
	require.Contains(t, body, "<title>Keys · relay</title>")
}
