package api

import (
	"bytes"
	"compress/gzip"
	"embed"
	"io"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"
)

// docsFiles are the page at /docs: Swagger UI, packed, so that it works without the internet. Of the bundles that do, it is
// the smallest.
//
//go:embed docs
var docsFiles embed.FS

// docsPolicy restricts the page to this origin.
const docsPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// pageRoutes are the routes of the page at /docs and of the document. Reading them needs no login; trying out an operation does.
func pageRoutes() []route {
	page := func(path string, handle binding) route { return route{open, http.MethodGet, path, handle, doc{}} }
	return []route{
		page("/docs", serveFile("index.html", "text/html; charset=utf-8")),
		page("/docs/init.js", serveFile("init.js", "text/javascript; charset=utf-8")),
		page("/docs/swagger-ui-bundle.js", serveFile("swagger-ui-bundle.js.gz", "text/javascript; charset=utf-8")),
		page("/docs/swagger-ui.css", serveFile("swagger-ui.css.gz", "text/css; charset=utf-8")),
		page("/docs/LICENSE.txt", serveFile("LICENSE.txt", "text/plain; charset=utf-8")),
		page("/docs/NOTICE.txt", serveFile("NOTICE.txt", "text/plain; charset=utf-8")),
		page("/openapi.json", serveDocument(func(r *registry) []byte { return r.current })),
		page("/openapi-3.0.json", serveDocument(func(r *registry) []byte { return r.older })),
	}
}

// serveDocument binds a version of the document, which is finished once all routes are added.
func serveDocument(version func(*registry) []byte) binding {
	return func(r *registry, op huma.Operation) {
		raw(func(c *gin.Context, l *requestLog) error {
			l.quiet = true
			c.Header("Cache-Control", "no-cache")
			c.Data(http.StatusOK, "application/json", version(r))
			return nil
		})(r, op)
	}
}

func serveFile(name, contentType string) binding {
	return raw(func(c *gin.Context, l *requestLog) error {
		l.quiet = true
		body, err := docsFiles.ReadFile("docs/" + name)
		if err != nil {
			return err
		}
		if strings.HasSuffix(name, ".gz") {
			c.Header("Vary", "Accept-Encoding")
			if acceptsGzip(c.Request.Header) {
				c.Header("Content-Encoding", "gzip")
			} else if body, err = unpack(body); err != nil {
				return err
			}
		}
		c.Header("Content-Security-Policy", docsPolicy)
		c.Header("X-Content-Type-Options", "nosniff")
		c.Header("Referrer-Policy", "no-referrer")
		c.Header("Cache-Control", "no-cache")
		c.Data(http.StatusOK, contentType, body)
		return nil
	})
}

func unpack(packed []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}
