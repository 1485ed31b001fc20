package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"time"

	"github.com/gin-gonic/gin"

	"relay/internal/relay"
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

// refuseLogin refuses a login that is not OMS's. That of an admin does not count as a guess.
func (s *server) refuseLogin(c *gin.Context, sent login) error {
	if _, ok := s.admins.known(sent); ok {
		return s.unauthorized(c)
	}
	address := clientAddress(c)
	if wait := s.admins.guesses.blocked(sent.username, address); wait > 0 {
		return tooManyLogins(wait)
	}
	s.admins.guesses.failed(sent.username, address)
	return s.unauthorized(c)
}

// unauthorized requests a login.
func (s *server) unauthorized(c *gin.Context) error {
	c.Header("WWW-Authenticate", `Basic realm="relay", charset="UTF-8"`)
	return refuse(codeUnauthorized)
}

func tooManyLogins(wait time.Duration) *failure {
	return refuse(codeTooManyLogins).after(wait)
}
