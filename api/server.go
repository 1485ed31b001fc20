// Package api is the relay's HTTP side: events in, JSON out. It decides which events are acceptable and responds with codes
// that OMS can act on. It knows neither SQL nor Temporal: storing, starting and probing are small interfaces that it
// declares (see Deps) and that cmd fills.
package api

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/gin-gonic/gin"
)

// handler writes the response of a request, or returns why not. It may add to the log line.
type handler func(*gin.Context, *requestLog) error

type server struct {
	cfg    Config
	deps   Deps
	login  login
	admins *admins
	ready  readiness
	origin *http.CrossOriginProtection
	bodies *budget
	feed   *feed // nil without a LiveStore
}

// New is the relay's HTTP handler: ingestion, admin, health and the API's document, or health alone in the worker role. A
// collaborator or value that is missing is an error that names it.
func New(cfg Config, deps Deps) (http.Handler, error) {
	if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("api config: %w", err)
	}
	if err := deps.check(cfg.Role); err != nil {
		return nil, fmt.Errorf("api: %w", err)
	}
	s := &server{
		cfg:    cfg.withDefaults(),
		deps:   deps,
		bodies: &budget{left: cfg.withDefaults().MaxBodiesBytes},
		login:  newLogin(cfg.Username, cfg.Password),
		ready:  readiness{checks: append(builtIn(cfg.Role, deps), deps.Checks...)},
	}
	if deps.Live != nil {
		s.feed = newFeed(deps.Live, deps.Log, cfg.LiveEvery)
	}
	var err error
	if s.admins, err = newAdmins(s.cfg); err != nil {
		return nil, fmt.Errorf("api config: %w", err)
	}
	if s.origin, err = newOrigin(cfg.PublicURL); err != nil {
		return nil, fmt.Errorf("api config: field PublicURL %w", err)
	}
	e, err := s.engine()
	if err != nil {
		return nil, err
	}
	return &draining{e}, nil
}

func (s *server) engine() (*gin.Engine, error) {
	gin.SetMode(gin.ReleaseMode)
	e := gin.New()
	e.HandleMethodNotAllowed = true
	// gin itself would write a redirect, outside of our middleware.
	e.RedirectTrailingSlash = false
	if err := e.SetTrustedProxies(s.cfg.Proxies); err != nil {
		return nil, errors.New("api config: field Proxies must be CIDRs")
	}
	e.Use(compress, s.observe, protect, s.refuseCrossOrigin)
	e.NoRoute(s.serve(func(*gin.Context, *requestLog) error {
		return refuseWith(codeNotFound, "there is nothing at this path")
	}))
	e.NoMethod(s.serve(func(*gin.Context, *requestLog) error {
		return refuse(codeMethodNotAllowed)
	}))
	if err := s.newRegistry(e).register(s.routes()); err != nil {
		return nil, fmt.Errorf("openapi: %w", err)
	}
	s.mountConsole(e)
	addHead(e)
	return e, nil
}

// serve makes a handler gin's. An error ends the chain with a problem document.
func (s *server) serve(h handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		l := logOf(c)
		if err := h(c, l); err != nil {
			s.fail(c, l, err)
		}
	}
}
