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

// huma's errors carry the value that was sent. These two variables are how it lets a program have its own, which do not;
// they are the process's, so they are set once, before any server is made.
func init() { //nolint:gochecknoinits // the only way to replace huma's error documents
	huma.NewError = func(status int, detail string, errs ...error) huma.StatusError {
		return failureOfHuma(status, detail, errs).problem("")
	}
	huma.NewErrorWithContext = func(ctx huma.Context, status int, detail string, errs ...error) huma.StatusError {
		l := logOf(humagin.Unwrap(ctx))
		f := failureOfHuma(status, detail, errs)
		f.nameParameters(ctx.Operation())
		l.fail(f)
		return f.problem(l.id)
	}
	// Otherwise {"Is_Active": true} would be taken, as encoding/json does.
	huma.ValidateStrictCasing = true
	// Lists of ours are never null.
	huma.DefaultArrayNullable = false
}

// problemFor translates a handler's error and logs its cause.
func (s *server) problemFor(ctx context.Context, err error) *Problem {
	f := s.failureOf(ctx, err)
	id := ""
	if l, ok := ctx.Value(logContextKey{}).(*requestLog); ok {
		l.fail(f)
		id = l.id
	}
	return f.problem(id)
}

// logContextKey is where a handler's context has the request's line.
type logContextKey struct{}

// refuseFields refuses a request for the errors of its fields; nil if there are none.
func refuseFields(errs []FieldError) error {
	if len(errs) == 0 {
		return nil
	}
	f := refuseWith(errs[0].Code, "the request is not acceptable; errors lists the reasons")
	f.errors = errs
	return f
}

// failureOfHuma is the one place that translates huma's own errors. No value that was sent passes it.
func failureOfHuma(status int, detail string, errs []error) *failure {
	switch {
	case status == http.StatusRequestEntityTooLarge:
		return refuse(codeBodyTooLarge)
	case status == http.StatusRequestTimeout:
		return refuse(codeRequestTimeout)
	case status == http.StatusUnsupportedMediaType:
		return refuse(codeUnsupportedMediaType)
	case status == http.StatusInternalServerError && detail == "cannot read request body":
		return refuse(codeIncompleteBody)
	case status >= http.StatusInternalServerError:
		return refuse(codeInternal).becauseOf(errors.Join(errs...))
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
		return refuseWith(codeInvalidValue, "the request is not acceptable")
	}
	return f
}

// nameParameters lists the known query parameters in place of the unknown one that was sent.
func (f *failure) nameParameters(op *huma.Operation) {
	var known []string
	for _, p := range op.Parameters {
		if p.In == "query" {
			known = append(known, p.Name)
		}
	}
	slices.Sort(known)
	for i, e := range f.errors {
		if e.Message != unknownParameter {
			continue
		}
		f.errors[i].Message = "there is no such parameter here; it has no parameters"
		if len(known) > 0 {
			f.errors[i].Message = "there is no such parameter here; valid ones are " + strings.Join(known, ", ")
		}
	}
}

// unknownParameter is huma's message.
const unknownParameter = "unknown query parameter"

func unreadableBody(errs []error) *failure {
	for _, err := range errs {
		var d *huma.ErrorDetail
		if errors.As(err, &d) && strings.Contains(d.Message, errRepeated.Error()) {
			return refuse(codeRepeatedField)
		}
	}
	return refuse(codeMalformedJSON)
}

// fieldError reads one finding of huma's validation.
func fieldError(err error) FieldError {
	var d *huma.ErrorDetail
	if !errors.As(err, &d) {
		return FieldError{Code: codeInvalidValue, Message: "the value is not acceptable"}
	}
	source, field, _ := strings.Cut(d.Location, ".")
	// The text behind a colon in huma's messages may be a parser's, which quotes the value.
	message, _, _ := strings.Cut(d.Message, ": ")
	e := FieldError{Field: sane(field), Code: codeOf(message), Message: message}
	required := strings.SplitN(validation.MsgExpectedRequiredProperty, "%s", 2)
	switch name, isRequired := strings.CutPrefix(message, required[0]); {
	case source != "body":
		e.Code = codeInvalidParameter
	case isRequired:
		e.Field = strings.TrimPrefix(e.Field+"."+strings.TrimSuffix(name, required[1]), ".")
		e.Code, e.Message = codeMissingField, codeMissingField.message()
	case e.Code == codeUnknownField:
		e.Message = "there is no such field here"
	}
	return e
}

// codeOf reads the texts of huma's validation, which are constants of its package.
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

// sane is a path without names that no field of ours has: they are the client's text, perhaps a secret in a wrong place.
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
