package api

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"
)

// Bounds of a request to a typed operation. Ingestion has its own.
const (
	maxAdminBody     = 1 << 20
	adminReadTimeout = 30 * time.Second
	adminTimeout     = storeTimeout
)

// basicAuth is the name of the login in the document.
const basicAuth = "basic"

// accessKey is where an operation keeps who may use it, for the guard; the document does not show it.
const accessKey = "access"

// registry adds routes to gin and to the OpenAPI document. huma makes the document of typed routes from the same Go types that
// their requests are decoded to, so that it cannot differ from the program.
type registry struct {
	server *server
	api    huma.API

	current, older []byte // the finished document, in two versions of OpenAPI
}

func (s *server) newRegistry(e *gin.Engine) *registry {
	format := huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: decodeStrictly}
	schemas := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	r := &registry{server: s, api: humagin.New(e, huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI:    "3.1.0",
			Info:       info(),
			Tags:       s.tags(),
			Servers:    []*huma.Server{{URL: "/", Description: "This relay"}},
			Components: &huma.Components{Schemas: schemas, SecuritySchemes: securitySchemes()},
		},
		// DocsPath and OpenAPIPath stay empty: both are routes of ours. Without CreateHooks no response has a "$schema".
		Formats: map[string]huma.Format{"application/json": format, "json": format, "application/problem+json": format,
			"application/merge-patch+json": format},
		DefaultFormat:                "application/json",
		RejectUnknownQueryParameters: true,
	})}
	r.api.UseMiddleware(r.guard)
	return r
}

func securitySchemes() map[string]*huma.SecurityScheme {
	return map[string]*huma.SecurityScheme{basicAuth: {Type: "http", Scheme: "basic",
		Description: "The login of OMS for /v1, of an admin for /admin/v1. Where no admin login is configured, OMS's is one."}}
}

// guard is the one place that checks who may use a route, before its body is read.
func (r *registry) guard(ctx huma.Context, next func(huma.Context)) {
	c := humagin.Unwrap(ctx)
	l := logOf(c)
	if err := r.server.admit(c, l, accessOf(ctx.Operation())); err != nil {
		r.server.fail(c, l, err)
		return
	}
	next(ctx)
}

func accessOf(op *huma.Operation) access {
	need, _ := op.Metadata[accessKey].(access)
	return need
}

// bounded refuses requests that no typed route accepts, and reserves memory for the body.
func (r *registry) bounded(ctx huma.Context, next func(huma.Context)) {
	c := humagin.Unwrap(ctx)
	l := logOf(c)
	if noID(ctx.Operation(), c.Params) {
		r.server.fail(c, l, refuseWith(codeNotFound, "an id in a path is a plain decimal number, such as 5"))
		return
	}
	if packed, err := isGzip(c.Request.Header); packed || err != nil {
		r.server.fail(c, l, refuseWith(codeUnsupportedEncoding, "this path does not accept Content-Encoding"))
		return
	}
	c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), logContextKey{}, l))
	size := bodySize(c.Request)
	if !r.server.bodies.take(size) {
		r.server.fail(c, l, tooBusy())
		return
	}
	defer r.server.bodies.release(size)
	next(ctx)
}

// bodySize is the most that the body of a typed operation may need: huma refuses more.
func bodySize(r *http.Request) int64 {
	if r.ContentLength < 0 || r.ContentLength > maxAdminBody {
		return maxAdminBody
	}
	return r.ContentLength
}

// noID reports whether the id of a path is a number that no resource has: outside of the operation's range, or spelled as the API
// never spells one (+5, 05, 1e3). A word is refused by the operation itself.
func noID(op *huma.Operation, params gin.Params) bool {
	id := params.ByName("id")
	unsigned := strings.TrimLeft(id, "+-.")
	if unsigned == "" || unsigned[0] < '0' || unsigned[0] > '9' {
		return false
	}
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil || n < 1 || strconv.FormatInt(n, 10) != id {
		return true
	}
	return slices.ContainsFunc(op.Parameters, func(p *huma.Param) bool {
		return p.In == "path" && p.Name == "id" && p.Schema.Maximum != nil && float64(n) > *p.Schema.Maximum
	})
}

// binding adds a route with its handler.
type binding func(*registry, huma.Operation)

// typed binds a handler of Go types: huma decodes and validates the request, and writes the response. An error of the handler
// becomes a problem document.
func typed[I, O any](handle func(context.Context, *I) (*O, error)) binding {
	return func(r *registry, op huma.Operation) {
		op.MaxBodyBytes, op.BodyReadTimeout = maxAdminBody, adminReadTimeout
		op.Middlewares = huma.Middlewares{r.bounded}
		huma.Register(r.api, op, func(ctx context.Context, in *I) (*O, error) {
			ctx, cancel := context.WithTimeout(ctx, adminTimeout)
			defer cancel()
			out, err := handle(ctx, in)
			if err != nil {
				return nil, r.server.problemFor(ctx, err)
			}
			return out, nil
		})
	}
}

// raw binds a handler that reads the request and writes the response itself. huma only routes: ingestion cannot spare the time
// for a body that is held in memory and decoded twice.
func raw(handle handler) binding {
	return func(r *registry, op huma.Operation) {
		if !op.Hidden {
			for _, status := range op.Errors {
				refusal := op.Responses[strconv.Itoa(status)]
				if refusal == nil {
					refusal = &huma.Response{Description: http.StatusText(status)}
					op.Responses[strconv.Itoa(status)] = refusal
				}
				refusal.Content = map[string]*huma.MediaType{"application/problem+json": {Schema: schemaOf[Problem](r)}}
			}
			r.api.OpenAPI().AddOperation(&op)
		}
		serve := r.server.serve(handle)
		r.api.Adapter().Handle(&op, r.api.Middlewares().Handler(func(ctx huma.Context) { serve(humagin.Unwrap(ctx)) }))
	}
}

// register adds all routes, and finishes the document.
func (r *registry) register(table []route) error {
	for _, row := range table {
		row.handle(r, r.operation(row))
	}
	r.exemplify()
	var err error
	if r.current, err = json.Marshal(r.api.OpenAPI()); err != nil {
		return err
	}
	r.older, err = r.api.OpenAPI().Downgrade()
	return err
}

// operation is a route as huma has it.
func (r *registry) operation(row route) huma.Operation {
	d := row.doc
	op := huma.Operation{OperationID: d.id, Method: row.method, Path: row.path, Summary: d.summary, Description: d.text, DefaultStatus: d.status,
		Errors: slices.Clone(d.errors), Hidden: d.id == "", Responses: map[string]*huma.Response{}, Security: []map[string][]string{},
		Metadata: map[string]any{accessKey: row.access}}
	if op.Hidden {
		return op
	}
	op.Tags = []string{d.tag}
	if d.describe != nil {
		d.describe(r, &op)
	}
	if row.access == open || row.access == probe {
		return op
	}
	if row.access == writer {
		op.Parameters = append(op.Parameters, noteParam())
		op.Errors = append(op.Errors, http.StatusUnprocessableEntity)
	}
	op.Security = []map[string][]string{{basicAuth: {}}}
	op.Errors = append(op.Errors, http.StatusUnauthorized, http.StatusTooManyRequests, http.StatusServiceUnavailable)
	if row.access != oms || row.method != http.MethodGet {
		op.Errors = append(op.Errors, http.StatusForbidden)
	}
	return op
}
