package console

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// maxForm bounds what a form may send.
const maxForm = 1 << 20

// visit is one request for a page: the visitor, and the calls made for it.
type visit struct {
	*client
	console *Console
	request *http.Request
	now     time.Time
	visitor visitor

	query   url.Values // of the address
	form    url.Values // as it was sent; empty where no form was
	problem *Problem   // why what the form asked for was not done
	title   string     // instead of the page's
	stream  string     // the parameters of the page's stream
}

// visitor is who asks.
type visitor struct {
	Name     string `json:"name"`
	ReadOnly bool   `json:"read_only"`
}

// part is a part of the address that the pattern names.
func (v *visit) part(name string) string { return v.request.PathValue(name) }

// serve makes a page a handler.
func (c *Console) serve(p page) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from, timeout := r.Context(), pageTimeout
		if r.Method == http.MethodPost { // what was begun is done, though the browser drops the request, as of the first of two clicks
			from, timeout = context.WithoutCancel(from), formTimeout
		}
		ctx, cancel := context.WithTimeout(from, timeout)
		defer cancel()
		v := &visit{console: c, request: r, now: time.Now().UTC(), query: r.URL.Query(), form: url.Values{},
			client: &client{rest: c.rest, from: r, ctx: ctx, id: w.Header().Get("X-Request-Id")}}
		if header, err := v.do(call{method: http.MethodGet, path: "/admin/v1/me"}, &v.visitor); err != nil {
			c.turnAway(w, v, header, problemOf(err))
			return
		}
		v.calls.Store(0) // the login reads nothing
		if r.Method == http.MethodPost && p.act != nil {
			c.act(w, r, v, p)
		} else {
			c.show(w, v, p)
		}
	})
}

// turnAway answers a visitor without a login that may see the console.
func (c *Console) turnAway(w http.ResponseWriter, v *visit, header http.Header, problem *Problem) {
	for _, name := range []string{"WWW-Authenticate", "Retry-After"} {
		if value := header.Get(name); value != "" {
			w.Header().Set(name, value)
		}
	}
	if problem.Status == http.StatusUnauthorized {
		problem.Detail = "The console needs the login of an admin."
	}
	if problem.Status == http.StatusForbidden {
		problem.Detail = "This login is OMS's: it sends events and reads their status. The console needs the login of an admin."
	}
	c.write(w, v, refused, problem.Status, &screen{Bare: true, Problem: problem})
}

// act does what a form asks for.
func (c *Console) act(w http.ResponseWriter, r *http.Request, v *visit, p page) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		v.problem = &Problem{Status: http.StatusBadRequest, Detail: "The form cannot be read.", RequestID: v.id}
		c.show(w, v, p)
		return
	}
	v.form = r.PostForm
	v.note = strings.TrimSpace(v.form.Get("note"))
	then, err := c.once.do(v.formKey(), v.form.Get("once") != "", func() (next, error) { return p.act(v) })
	switch {
	case err != nil:
		v.problem = problemOf(err)
		c.show(w, v, p)
	case then.data != nil:
		c.write(w, v, p, http.StatusOK, v.screen(p, then.data))
	default:
		w.Header().Set("Location", root(r.URL.Path)+then.to)
		w.WriteHeader(http.StatusSeeOther)
	}
}

// show reads what a page shows. What keeps the whole page from being shown is shown in its place.
func (c *Console) show(w http.ResponseWriter, v *visit, p page) {
	data, err := p.show(v)
	if err != nil {
		problem := problemOf(err)
		s := v.screen(p, nil)
		s.Problem, s.Title = problem, problem.Title()
		c.write(w, v, notFound, problem.Status, s)
		return
	}
	status := http.StatusOK
	if v.problem != nil {
		status = v.problem.Status
	}
	c.write(w, v, p, status, v.screen(p, data))
}

// together makes calls at the same time.
func (v *visit) together(calls ...func()) {
	var wg sync.WaitGroup
	for _, f := range calls {
		wg.Go(f)
	}
	wg.Wait()
}

// done is the address of a page with the line of the audit about what was just done.
func (v *visit) done(to string) next {
	u, err := url.Parse(to)
	if err != nil {
		return next{to: to}
	}
	q := u.Query()
	q.Set("done", v.id)
	u.RawQuery = q.Encode()
	return next{to: u.String()}
}

// AuditLine is what was done, by whom.
type AuditLine struct {
	ID        int64         `json:"id"`
	At        time.Time     `json:"at"`
	Actor     string        `json:"actor"`
	Action    string        `json:"action"`
	Entity    string        `json:"entity"`
	EntityID  int64         `json:"entity_id"`
	Name      string        `json:"name"`
	RequestID string        `json:"request_id"`
	Note      string        `json:"note"`
	Changes   []auditChange `json:"changes"`
}

// auditChange is what became of one field. Of a secret it has no value.
type auditChange struct {
	Field string `json:"field"`
	From  any    `json:"from"`
	To    any    `json:"to"`
}

// Was is what the field was; nothing where it was not there.
func (c auditChange) Was() string { return short(c.From) }

// Is is what it is since.
func (c auditChange) Is() string { return short(c.To) }

// flash is the result of what was done before this page was shown. The address has the request's id alone, and the audit the
// rest, so that neither a cookie nor a forged address can claim anything.
type flash struct {
	Line *AuditLine // nil: nothing had to be done
}

func (v *visit) flash() *flash {
	id := v.query.Get("done")
	if id == "" || len(v.form) > 0 {
		return nil
	}
	var list struct{ Items []AuditLine }
	if v.get("/admin/v1/audit", join("actor", v.visitor.Name, "limit", "20"), &list) != nil {
		return nil
	}
	for _, line := range list.Items {
		if line.RequestID == id {
			return &flash{&line}
		}
	}
	return &flash{}
}

// once makes a form that is sent twice, as by a double click, act once. It is of this process: a form whose second copy meets
// another one is left to REST's own rules.
type once struct {
	mu    sync.Mutex
	forms map[string]*sent
}

type sent struct {
	done chan struct{}
	at   time.Time
	then next
	err  error
}

// Bounds of the forms that are remembered.
const (
	rememberForms = 1000
	rememberFor   = 10 * time.Minute
)

var errInterrupted = errors.New("the first of two equal forms was interrupted")

func (o *once) do(key string, ask bool, act func() (next, error)) (next, error) {
	if !ask {
		return act()
	}
	o.mu.Lock()
	if s := o.forms[key]; s != nil {
		o.mu.Unlock()
		<-s.done
		return s.then, s.err
	}
	o.forget()
	s := &sent{done: make(chan struct{}), at: time.Now(), err: errInterrupted}
	o.forms[key] = s
	o.mu.Unlock()
	defer close(s.done)
	then, err := act()
	s.then, s.err = next{to: then.to}, err // never what a page shows: it may be a person's
	return then, err
}

// forget makes room.
func (o *once) forget() {
	if o.forms == nil {
		o.forms = map[string]*sent{}
	}
	if len(o.forms) < rememberForms {
		return
	}
	for key, s := range o.forms {
		if time.Since(s.at) > rememberFor || len(o.forms) >= 2*rememberForms {
			delete(o.forms, key)
		}
	}
}

// formID names the forms of a page as it was shown.
func formID() string { return rand.Text() }

// formKey is the same for two copies of one form alone: a page has several forms under one id, so the address and what was
// filled in count, too.
func (v *visit) formKey() string {
	sum := sha256.Sum256([]byte(v.form.Encode()))
	return strings.Join([]string{v.visitor.Name, v.request.Method, v.request.URL.RequestURI(), hex.EncodeToString(sum[:])}, " ")
}

// write renders a page and sends it.
func (c *Console) write(w http.ResponseWriter, v *visit, p page, status int, s *screen) {
	if s.Title == "" {
		s.Title = p.title
	}
	var b bytes.Buffer
	if err := views()[p.template].render(&b, s); err != nil {
		c.log.Error("console.render", "page", p.template, "error", err, "request_id", v.id)
		http.Error(w, "The page cannot be shown. Request "+v.id+".", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(relative(b.Bytes(), v.request.URL.Path)) // who asked is gone
}
