package api

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/gin-gonic/gin"
	"golang.org/x/crypto/bcrypt"

	"relay"
)

// AdminLogin is somebody who may use the admin API. Either Password or Hash is set.
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
}

// maxRemembered bounds how many verified logins are remembered; far more than a relay has admins.
const maxRemembered = 256

// admins tell who may use the admin API. bcrypt takes a tenth of a second on purpose, so a login that was verified once is
// remembered, as a keyed digest, and only two are verified at a time: a flood of wrong passwords must not slow down
// ingestion.
type admins struct {
	plain  []plainAdmin
	hashed map[string]AdminLogin
	nobody []byte // a hash for names that nobody has, which then take as long as the others
	slots  chan struct{}

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
	a := &admins{hashed: map[string]AdminLogin{}, slots: make(chan struct{}, 2), remembered: map[[sha256.Size]byte]actor{}}
	_, _ = rand.Read(a.key[:]) // never fails
	logins := cfg.Admins
	if len(logins) == 0 {
		logins = []AdminLogin{{Name: cfg.Username, Password: cfg.Password}}
	}
	cost := bcrypt.MinCost
	for _, l := range logins {
		if l.Hash == "" {
			a.plain = append(a.plain, plainAdmin{newLogin(l.Name, l.Password), actor{l.Name, l.ReadOnly}})
			continue
		}
		c, err := bcrypt.Cost([]byte(l.Hash))
		if err != nil {
			return nil, fmt.Errorf("the hash of admin %s is not one of bcrypt", l.Name)
		}
		cost = max(cost, c)
		a.hashed[l.Name] = l
	}
	if len(a.hashed) == 0 {
		return a, nil
	}
	var err error
	a.nobody, err = bcrypt.GenerateFromPassword(a.key[:], cost)
	return a, err
}

// find is the admin with this login.
func (a *admins) find(ctx context.Context, name, password string) (actor, bool) {
	sent := newLogin(name, relay.NewSecret(password))
	var found actor
	ok := false
	for _, p := range a.plain { // all of them, so that it takes the same time whoever matches
		if p.login.matches(sent) {
			found, ok = p.actor, true
		}
	}
	if ok || len(a.hashed) == 0 {
		return found, ok
	}
	digest := sha256.Sum256(append(append(a.key[:], sent.username[:]...), sent.password[:]...))
	if who, ok := a.recall(digest); ok {
		return who, true
	}
	admin, known := a.hashed[name]
	hash := []byte(admin.Hash)
	if !known {
		hash = a.nobody
	}
	if !a.verify(ctx, hash, password) || !known {
		return actor{}, false
	}
	found = actor{admin.Name, admin.ReadOnly}
	a.remember(digest, found)
	return found, true
}

// verify reports whether bcrypt takes the password. It refuses one that bcrypt would cut, which is none of ours.
func (a *admins) verify(ctx context.Context, hash []byte, password string) bool {
	select {
	case a.slots <- struct{}{}:
		defer func() { <-a.slots }()
	case <-ctx.Done():
		return false
	}
	return bcrypt.CompareHashAndPassword(hash, []byte(password)) == nil && len(password) <= 72
}

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

// admit lets only those through whom the access allows. An admin's name goes into the log, and with the request's context
// to the handler.
func (s *server) admit(c *gin.Context, l *line, need access) error {
	switch need {
	case open:
		return nil
	case oms:
		return s.authenticate(c, l)
	}
	name, password, ok := c.Request.BasicAuth()
	var who actor
	if ok {
		who, ok = s.admins.find(c.Request.Context(), name, password)
	}
	if !ok {
		return s.authenticateForeign(c, l)
	}
	l.add(slog.String("admin", who.name))
	if need == writer && who.readOnly {
		return refuse(codeForbidden, "this login may read, but not change anything")
	}
	c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), actorContextKey{}, who))
	return nil
}

// authenticateForeign tells OMS, where it is no admin, from a stranger.
func (s *server) authenticateForeign(c *gin.Context, l *line) error {
	if err := s.authenticate(c, l); err != nil {
		return err
	}
	return refuse(codeForbidden, "this login is not an admin's")
}

// actorContextKey is where a handler's context has the admin.
type actorContextKey struct{}

// actOf is who does what a handler is about to do, for the audit.
func actOf(ctx context.Context, action relay.Action) relay.Act {
	who, _ := ctx.Value(actorContextKey{}).(actor)
	act := relay.Act{By: who.name, Action: action}
	if l, ok := ctx.Value(lineContextKey{}).(*line); ok {
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
