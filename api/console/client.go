package console

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
)

// noteHeader carries why something is done; the audit keeps it.
const noteHeader = "Relay-Note"

// client calls the REST API in this process, with the login and the request id of a visitor.
type client struct {
	rest  http.Handler
	from  *http.Request
	ctx   context.Context
	id    string // of the visitor's request
	note  string
	calls atomic.Int32
}

// call is one request to the REST API.
type call struct {
	method string
	path   string // with what comes from elsewhere escaped: see segment
	query  url.Values
	body   any
	match  string // for If-Match
	header map[string]string
}

// Problem is a refusal of the REST API, as it is shown.
type Problem struct {
	Status     int          `json:"status"`
	Code       string       `json:"code"`
	Detail     string       `json:"detail"`
	RequestID  string       `json:"request_id"`
	Field      string       `json:"field"`
	Errors     []FieldError `json:"errors"`
	UsedBy     []Use        `json:"used_by"`
	ExistingID int64        `json:"existing_id"`
	RetryAfter string       `json:"-"`
}

// FieldError is one thing that is wrong with what was sent.
type FieldError struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

// Use is something that needs what was to be deleted.
type Use struct {
	Kind  string `json:"kind"`
	Count int    `json:"count"`
}

// Error is the text of the problem.
func (p *Problem) Error() string { return fmt.Sprintf("%d %s: %s", p.Status, p.Code, p.Detail) }

// Title names the next action: the reader's, an admin's, or waiting.
func (p *Problem) Title() string {
	switch {
	case p.Status == http.StatusServiceUnavailable:
		return "Not available now"
	case p.Status == http.StatusForbidden:
		return "Not allowed"
	case p.Status == http.StatusNotFound:
		return "Not found"
	case p.Status == http.StatusTooManyRequests:
		return "Too many failed logins"
	case p.Status == http.StatusConflict, p.Status == http.StatusPreconditionFailed:
		return "Not possible as it is now"
	case p.Status < http.StatusInternalServerError:
		return "Not accepted"
	}
	return "An internal error"
}

// Of returns the message about a field, for a form.
func (p *Problem) Of(field string) string {
	if p == nil {
		return ""
	}
	for _, e := range p.Errors {
		if e.Field == field {
			return e.Message
		}
	}
	if p.Field == field {
		return p.Detail
	}
	return ""
}

// segment is a text as a part of a path.
func segment(s string) string { return url.PathEscape(s) }

func (c *client) get(path string, query url.Values, into any) error {
	_, err := c.do(call{method: http.MethodGet, path: path, query: query}, into)
	return err
}

func (c *client) post(path string, query url.Values, body, into any) error {
	_, err := c.do(call{method: http.MethodPost, path: path, query: query, body: body}, into)
	return err
}

// do makes a call and decodes its response. Its error is a *Problem.
func (c *client) do(k call, into any) (header http.Header, err error) {
	r, err := c.request(k)
	if err != nil {
		return nil, err
	}
	c.calls.Add(1)
	w := &answer{header: http.Header{}, status: http.StatusOK}
	defer func() { // the API answers its own panics, but passes on that of an aborted request
		if v := recover(); v != nil {
			err = &Problem{Status: http.StatusInternalServerError, Detail: "The request was aborted.", RequestID: c.id}
		}
	}()
	c.rest.ServeHTTP(w, r)
	if w.status >= http.StatusMultipleChoices {
		p := &Problem{Status: w.status, RetryAfter: w.header.Get("Retry-After"), RequestID: c.id}
		_ = json.Unmarshal(w.body.Bytes(), p) // what is no problem document still has its status
		p.Status = w.status
		return w.header, p
	}
	if into == nil || w.body.Len() == 0 {
		return w.header, nil
	}
	d := json.NewDecoder(&w.body)
	d.UseNumber() // numbers are shown as they were written
	if err := d.Decode(into); err != nil {
		return w.header, &Problem{Status: http.StatusInternalServerError, Code: "unreadable_answer", Detail: "The API's answer cannot be read.", RequestID: c.id}
	}
	return w.header, nil
}

func (c *client) request(k call) (*http.Request, error) {
	var body io.Reader
	if k.body != nil {
		b, err := json.Marshal(k.body)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(b)
	}
	target := k.path
	if len(k.query) > 0 {
		target += "?" + k.query.Encode()
	}
	r, err := http.NewRequestWithContext(c.ctx, k.method, target, body)
	if err != nil {
		return nil, err
	}
	r.Host, r.RemoteAddr, r.RequestURI = c.from.Host, c.from.RemoteAddr, target
	for _, name := range []string{"Authorization", "X-Forwarded-For"} { // failed logins are limited by the visitor's address
		if values := c.from.Header.Values(name); len(values) > 0 {
			r.Header[name] = values
		}
	}
	r.Header.Set("X-Request-Id", c.id)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
		if k.method == http.MethodPatch {
			r.Header.Set("Content-Type", "application/merge-patch+json")
		}
	}
	for name, value := range k.header {
		r.Header.Set(name, value)
	}
	if k.match != "" {
		r.Header.Set("If-Match", k.match)
	}
	if c.note != "" && k.method != http.MethodGet {
		r.Header.Set(noteHeader, c.note)
	}
	return r, nil
}

// answer holds the response of a call.
type answer struct {
	header http.Header
	status int
	wrote  bool
	body   bytes.Buffer
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if !a.wrote {
		a.status, a.wrote = status, true
	}
}

func (a *answer) Write(p []byte) (int, error) {
	a.wrote = true
	return a.body.Write(p)
}

// Flush is for handlers that stream; a call has its answer as a whole.
func (a *answer) Flush() {}

// problemOf is an error as a page shows it.
func problemOf(err error) *Problem {
	if err == nil {
		return nil
	}
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	return &Problem{Status: http.StatusInternalServerError, Detail: "The page cannot be shown."}
}

// join adds what is set to the parameters of a query.
func join(pairs ...string) url.Values {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if v := strings.TrimSpace(pairs[i+1]); v != "" {
			q.Set(pairs[i], v)
		}
	}
	return q
}
