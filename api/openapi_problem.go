package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/danielgtaylor/huma/v2/validation"
	"github.com/go-json-experiment/json/jsontext"
)

// Codes of refused requests to typed operations.
const (
	codeForbidden        code = "forbidden"
	codeCrossOrigin      code = "cross_origin"
	codeUnknownField     code = "unknown_field"
	codeInvalidValue     code = "invalid_value"
	codeInvalidParameter code = "invalid_parameter"
)

// huma's errors carry the value that was sent. These two variables are how it lets a program have its own, which do not;
// they are the process's, so they are set once, before any server is made.
func init() { //nolint:gochecknoinits // the only way to replace huma's error documents
	huma.NewError = func(status int, detail string, errs ...error) huma.StatusError {
		return documentOf(failureOfHuma(status, detail, errs), "")
	}
	huma.NewErrorWithContext = func(ctx huma.Context, status int, detail string, errs ...error) huma.StatusError {
		l := lineOf(humagin.Unwrap(ctx))
		f := failureOfHuma(status, detail, errs)
		l.fail(f)
		return documentOf(f, l.id)
	}
	// Otherwise {"Is_Active": true} would be taken, as encoding/json does.
	huma.ValidateStrictCasing = true
	// Lists of ours are never null.
	huma.DefaultArrayNullable = false
}

// Problem is an RFC 9457 problem document.
type Problem struct {
	Type      string       `json:"type" example:"about:blank" doc:"Always about:blank: the code says more than a link would."`
	Title     string       `json:"title" example:"Unprocessable Entity" doc:"The HTTP status in words."`
	Status    int          `json:"status" example:"422" doc:"The HTTP status."`
	Detail    string       `json:"detail" example:"the request is not acceptable; errors says what is wrong" doc:"What is wrong, for people."`
	Code      code         `json:"code" example:"missing_field" doc:"What is wrong, for programs: stable. The list of all codes is in the description of this API."`
	RequestID string       `json:"request_id" example:"QH7VXQ2LTRZKC4" doc:"Finds the request in the relay's log. It is the X-Request-Id of the request, where it had a sane one."`
	Field     string       `json:"field,omitempty" example:"measurement_id" doc:"The field or parameter that is to blame, where one is: the first of errors."`
	Offset    *int64       `json:"offset,omitempty" example:"120" doc:"Of malformed JSON: where in the body, in bytes."`
	Errors    []FieldError `json:"errors,omitempty" doc:"All that is wrong with the request, field by field."`
	UsedBy    []Use        `json:"used_by,omitempty" doc:"Of in_use: what uses it."`

	cause      error
	retryAfter string
}

// FieldError is one thing that is wrong with a request. It never repeats a value.
type FieldError struct {
	Field   string `json:"field" example:"measurement_id" doc:"The field, as a path from the body's top; or the parameter."`
	Code    code   `json:"code" example:"missing_field" doc:"What is wrong, for programs."`
	Message string `json:"message" example:"the field is required" doc:"What is wrong, for people."`
}

// Use is something that needs what was to be deleted.
type Use struct {
	Kind  string `json:"kind" example:"credentials" doc:"What kind of thing."`
	Count int    `json:"count" example:"2" doc:"How many of them; counting stops at 1000."`
}

// Error is for huma, which wants one.
func (p *Problem) Error() string { return string(p.Code) }

// GetStatus is the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is a problem document's own.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// GetHeaders are what goes with some codes.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	if p.retryAfter != "" {
		h.Set("Retry-After", p.retryAfter)
	}
	return h
}

func documentOf(f *failure, requestID string) *Problem {
	p := &Problem{Type: "about:blank", Title: title(f.status()), Status: f.status(), Detail: f.detail, Code: f.code,
		RequestID: requestID, Field: f.field, Offset: f.offset, Errors: f.errors, UsedBy: f.uses, cause: f.cause}
	if f.retryAfter > 0 {
		p.retryAfter = f.retryAfterText()
	}
	if p.Field == "" && len(f.errors) > 0 {
		p.Field = f.errors[0].Field
	}
	return p
}

// problemFor reads a handler's error as an answer and leaves the reason in the log.
func problemFor(ctx context.Context, err error) *Problem {
	f := failureOf(ctx, err)
	id := ""
	if l, ok := ctx.Value(lineContextKey{}).(*line); ok {
		l.fail(f)
		id = l.id
	}
	return documentOf(f, id)
}

// lineContextKey is where a handler's context has the request's line.
type lineContextKey struct{}

// refuseFields refuses a request for what is wrong with its fields; nil where nothing is.
func refuseFields(errs []FieldError) error {
	if len(errs) == 0 {
		return nil
	}
	f := refuse(errs[0].Code, "the request is not acceptable; errors says what is wrong")
	f.errors = errs
	return f
}

// failureOfHuma is the one place that reads huma's own errors. Nothing of a value that was sent goes on.
func failureOfHuma(status int, detail string, errs []error) *failure {
	switch {
	case status == http.StatusRequestEntityTooLarge:
		return refuse(codeBodyTooLarge, "the body is larger than this path takes")
	case status == http.StatusRequestTimeout:
		return refuse(codeRequestTimeout, "the body did not come in time")
	case status == http.StatusUnsupportedMediaType:
		return refuse(codeUnsupportedMediaType, "the body must be application/json")
	case status == http.StatusInternalServerError && detail == "cannot read request body":
		return refuse(codeIncompleteBody, "the body ended before it was complete")
	case status >= http.StatusInternalServerError:
		return &failure{code: codeInternal, detail: "something went wrong on our side; the request_id finds it in our log",
			cause: errors.Join(errs...)}
	case status == http.StatusBadRequest:
		return unreadableBody(errs)
	}
	var list []FieldError
	for _, err := range errs {
		list = append(list, fieldError(err))
	}
	// Members of an object come in no order.
	slices.SortStableFunc(list, func(a, b FieldError) int { return strings.Compare(a.Field, b.Field) })
	f, ok := refuseFields(list).(*failure) //nolint:errorlint // it is made here
	if !ok {
		return refuse(codeInvalidValue, "the request is not acceptable")
	}
	return f
}

func unreadableBody(errs []error) *failure {
	for _, err := range errs {
		var d *huma.ErrorDetail
		if errors.As(err, &d) && strings.Contains(d.Message, errRepeated.Error()) {
			return refuse(codeRepeatedField, "the body has a field twice")
		}
	}
	return refuse(codeMalformedJSON, "the body is missing or is no valid JSON in UTF-8")
}

// fieldError reads one finding of huma's validation.
func fieldError(err error) FieldError {
	var d *huma.ErrorDetail
	if !errors.As(err, &d) {
		return FieldError{Code: codeInvalidValue, Message: "the value is not acceptable"}
	}
	source, field, _ := strings.Cut(d.Location, ".")
	// What follows a colon in huma's messages may be a parser's words, which quote the value.
	message, _, _ := strings.Cut(d.Message, ": ")
	e := FieldError{Field: sane(field), Code: codeOf(message), Message: message}
	required := strings.SplitN(validation.MsgExpectedRequiredProperty, "%s", 2)
	switch name, isRequired := strings.CutPrefix(message, required[0]); {
	case source != "body":
		e.Code = codeInvalidParameter
	case isRequired:
		e.Field = strings.TrimPrefix(e.Field+"."+strings.TrimSuffix(name, required[1]), ".")
		e.Code, e.Message = codeMissingField, messages[codeMissingField]
	case e.Code == codeUnknownField:
		e.Message = "there is no such field here"
	}
	return e
}

// codeOf reads the words of huma's validation, which are constants of its package.
func codeOf(message string) code {
	switch message {
	case validation.MsgUnexpectedProperty:
		return codeUnknownField
	case validation.MsgExpectedBoolean, validation.MsgExpectedNumber, validation.MsgExpectedInteger,
		validation.MsgExpectedString, validation.MsgExpectedArray, validation.MsgExpectedObject:
		return codeWrongType
	}
	if strings.HasPrefix(message, "expected length <=") {
		return codeFieldTooLong
	}
	return codeInvalidValue
}

var saneName = regexp.MustCompile(`^[A-Za-z0-9_:-]{1,40}(\[[0-9]+\])?$`)

// sane is a path without names that no field of ours has: they are the client's words, perhaps a secret in a wrong place.
func sane(path string) string {
	parts := strings.Split(path, ".")
	for i, p := range parts {
		if p != "" && !saneName.MatchString(p) {
			parts[i] = "…"
		}
	}
	return strings.Join(parts, ".")
}

var errRepeated = errors.New("repeated field")

// decodeStrictly is json.Unmarshal without its leniency: a repeated field and invalid UTF-8 are errors.
func decodeStrictly(body []byte, to any) error {
	dec := jsontext.NewDecoder(bytes.NewReader(body))
	if _, err := dec.ReadValue(); err != nil {
		if errors.Is(err, jsontext.ErrDuplicateName) {
			return errRepeated
		}
		return err
	}
	return json.Unmarshal(body, to)
}
