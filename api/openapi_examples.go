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

// exemplify gives every refusal in the document an example of its own status: made from the schema alone, each would show the
// same one.
func (b *book) exemplify() {
	for _, item := range b.api.OpenAPI().Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if op == nil {
				continue
			}
			for text, response := range op.Responses {
				status, err := strconv.Atoi(text)
				content := response.Content["application/problem+json"]
				if err == nil && content != nil && content.Example == nil {
					content.Example = documentOf(exampleOf(op, status), exampleRequestID)
				}
			}
		}
	}
}

// examples are the failures that a status commonly means.
var examples = map[int]*failure{
	http.StatusBadRequest:            refuse(codeMalformedJSON, "the body is missing or is no valid JSON in UTF-8"),
	http.StatusUnauthorized:          refuse(codeUnauthorized, "this path needs a valid login (HTTP Basic)"),
	http.StatusForbidden:             refuse(codeForbidden, "this login may read, but not change anything"),
	http.StatusNotFound:              refuse(codeNotFound, "there is nothing with this id"),
	http.StatusRequestTimeout:        refuse(codeRequestTimeout, "the body did not come in time"),
	http.StatusPreconditionFailed:    refuse(codeVersionMismatch, "somebody has changed it since; read it again"),
	http.StatusRequestEntityTooLarge: refuse(codeBodyTooLarge, "the body is larger than this path takes"),
	http.StatusUnsupportedMediaType:  refuse(codeUnsupportedMediaType, "the body must be application/json"),
	http.StatusTooManyRequests:       tooManyLogins(retryAfter),
	http.StatusInternalServerError:   refuse(codeInternal, "something went wrong on our side; the request_id finds it in our log"),
	http.StatusServiceUnavailable:    refuse(codeDatabaseUnavailable, "the database does not answer; send the same request again, what is already stored will count as duplicates"),
}

// conflicts are the examples of 409, by the beginning of an operation's id.
var conflicts = map[string]*failure{
	"":       {code: codeAlreadyExists, field: "id", detail: "there is one with this value already; existing_id is its id", existing: 5},
	"delete": {code: codeInUse, detail: "it is in use; used_by says by what", uses: []Use{{"credentials", 2}}},
	"retry":  {code: codeNotRetryable, detail: "the event is delivered; a replay with resend sends it again"},
	"pause":  {code: codeReplayEnded, detail: "the replay has ended: done"},
	"resume": {code: codeReplayEnded, detail: "the replay has ended: done"},
	"cancel": {code: codeReplayEnded, detail: "the replay has ended: done"},
	"create-replay": {code: codeConfirmMismatch, field: "confirm",
		detail: "the filter picks 12 events now; look at the dry run again"},
	"check": {code: codeUnreadable, detail: "a secret cannot be read with the keys of ENCRYPTION_KEY"},
	"test":  {code: codeUnreadable, detail: "a secret cannot be read with the keys of ENCRYPTION_KEY"},
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
		if need, _ := op.Metadata[accessKey].(access); need == oms || need == open {
			return refuse(codeCrossOrigin, "a page of another site sent this request; behind a proxy that changes Host, set PUBLIC_URL")
		}
	}
	if f, ok := examples[status]; ok {
		return f
	}
	return refuse(codeInternal, "")
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
	f := refuse(e.Code, "the request is not acceptable; errors says what is wrong")
	f.errors = []FieldError{e}
	return f
}
