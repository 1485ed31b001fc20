package api

import (
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

// code names what is wrong with a request or an item. Codes are part of the API: OMS branches on them.
type code string

// Codes of refused requests.
const (
	codeUnauthorized         code = "unauthorized"
	codeNotFound             code = "not_found"
	codeMethodNotAllowed     code = "method_not_allowed"
	codeMalformedJSON        code = "malformed_json"
	codeMalformedGzip        code = "malformed_gzip"
	codeIncompleteBody       code = "incomplete_body"
	codeNotAnObject          code = "not_an_object"
	codeRepeatedField        code = "repeated_field"
	codeRequestTimeout       code = "request_timeout"
	codeBodyTooLarge         code = "body_too_large"
	codeTooManyItems         code = "too_many_items"
	codeUnsupportedMediaType code = "unsupported_media_type"
	codeUnsupportedEncoding  code = "unsupported_encoding"
	codeNoAcceptableItem     code = "no_acceptable_item"
	codeDatabaseUnavailable  code = "database_unavailable"
	codeTooManyLogins        code = "too_many_logins"
	codeBusy                 code = "busy"
	codeClientGone           code = "client_gone"
	codeInternal             code = "internal_error"
)

// statusClientGone is nginx's status for a client that did not wait. Nobody reads it but the log.
const statusClientGone = 499

// statuses is the one table from code to HTTP status; a code that is not in it is a 500.
var statuses = map[code]int{
	codeUnauthorized:         http.StatusUnauthorized,
	codeNotFound:             http.StatusNotFound,
	codeMethodNotAllowed:     http.StatusMethodNotAllowed,
	codeMalformedJSON:        http.StatusBadRequest,
	codeMalformedGzip:        http.StatusBadRequest,
	codeIncompleteBody:       http.StatusBadRequest,
	codeNotAnObject:          http.StatusBadRequest,
	codeRepeatedField:        http.StatusUnprocessableEntity,
	codeMissingField:         http.StatusUnprocessableEntity,
	codeWrongType:            http.StatusUnprocessableEntity,
	codeNoAcceptableItem:     http.StatusUnprocessableEntity,
	codeForbidden:            http.StatusForbidden,
	codeCrossOrigin:          http.StatusForbidden,
	codeUnknownField:         http.StatusUnprocessableEntity,
	codeInvalidValue:         http.StatusUnprocessableEntity,
	codeInvalidParameter:     http.StatusUnprocessableEntity,
	codeInvalidCharacter:     http.StatusUnprocessableEntity,
	codeFieldTooLong:         http.StatusUnprocessableEntity,
	codeUnknownStorefront:    http.StatusUnprocessableEntity,
	codeUnknownPlatform:      http.StatusUnprocessableEntity,
	codeImmutableField:       http.StatusUnprocessableEntity,
	codeForbiddenHeader:      http.StatusUnprocessableEntity,
	codeInvalidURL:           http.StatusUnprocessableEntity,
	codeAlreadyExists:        http.StatusConflict,
	codeIDRetired:            http.StatusConflict,
	codeInUse:                http.StatusConflict,
	codeVersionMismatch:      http.StatusPreconditionFailed,
	codeRequestTimeout:       http.StatusRequestTimeout,
	codeBodyTooLarge:         http.StatusRequestEntityTooLarge,
	codeTooManyItems:         http.StatusRequestEntityTooLarge,
	codeUnsupportedMediaType: http.StatusUnsupportedMediaType,
	codeUnsupportedEncoding:  http.StatusUnsupportedMediaType,
	codeDatabaseUnavailable:  http.StatusServiceUnavailable,
	codeTooManyLogins:        http.StatusTooManyRequests,
	codeBusy:                 http.StatusServiceUnavailable,
	codeClientGone:           statusClientGone,
	codeInternal:             http.StatusInternalServerError,
}

// failure is why a whole request is refused. Everything in it but the cause is shown to the client, so no text of it may
// come from the request.
type failure struct {
	code     code
	detail   string
	field    string   // of the body, where one is to blame
	offset   *int64   // in bytes of the (decompressed) body, of malformed JSON
	summary  *summary // of a batch without an acceptable item
	errors   []FieldError
	uses     []Use // of what is in use
	existing int64 // the id of what has the value already
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

func refuse(c code, detail string) *failure { return &failure{code: c, detail: detail} }

func refuseField(c code, field, detail string) *failure {
	return &failure{code: c, field: field, detail: detail}
}

// failureOf is the one place that reads an error from below as an answer. Words of such an error stay in the log.
func failureOf(ctx context.Context, err error) *failure {
	var f *failure
	var refused *ops.WriteError
	switch {
	case errors.As(err, &f):
		return f
	case errors.As(err, &refused):
		return writeFailure(refused)
	case errors.Is(err, relay.ErrNotFound):
		return refuse(codeNotFound, "there is nothing with this id")
	case errors.Is(ctx.Err(), context.Canceled):
		return &failure{code: codeClientGone, detail: "the client did not wait for the answer", cause: err}
	case errors.Is(err, relay.ErrUnavailable), errors.Is(err, context.DeadlineExceeded):
		return &failure{code: codeDatabaseUnavailable, cause: err, retryAfter: retryAfter,
			detail: "the database does not answer; send the same request again, what is already stored will count as duplicates"}
	}
	return &failure{code: codeInternal, detail: "something went wrong on our side; the request_id finds it in our log", cause: err}
}

func (f *failure) status() int {
	if s, ok := statuses[f.code]; ok {
		return s
	}
	return http.StatusInternalServerError
}

// retryAfterText is whole seconds, rounded up.
func (f *failure) retryAfterText() string {
	return strconv.Itoa(int(math.Ceil(f.retryAfter.Seconds())))
}

// problem is an RFC 9457 problem document. Type stays "about:blank": the code says more than a link would.
type problem struct {
	Type      string `json:"type"`
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Detail    string `json:"detail"`
	Code      code   `json:"code"`
	RequestID string `json:"request_id"`
	Field     string `json:"field,omitempty"`
	Offset    *int64 `json:"offset,omitempty"`
	*summary
}

// fail answers with a problem document and ends the chain.
func (s *server) fail(c *gin.Context, l *line, err error) {
	c.Abort()
	f := failureOf(c.Request.Context(), err)
	l.fail(f)
	if c.Writer.Written() {
		return
	}
	if f.retryAfter > 0 {
		c.Header("Retry-After", f.retryAfterText())
	}
	if f.code == codeUnsupportedEncoding {
		c.Header("Accept-Encoding", "gzip")
	}
	write(c, f.status(), "application/problem+json", problem{
		Type: "about:blank", Title: title(f.status()), Status: f.status(), Detail: f.detail, Code: f.code,
		RequestID: l.id, Field: f.field, Offset: f.offset, summary: f.summary,
	})
}

func title(status int) string {
	if status == statusClientGone {
		return "Client Closed Request"
	}
	return http.StatusText(status)
}

// write answers with v as JSON. Our answers always marshal: text that is not UTF-8 becomes U+FFFD.
func write(c *gin.Context, status int, contentType string, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{}`)
	}
	c.Data(status, contentType, append(body, '\n'))
}
