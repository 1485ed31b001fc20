package api

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"github.com/gin-gonic/gin"
	"golang.org/x/crypto/bcrypt"

	"relay/internal/ops"
	"relay/internal/relay"
)

// AdminLogin is a login of the admin API. Either Password or Hash is set.
type AdminLogin struct {
	Name     string
	Password relay.Secret
	Hash     string // of bcrypt
	ReadOnly bool
}

// actor is the admin behind a request.
type actor struct {
	name     string
	readOnly bool
	isOMS    bool // its login is OMS's, too
	note     string
}

// maxRemembered bounds how many verified logins are remembered; far more than a relay has admins.
const maxRemembered = 256

// admins know who may use the admin API. A login that bcrypt has verified once is remembered, as a keyed digest: bcrypt takes
// a tenth of a second on purpose.
type admins struct {
	plain   []plainAdmin
	hashed  map[string]AdminLogin
	unknown []byte // a hash for unknown names, which then take as long as the others
	guesses *guesses
	bcrypt  *verifier

	key        [sha256.Size]byte
	mu         sync.Mutex
	remembered map[[sha256.Size]byte]actor
}

type plainAdmin struct {
	login login
	actor actor
}

// newAdmins makes the admins of a configuration; where it has none, OMS's login is one.
func newAdmins(cfg Config) (*admins, error) {
	a := &admins{hashed: map[string]AdminLogin{}, guesses: newGuesses(cfg), bcrypt: newVerifier(),
		remembered: map[[sha256.Size]byte]actor{}}
	_, _ = rand.Read(a.key[:]) // never fails
	logins := cfg.Admins
	if len(logins) == 0 {
		logins = []AdminLogin{{Name: cfg.Username, Password: cfg.Password}}
	}
	cost := bcrypt.MinCost
	for _, l := range logins {
		if l.Hash == "" {
			a.plain = append(a.plain, plainAdmin{newLogin(l.Name, l.Password), actor{name: l.Name, readOnly: l.ReadOnly}})
			continue
		}
		if err := CheckHash(l.Hash); err != nil {
			return nil, fmt.Errorf("admin %s %w", l.Name, err)
		}
		c, _ := bcrypt.Cost([]byte(l.Hash)) // was checked
		cost = max(cost, c)
		a.hashed[l.Name] = l
	}
	if len(a.hashed) == 0 {
		return a, nil
	}
	var err error
	a.unknown, err = bcrypt.GenerateFromPassword(a.key[:], cost)
	return a, err
}

// known is the admin with this login, as far as one can know without bcrypt.
func (a *admins) known(sent login) (actor, bool) {
	var found actor
	ok := false
	for _, p := range a.plain { // all of them, so that it takes the same time whichever matches
		if p.login.matches(sent) {
			found, ok = p.actor, true
		}
	}
	if ok || len(a.hashed) == 0 {
		return found, ok
	}
	return a.recall(a.digest(sent))
}

func (a *admins) digest(sent login) [sha256.Size]byte {
	return sha256.Sum256(slices.Concat(a.key[:], sent.username[:], sent.password[:]))
}

// find is the admin with this login. Too many failures, and too many logins at once, are a failure that says when to retry.
func (a *admins) find(sent login, name, password, address string) (actor, error) {
	who, ok := a.known(sent)
	if ok && a.guesses.trusts(sent.username, address) {
		return who, nil
	}
	if wait := a.guesses.blocked(sent.username, address); wait > 0 {
		return actor{}, tooManyLogins(wait)
	}
	if !ok && len(a.hashed) > 0 {
		admin, exists := a.hashed[name]
		hash := []byte(admin.Hash)
		if !exists {
			hash = a.unknown
		}
		matches, busy := a.bcrypt.verify(a.digest(sent), address, hash, password)
		if busy {
			return actor{}, tooManyLogins(verifyPatience)
		}
		if ok = matches && exists; ok {
			who = actor{name: admin.Name, readOnly: admin.ReadOnly}
			a.remember(a.digest(sent), who)
		}
	}
	if !ok {
		a.guesses.failed(sent.username, address)
		return actor{}, errWrongLogin
	}
	a.guesses.proved(sent.username, address)
	return who, nil
}

var errWrongLogin = errors.New("wrong login")

func (a *admins) recall(digest [sha256.Size]byte) (actor, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	who, ok := a.remembered[digest]
	return who, ok
}

func (a *admins) remember(digest [sha256.Size]byte, who actor) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.remembered) >= maxRemembered {
		clear(a.remembered)
	}
	a.remembered[digest] = who
}

// admit checks the login against the access rule. The log gets an admin's name, and with the request's context
// to the handler.
func (s *server) admit(c *gin.Context, l *requestLog, need access) error {
	if need == open || need == probe && !wantsVerbose(c) {
		return nil
	}
	name, password, ok := c.Request.BasicAuth()
	if !ok || need == probe && name == "" { // a process without any login shows no details
		return s.unauthorized(c)
	}
	sent := newLogin(name, relay.NewSecret(password))
	// OMS's login comes first, and no number of wrong ones keeps it out: a flood of those must not stop ingestion.
	isOMS := s.login.matches(sent)
	if isOMS && (need == oms || need == probe) {
		return nil
	}
	if need == oms {
		return s.refuseLogin(c, sent)
	}
	who, err := s.adminOf(c, sent, name, password, isOMS)
	if errors.Is(err, errWrongLogin) {
		return s.unauthorized(c)
	}
	if err != nil {
		return err
	}
	who.isOMS = isOMS
	if need == writer {
		if who.note, err = noteOf(c.GetHeader(noteHeader)); err != nil {
			return err
		}
	}
	l.add(slog.String("admin", who.name))
	if need == writer && who.readOnly {
		return refuse(codeForbidden)
	}
	c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), actorContextKey{}, who))
	return nil
}

func (s *server) adminOf(c *gin.Context, sent login, name, password string, isOMS bool) (actor, error) {
	if isOMS {
		if who, ok := s.admins.known(sent); ok {
			return who, nil
		}
		if _, both := s.admins.hashed[name]; !both {
			return actor{}, refuseWith(codeForbidden, "this login is not an admin's")
		}
	}
	return s.admins.find(sent, name, password, clientAddress(c))
}

// actorContextKey is where a handler's context has the admin.
type actorContextKey struct{}

// actOf returns the login, the action and the request id, for the audit.
func actOf(ctx context.Context, action ops.Action) ops.Actor {
	who, _ := ctx.Value(actorContextKey{}).(actor)
	act := ops.Actor{By: who.name, Action: action, Note: who.note}
	if l, ok := ctx.Value(logContextKey{}).(*requestLog); ok {
		act.RequestID = l.id
	}
	return act
}

func (c Config) checkAdmins() error {
	seen := map[string]bool{}
	for _, a := range c.Admins {
		switch {
		case a.Name == "":
			return errors.New("field Admins: a name is missing")
		case a.Hash == "" && !a.Password.IsSet():
			return errors.New("field Admins: " + a.Name + " has no password")
		case seen[a.Name]:
			return errors.New("field Admins: " + a.Name + " is there twice")
		}
		seen[a.Name] = true
	}
	return nil
}
