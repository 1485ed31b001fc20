// Package console is the relay's web console: pages for admins and ops. It is a client of the REST API in the same process, so
// that rules, redaction, roles, audit and errors exist once: what a page shows or does, a program can read or do by REST.
package console

import (
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Prefix is where the console is served. Pages refer to each other relatively, so that a proxy may add a prefix of its own.
const Prefix = "/console/"

// policy lets a page load what is ours and send forms to us, and nothing else: no script and no style within a page.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; " +
	"base-uri 'none'; frame-ancestors 'none'"

// Bounds of the calls of a page: without a database a page is there soon, and says so. What a form asks for, such as a test
// event, may wait for a destination.
const (
	pageTimeout = 8 * time.Second
	formTimeout = 25 * time.Second
)

// page is a row of the console: an address, how it is shown, and what a form that is sent to it does.
type page struct {
	path     string // below Prefix, in the notation of http.ServeMux; an empty one is the first page
	place    string // the entry of the navigation it belongs to
	title    string
	template string // the file in templates/, without its extension

	show func(*visit) (any, error)  // reads what the template shows
	act  func(*visit) (next, error) // does what a form asks for; nil where the page has no form
}

// next is what follows a form: another page, or this one with other data, for what must not be in an address or a cache. A copy
// of the form is then led to the page that to names.
type next struct {
	to   string // below Prefix
	data any
}

// pages is the table of all pages. Each family has a file of its own.
func pages() []page {
	return slices.Concat(overviewPages(), eventPages(), routePages(), destinationPages(), replayPages(),
		storefrontPages(), platformPages(), auditPages(), erasurePages(), systemPages(), livePages())
}

// places is the navigation, in its order, with the key that leads there after g.
var places = []struct{ Name, Path, Key string }{
	{"Overview", "", "o"},
	{"Events", "events", "e"},
	{"Routes", "routes", "r"},
	{"Destinations", "destinations", "d"},
	{"Replays", "replays", "p"},
	{"Storefronts", "storefronts", "s"},
	{"Platforms", "platforms", "l"},
	{"Audit", "audit", "a"},
	{"Erasures", "erasures", "x"},
	{"System", "system", "y"},
}

// Console serves the pages.
type Console struct {
	rest http.Handler
	log  *slog.Logger
	mux  *http.ServeMux
	bar  bar
	once once
}

// New is the handler of everything below Prefix. rest is the REST API, with its own logins: the console passes on those of its
// visitors.
func New(rest http.Handler, log *slog.Logger) *Console {
	c := &Console{rest: rest, log: log, mux: http.NewServeMux()}
	views() // a template that does not parse stops the start
	for _, p := range pages() {
		c.mux.Handle("GET "+Prefix+end(p.path), c.serve(p))
		if p.act != nil {
			c.mux.Handle("POST "+Prefix+end(p.path), c.serve(p))
		}
	}
	c.mux.Handle("GET "+Prefix+"static/{file}", http.HandlerFunc(embedded().serve))
	c.mux.Handle("GET "+Prefix+"sign-out", http.HandlerFunc(c.signOut))
	c.mux.Handle(Prefix, c.elsewhere())
	return c
}

// elsewhere answers what no page takes: an address without a page, and a form that is sent to a page without one.
func (c *Console) elsewhere() http.HandlerFunc {
	missing, formless := c.serve(notFound), c.serve(noForm)
	return func(w http.ResponseWriter, r *http.Request) {
		shown := *r
		shown.Method = http.MethodGet
		if _, pattern := c.mux.Handler(&shown); pattern == Prefix {
			missing.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Allow", http.MethodGet)
		formless.ServeHTTP(w, r)
	}
}

// end makes the first page's pattern match itself alone.
func end(path string) string {
	if path == "" {
		return "{$}"
	}
	return path
}

// ServeHTTP adds the headers that every answer has.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	c.mux.ServeHTTP(w, r)
}

// root is the way from a page to Prefix: addresses are relative, so that they hold behind any proxy.
func root(path string) string {
	depth := strings.Count(strings.TrimPrefix(path, Prefix), "/")
	if depth == 0 {
		return "./"
	}
	return strings.Repeat("../", depth)
}

// notFound, noForm and refused are pages without an address of their own.
var (
	notFound = page{title: "Not found", template: "notfound", show: func(*visit) (any, error) {
		return nil, &Problem{Status: http.StatusNotFound, Detail: "The console has no page at this address."}
	}}
	noForm = page{title: "Not possible", template: "notfound", show: func(*visit) (any, error) {
		return nil, &Problem{Status: http.StatusMethodNotAllowed, Detail: "The page at this address takes no form."}
	}}
	refused = page{title: "Not possible", template: "refused"}
)

// signOut makes the browser forget the login: it does so when the login is refused.
func (c *Console) signOut(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("WWW-Authenticate", `Basic realm="relay", charset="UTF-8"`)
	http.Error(w, "Signed out. Close the window, or sign in again at the console's address.", http.StatusUnauthorized)
}
