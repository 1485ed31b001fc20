package api

import (
	"bytes"
	"compress/gzip"
	"embed"
	"io"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"
)

// docsFiles are the page at /docs: Swagger UI, packed, so that it works without the internet. Of the bundles that do, it is
// the smallest.
//
//go:embed docs
var docsFiles embed.FS

// docsPolicy lets the page load what is ours and talk to us, and nothing else.
const docsPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// page are the routes of the page at /docs. Whoever reads it needs no login; what it tries out does.
func (s *server) page() []route {
	return []route{
		{http.MethodGet, "/docs", open, serveFile("index.html", "text/html; charset=utf-8")},
		{http.MethodGet, "/docs/init.js", open, serveFile("init.js", "text/javascript; charset=utf-8")},
		{http.MethodGet, "/docs/swagger-ui-bundle.js", open, serveFile("swagger-ui-bundle.js.gz", "text/javascript; charset=utf-8")},
		{http.MethodGet, "/docs/swagger-ui.css", open, serveFile("swagger-ui.css.gz", "text/css; charset=utf-8")},
		{http.MethodGet, "/docs/LICENSE.txt", open, serveFile("LICENSE.txt", "text/plain; charset=utf-8")},
		{http.MethodGet, "/docs/NOTICE.txt", open, serveFile("NOTICE.txt", "text/plain; charset=utf-8")},
	}
}

func serveFile(name, contentType string) handler {
	return func(c *gin.Context, l *requestLog) error {
		l.quiet = true
		body, err := docsFiles.ReadFile("docs/" + name)
		if err != nil {
			return err
		}
		if strings.HasSuffix(name, ".gz") {
			c.Header("Vary", "Accept-Encoding")
			if strings.Contains(c.GetHeader("Accept-Encoding"), "gzip") {
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
	}
}

func unpack(packed []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}
