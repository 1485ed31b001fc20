package api

import (
	"crypto/sha256"
	"crypto/subtle"

	"github.com/gin-gonic/gin"

	"relay"
)

// login is a name and password, kept as digests so that comparing takes the same time whatever was sent.
type login struct{ username, password [sha256.Size]byte }

func newLogin(username string, password relay.Secret) login {
	return login{sha256.Sum256([]byte(username)), sha256.Sum256([]byte(password.Reveal()))}
}

func (l login) matches(other login) bool {
	u := subtle.ConstantTimeCompare(l.username[:], other.username[:])
	p := subtle.ConstantTimeCompare(l.password[:], other.password[:])
	return u&p == 1
}

// authenticate looks at the header only: who may not post does not get a body read.
func (s *server) authenticate(c *gin.Context, _ *line) error {
	username, password, ok := c.Request.BasicAuth()
	if !ok || !s.login.matches(newLogin(username, relay.NewSecret(password))) {
		return s.unauthorized(c)
	}
	return nil
}

// unauthorized asks for a login.
func (s *server) unauthorized(c *gin.Context) error {
	c.Header("WWW-Authenticate", `Basic realm="relay", charset="UTF-8"`)
	return refuse(codeUnauthorized, "this path needs a valid login (HTTP Basic)")
}
