package api

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"
)

// newOrigin refuses cross-site requests: a browser adds a stored login to them. Requests without
// Sec-Fetch-Site and Origin are no browser's and pass. Behind a proxy that changes Host, an older browser's Origin equals
// the public URL alone.
func newOrigin(public string) (*http.CrossOriginProtection, error) {
	p := http.NewCrossOriginProtection()
	if public == "" {
		return p, nil
	}
	u, err := url.Parse(public)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("must be an http or https URL")
	}
	return p, p.AddTrustedOrigin(originOf(u))
}

// CheckPublicURL refuses a text that is not the address of a site.
func CheckPublicURL(public string) error {
	_, err := newOrigin(public)
	return err
}

// originOf is a URL's origin as browsers write it: in lower case, without the scheme's own port.
func originOf(u *url.URL) string {
	host := strings.ToLower(u.Hostname())
	port := u.Port()
	if port != "" && port != map[string]string{"http": "80", "https": "443"}[u.Scheme] {
		return u.Scheme + "://" + net.JoinHostPort(host, port)
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return u.Scheme + "://" + host
}

func (s *server) refuseCrossOrigin(c *gin.Context) {
	if s.origin.Check(c.Request) != nil {
		s.fail(c, logOf(c), refuse(codeCrossOrigin))
	}
}

// protect adds the headers of every response. The page at /docs and the API's document replace Cache-Control.
func protect(c *gin.Context) {
	c.Header("X-Content-Type-Options", "nosniff")
	c.Header("Cache-Control", "no-store")
}

// addHead adds HEAD to every path that has GET. The handler writes its body as for GET, and net/http drops it: only so are the
// headers equal, Content-Length, Vary and Content-Encoding included.
func addHead(e *gin.Engine) {
	for _, r := range e.Routes() {
		if r.Method == http.MethodGet {
			e.HEAD(r.Path, r.HandlerFunc)
		}
	}
}
