package api

import (
	"context"
	"encoding/json"
	"net/http"
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

// book is the OpenAPI document and the operations that are made from typed handlers. huma makes both from the same Go
// types, so that the document cannot differ from the program, and leaves routing to gin. It costs reflection and a second
// decoding, which ingestion cannot spare: POST /v1/events keeps its own handler and is declared by hand.
type book struct {
	server *server
	api    huma.API
}

func (s *server) newBook(e *gin.Engine) *book {
	format := huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: decodeStrictly}
	registry := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	b := &book{server: s, api: humagin.New(e, huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI:    "3.1.0",
			Info:       info(),
			Tags:       tags(),
			Servers:    []*huma.Server{{URL: "/", Description: "This relay"}},
			Components: &huma.Components{Schemas: registry, SecuritySchemes: securitySchemes()},
		},
		// DocsPath and OpenAPIPath stay empty: both are routes of ours. Without CreateHooks no answer has a "$schema".
		Formats: map[string]huma.Format{"application/json": format, "json": format, "application/problem+json": format,
			"application/merge-patch+json": format},
		DefaultFormat:                "application/json",
		RejectUnknownQueryParameters: true,
	})}
	b.api.UseMiddleware(b.guard)
	return b
}

func securitySchemes() map[string]*huma.SecurityScheme {
	return map[string]*huma.SecurityScheme{basicAuth: {Type: "http", Scheme: "basic",
		Description: "The login of OMS for /v1, of an admin for /admin/v1. Where no admin login is configured, OMS's is one."}}
}

// guard lets only those through whom the operation's access allows, before the body is read.
func (b *book) guard(ctx huma.Context, next func(huma.Context)) {
	c := humagin.Unwrap(ctx)
	l := logOf(c)
	need, _ := ctx.Operation().Metadata[accessKey].(access)
	if err := b.server.admit(c, l, need); err != nil {
		b.server.fail(c, l, err)
		return
	}
	if oddID(c.Params) {
		b.server.fail(c, l, refuseWith(codeNotFound, "an id in a path is a plain decimal number, such as 5"))
		return
	}
	if packed, err := isGzip(c.Request.Header); packed || err != nil {
		b.server.fail(c, l, refuseWith(codeUnsupportedEncoding, "this path takes its body as it is, without Content-Encoding"))
		return
	}
	c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), logContextKey{}, l))
	size := bodySize(c.Request)
	if !b.server.bodies.take(size) {
		b.server.fail(c, l, tooBusy())
		return
	}
	defer b.server.bodies.give(size)
	next(ctx)
}

// bodySize is what the body of a request to a typed operation may need: huma refuses more.
func bodySize(r *http.Request) int64 {
	if r.ContentLength < 0 || r.ContentLength > maxAdminBody {
		return maxAdminBody
	}
	return r.ContentLength
}

// oddID reports whether an id is written in one of the further ways that Go parses: +5 and 05 are no resource's address.
func oddID(params gin.Params) bool {
	id := params.ByName("id")
	unsigned := strings.TrimLeft(id, "+-")
	if unsigned == "" || strings.Trim(unsigned, "0123456789") != "" {
		return false // no number, which the operation refuses itself
	}
	return unsigned != id || len(id) > 1 && id[0] == '0'
}

// add registers one typed operation: its route, its place in the document, and who may use it. What the handler returns as
// an error becomes a problem document, as everywhere.
func add[I, O any](b *book, need access, op huma.Operation, handle func(context.Context, *I) (*O, error)) {
	document(&op, need)
	op.MaxBodyBytes, op.BodyReadTimeout = maxAdminBody, adminReadTimeout
	huma.Register(b.api, op, func(ctx context.Context, in *I) (*O, error) {
		ctx, cancel := context.WithTimeout(ctx, adminTimeout)
		defer cancel()
		out, err := handle(ctx, in)
		if err != nil {
			return nil, problemFor(ctx, err)
		}
		return out, nil
	})
}

// declare puts an operation into the document whose handler is in the table of routes.
func (b *book) declare(need access, op huma.Operation) {
	document(&op, need)
	b.api.OpenAPI().AddOperation(&op)
}

// document completes what the operations of one access have in common.
func document(op *huma.Operation, need access) {
	op.Metadata = map[string]any{accessKey: need}
	op.Security = []map[string][]string{}
	if need == open {
		return
	}
	op.Security = []map[string][]string{{basicAuth: {}}}
	op.Errors = append(op.Errors, http.StatusUnauthorized, http.StatusTooManyRequests, http.StatusServiceUnavailable)
	if need == reader || need == writer || op.Method != http.MethodGet {
		op.Errors = append(op.Errors, http.StatusForbidden)
	}
}

// documents serve the finished document, in both versions and as a page.
func (b *book) documents() ([]route, error) {
	b.exemplify()
	now, err := json.Marshal(b.api.OpenAPI())
	if err != nil {
		return nil, err
	}
	old, err := b.api.OpenAPI().Downgrade()
	if err != nil {
		return nil, err
	}
	return append(b.server.page(),
		route{http.MethodGet, "/openapi.json", open, serveDocument(now)},
		route{http.MethodGet, "/openapi-3.0.json", open, serveDocument(old)},
	), nil
}

func serveDocument(body []byte) handler {
	return func(c *gin.Context, l *requestLog) error {
		l.quiet = true
		c.Header("Cache-Control", "no-cache")
		c.Data(http.StatusOK, "application/json", body)
		return nil
	}
}
