package api

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"relay/internal/ops"
	"relay/internal/relay"
)

// failure is why a whole request is refused. Everything in it but the cause is shown to the client, so no text of it may
// come from the request.
type failure struct {
	code     code
	detail   string
	field    string       // of the body, where one is at fault
	offset   *int64       // in bytes of the (decompressed) body, of malformed JSON
	batch    *BatchResult // of a batch without an acceptable item
	errors   []FieldError
	uses     []Use // of a resource in use
	existing int64 // the id of the resource that has the value already
	cause    error // logged, never shown

	retryAfter time.Duration // for the header; 0 is none
}

// Error is for the log.
func (f *failure) Error() string {
	if f.cause == nil {
		return string(f.code)
	}
	return string(f.code) + ": " + f.cause.Error()
}

func (f *failure) Unwrap() error { return f.cause }

// refuse returns a failure with the text of its code.
func refuse(c code) *failure { return &failure{code: c, detail: c.message()} }

// refuseWith returns a failure with a text that is more precise than that of its code.
func refuseWith(c code, detail string) *failure { return &failure{code: c, detail: detail} }

func refuseField(c code, field, detail string) *failure {
	return &failure{code: c, field: field, detail: detail}
}

// becauseOf adds the cause, for the log.
func (f *failure) becauseOf(cause error) *failure {
	f.cause = cause
	return f
}

// after adds when to retry.
func (f *failure) after(wait time.Duration) *failure {
	f.retryAfter = wait
	return f
}

// failureOf is the one place that translates an error from below. The text of such an error stays in the log.
func failureOf(ctx context.Context, err error) *failure {
	var f *failure
	var refused *ops.WriteError
	switch {
	case errors.As(err, &f):
		return f
	case errors.As(err, &refused):
		return writeFailure(refused)
	case errors.Is(err, relay.ErrNotFound):
		return refuse(codeNotFound)
	case errors.Is(ctx.Err(), context.Canceled):
		return refuse(codeClientGone).becauseOf(err)
	case errors.Is(err, relay.ErrUnavailable), errors.Is(err, context.DeadlineExceeded):
		return refuse(codeDatabaseUnavailable).becauseOf(err).after(retryAfter)
	}
	return refuse(codeInternal).becauseOf(err)
}

// failureOf adds to an unavailable database whether it refuses writes. It asks, because the driver drops the connection to a
// read-only server without its error.
func (s *server) failureOf(ctx context.Context, err error) *failure {
	f := failureOf(ctx, err)
	if f.code != codeDatabaseUnavailable || s.deps.Database == nil {
		return f
	}
	ctx, cancel := context.WithTimeout(ctx, writablePatience)
	defer cancel()
	var u *relay.Unwritable
	if errors.As(s.deps.Database.Writable(ctx), &u) && ctx.Err() == nil {
		f.detail = "the database cannot be written (" + string(u.Why) + "); send the same request again, stored events will count as duplicates"
	}
	return f
}

// status is the code's; a code of items that refuses a request is a mistake of ours.
func (f *failure) status() int { return cmp.Or(codes[f.code].status, http.StatusInternalServerError) }

// retryAfterText is whole seconds, rounded up; "" if there is no wait.
func (f *failure) retryAfterText() string {
	if f.retryAfter <= 0 {
		return ""
	}
	return strconv.Itoa(int(math.Ceil(f.retryAfter.Seconds())))
}

// ProblemHead holds the members that every problem document has (RFC 9457).
type ProblemHead struct {
	Type      string `json:"type" example:"about:blank" doc:"Always about:blank: the code says more than a link would."`
	Title     string `json:"title" example:"Unprocessable Entity" doc:"The text of the HTTP status."`
	Status    int    `json:"status" example:"422" doc:"The HTTP status."`
	Detail    string `json:"detail" example:"the request is not acceptable; errors lists the reasons" doc:"The reason, as a text."`
	Code      code   `json:"code" example:"missing_field" doc:"The reason, for programs: stable. The description of this API lists all codes."`
	RequestID string `json:"request_id" example:"QH7VXQ2LTRZKC4" doc:"Finds the request in the relay's log. It is the X-Request-Id of the request, if it had a valid one."`
	Field     string `json:"field,omitempty" example:"measurement_id" doc:"The field or parameter at fault, if there is one: the first of errors."`
}

// Problem is the document of every refused request.
type Problem struct {
	ProblemHead
	Offset     *int64       `json:"offset,omitempty" example:"120" doc:"Of malformed JSON: where in the body, in bytes."`
	Errors     []FieldError `json:"errors,omitempty" doc:"Everything that is wrong with the request, field by field."`
	ExistingID int64        `json:"existing_id,omitempty" example:"5" doc:"Of already_exists: the id of the resource that has the value."`
	UsedBy     []Use        `json:"used_by,omitempty" doc:"Of in_use: its users."`

	retryAfter string
	batch      *BatchResult
}

// BatchProblem is a Problem as a batch without an acceptable item gets it.
type BatchProblem struct {
	ProblemHead
	Accepted        *int        `json:"accepted,omitempty" example:"0" doc:"Always 0."`
	Duplicates      *int        `json:"duplicates,omitempty" example:"0" doc:"Always 0."`
	Rejected        *int        `json:"rejected,omitempty" example:"1" doc:"Number of rejected items: all of them."`
	Errors          []ItemError `json:"errors,omitempty" doc:"Why; at most 1000."`
	ErrorsOmitted   int         `json:"errors_omitted,omitempty" example:"0" doc:"Number of further errors."`
	Warnings        []ItemError `json:"warnings,omitempty" doc:"Warnings; at most 1000."`
	WarningsOmitted int         `json:"warnings_omitted,omitempty" example:"0" doc:"Number of further warnings."`
}

// FieldError is one thing that is wrong with a request. It never repeats a value.
type FieldError struct {
	Field   string `json:"field" example:"measurement_id" doc:"The field, as a path from the body's top; or the parameter."`
	Code    code   `json:"code" example:"missing_field" doc:"The reason, for programs."`
	Message string `json:"message" example:"the field is required" doc:"The reason, as a text."`
}

// Use counts the users of a resource that was to be deleted.
type Use struct {
	Kind  string `json:"kind" example:"credentials" doc:"The kind of thing."`
	Count int    `json:"count" example:"2" doc:"Their number; counting stops at 1000."`
}

// problem returns the document of a failure.
func (f *failure) problem(requestID string) *Problem {
	p := &Problem{ProblemHead: ProblemHead{Type: "about:blank", Title: title(f.status()), Status: f.status(), Detail: f.detail, Code: f.code,
		RequestID: requestID, Field: f.field}, Offset: f.offset, Errors: f.errors, UsedBy: f.uses, ExistingID: f.existing,
		retryAfter: f.retryAfterText(), batch: f.batch}
	if p.Field == "" && len(f.errors) > 0 {
		p.Field = f.errors[0].Field
	}
	return p
}

// body returns the document, for a batch with its counts.
func (p *Problem) body() any {
	b := p.batch
	if b == nil {
		return p
	}
	return BatchProblem{ProblemHead: p.ProblemHead, Accepted: &b.Accepted, Duplicates: &b.Duplicates, Rejected: &b.Rejected,
		Errors: b.Errors, ErrorsOmitted: b.ErrorsOmitted, Warnings: b.Warnings, WarningsOmitted: b.WarningsOmitted}
}

// Error is for huma, which requires one.
func (p *Problem) Error() string { return string(p.Code) }

// GetStatus is the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is a problem document's own.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// GetHeaders returns the headers that belong to some codes.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	if p.retryAfter != "" {
		h.Set("Retry-After", p.retryAfter)
	}
	if p.Code == codeUnsupportedEncoding {
		h.Set("Accept-Encoding", "gzip")
	}
	return h
}

// fail responds with a problem document and ends the chain.
func (s *server) fail(c *gin.Context, l *requestLog, err error) {
	c.Abort()
	f := s.failureOf(c.Request.Context(), err)
	l.fail(f)
	if c.Writer.Written() {
		return
	}
	p := f.problem(l.id)
	for name, values := range p.GetHeaders() {
		c.Header(name, values[0])
	}
	write(c, p.Status, p.ContentType(""), p.body())
}

func title(status int) string {
	if status == statusClientGone {
		return "Client Closed Request"
	}
	return http.StatusText(status)
}

// write responds with v as JSON. Our types always marshal: text that is not UTF-8 becomes U+FFFD.
func write(c *gin.Context, status int, contentType string, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{}`)
	}
	c.Data(status, contentType, append(body, '\n'))
}
