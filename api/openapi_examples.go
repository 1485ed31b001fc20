package api

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

const exampleRequestID = "QH7VXQ2LTRZKC4"

// exemplify adds an example of its own status to every refusal in the document: made from the schema alone, each would show the
// same one.
func (r *registry) exemplify() {
	for _, item := range r.api.OpenAPI().Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if op == nil {
				continue
			}
			for text, response := range op.Responses {
				status, err := strconv.Atoi(text)
				content := response.Content["application/problem+json"]
				if err == nil && content != nil && content.Example == nil {
					content.Example = exampleOf(op, status).problem(exampleRequestID)
				}
			}
		}
	}
}

// examples are the failures that a status commonly means.
var examples = map[int]*failure{
	http.StatusBadRequest:            refuse(codeMalformedJSON),
	http.StatusUnauthorized:          refuse(codeUnauthorized),
	http.StatusForbidden:             refuse(codeForbidden),
	http.StatusNotFound:              refuse(codeNotFound),
	http.StatusRequestTimeout:        refuse(codeRequestTimeout),
	http.StatusPreconditionFailed:    refuse(codeVersionMismatch),
	http.StatusRequestEntityTooLarge: refuse(codeBodyTooLarge),
	http.StatusUnsupportedMediaType:  refuse(codeUnsupportedMediaType),
	http.StatusTooManyRequests:       tooManyLogins(retryAfter),
	http.StatusInternalServerError:   refuse(codeInternal),
	http.StatusServiceUnavailable:    refuse(codeDatabaseUnavailable),
}

// conflicts are the examples of 409, by the beginning of an operation's id.
var conflicts = map[string]*failure{
	"":             {code: codeAlreadyExists, field: "id", detail: codeAlreadyExists.message(), existing: 5},
	"delete":       {code: codeInUse, detail: codeInUse.message(), uses: []Use{{"credentials", 2}}},
	"retry":        refuse(codeNotRetryable),
	"pause":        {code: codeReplayEnded, detail: "the replay has ended: done"},
	"resume":       {code: codeReplayEnded, detail: "the replay has ended: done"},
	"cancel-event": {code: codeEventEnded, detail: "the event has ended: delivered"},
	"cancel":       {code: codeReplayEnded, detail: "the replay has ended: done"},
	"create-replay": {code: codeConfirmMismatch, field: "confirm",
		detail: "the filter matches 12 events now; repeat the dry run"},
	"check": refuse(codeUnreadable),
	"test":  refuse(codeUnreadable),
}

func exampleOf(op *huma.Operation, status int) *failure {
	switch status {
	case http.StatusConflict:
		for _, begin := range slices.Backward(slices.Sorted(maps.Keys(conflicts))) { // the longest first
			if strings.HasPrefix(op.OperationID, begin) {
				return conflicts[begin]
			}
		}
	case http.StatusUnprocessableEntity:
		return invalidExample(op)
	case http.StatusForbidden:
		if need := accessOf(op); need == oms || need == open {
			return refuse(codeCrossOrigin)
		}
	}
	if f, ok := examples[status]; ok {
		return f
	}
	return refuse(codeInternal)
}

// invalidExample blames a field of the body or, where there is none, a parameter.
func invalidExample(op *huma.Operation) *failure {
	e := FieldError{Code: codeInvalidParameter, Message: "expected integer"}
	if op.RequestBody != nil {
		e = FieldError{Field: "name", Code: codeWrongType, Message: "expected string"}
	}
	for _, p := range op.Parameters {
		if e.Field == "" && (p.In == "query" || p.In == "path") {
			e.Field = p.Name
		}
	}
	f := refuseWith(e.Code, "the request is not acceptable; errors lists the reasons")
	f.errors = []FieldError{e}
	return f
}
