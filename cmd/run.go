package cmd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"time"

	"go.temporal.io/sdk/client"

	"relay/adapters/outbound"
	"relay/api"
	"relay/db"
	"relay/internal/relay"
	"relay/workflows"
)

const (
	drainTimeout      = 10 * time.Second // for requests, and for queued starts
	readHeaderTimeout = 10 * time.Second
	readTimeout       = 2 * time.Minute // of a 32 MiB body on a slow line
	// writeTimeout begins with the request: it has room for reading the body, for the longest operation (20 s) and for an
	// response on a slow line. Without it a client that never reads holds its connection for ever.
	writeTimeout = readTimeout + time.Minute
)

// service is the running relay: its parts, for as long as Run lasts.
type service struct {
	cfg      Config
	role     api.Role
	adapters map[string]relay.Adapter
	log      *slog.Logger
	store    *db.Store
	temporal *connection
	outbound *outbound.Client
	search   *workflows.Search
	limits   *limiter
	routes   *routes
	own      workflows.Starter // of rows that this process has stored
	worker   *keeper           // nil in the api role
	attempts *attemptCounter
	instruments
}

// Run is the relay in one role, until ctx ends. Then it stops in the order in which nothing is lost or sent twice: requests,
// starts, worker, connections.
func Run(ctx context.Context, role api.Role, cfg Config, adapters map[string]relay.Adapter) error {
	s := &service{cfg: cfg, role: role, adapters: adapters, search: &workflows.Search{IDs: cfg.SearchIDs}}
	if err := s.watch(ctx); err != nil {
		return err
	}
	if err := s.open(); err != nil {
		return err
	}
	defer s.close()
	stopWatching, err := s.serve(ctx, cfg.MetricsAddr, s.log)
	if err != nil {
		return err
	}
	defer stopWatching()
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", cfg.ListenAddr)
	if err != nil {
		return fmt.Errorf("LISTEN_ADDR: %w", err)
	}
	burst := workflows.NewStartQueue(s.startOwn, s.limits.room, cfg.StartBurst, s.log)
	handler, err := s.handler(ctx, burst)
	if err != nil {
		return err
	}
	server := newServer(handler, s.log)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	stopWorker := s.work(ctx)
	b := thisBuild()
	s.log.Info("relay.started", "role", role, "address", listener.Addr().String(), "version", b.Version, "commit", b.Commit, "built", b.Date)
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	err = errors.Join(err, server.Shutdown(drain))
	burst.Close(drain)
	stopWorker()
	s.log.Info("relay.stopped")
	if errors.Is(err, context.DeadlineExceeded) {
		err = nil // a request did not end in time; its stored events are safe
	}
	return err
}

// newServer bounds every wait for a client.
func newServer(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// watch comes first, because the other parts are made with it.
func (s *service) watch(ctx context.Context) error {
	log := newLogger(s.cfg.Debug)
	var err error
	s.instruments, err = newInstruments(ctx, s.role, s.cfg.MetricsAddr, log)
	s.log = s.instruments.log(log)
	return err
}

// open makes the parts. None of them connects: the relay starts, and serves health, while its servers are away.
func (s *service) open() error {
	keys, err := db.NewKeys(s.cfg.EncryptionKey.Reveal())
	if err != nil {
		return fmt.Errorf("ENCRYPTION_KEY: %w", err)
	}
	s.store, err = db.Open(db.Config{URL: s.cfg.URL.Reveal(), Keys: keys, Wrap: s.connector(), Log: s.log})
	if err != nil {
		return fmt.Errorf("DATABASE_URL: %w", err)
	}
	if s.metrics != nil {
		s.metrics.Observe(s.store)
	}
	options := s.cfg.options
	options.Logger = newSDKLogger(s.log)
	if err := s.instruments.temporal(&options); err != nil {
		return errors.Join(fmt.Errorf("temporal: %w", err), s.store.Close())
	}
	s.temporal, err = newConnection(options)
	if err != nil {
		return errors.Join(fmt.Errorf("temporal: %w", err), s.store.Close())
	}
	s.limits = newLimiter(s.store, s.cfg.PollInterval, s.cfg.PollShards)
	s.outbound = outbound.New(outbound.Config{AllowedPrivateNets: s.cfg.AllowedPrivateNets, Proxy: s.cfg.OutboundProxy})
	s.routes = s.newRoutes()
	if s.role != api.RoleAPI {
		s.attempts = newAttemptCounter(s.store, s.log)
		s.worker = s.newKeeper()
	}
	s.own = s.deliveries(s.limits.lane.HasRoom)
	return nil
}

// startOwn starts the delivery of a row that this process has stored, or returns its lease, so that PollInbox starts it.
func (s *service) startOwn(ctx context.Context, e relay.PendingDelivery) error {
	err := s.own.StartDelivery(ctx, e)
	if err == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	return errors.Join(err, s.store.Release(ctx, []int64{e.ID}))
}

func (s *service) close() {
	s.temporal.Close()
	s.outbound.Close()
	if err := s.store.Close(); err != nil {
		s.log.Warn("database.close_failed", "error", err)
	}
}

// starter starts everything but deliveries.
func (s *service) starter() workflows.Starter {
	return workflows.Starter{Client: s.temporal, TaskQueue: s.cfg.TaskQueue, Search: s.search}
}

// deliveries starts deliveries, whose first tasks go to the worker of this process where eager says so.
func (s *service) deliveries(eager func() bool) workflows.Starter {
	d := s.starter()
	d.Route = s.routes.of
	if s.role != api.RoleAPI {
		d.Eager = eager
	}
	return d
}

func (s *service) handler(ctx context.Context, starter api.Starter) (http.Handler, error) {
	admins, err := s.cfg.admins()
	if err != nil {
		return nil, err
	}
	checks := []api.Check{s.preparedCheck()}
	if s.worker != nil {
		checks = append(checks, s.worker.check())
	}
	return api.New(api.Config{
		Role:           s.role,
		Username:       s.cfg.Username,
		Password:       s.cfg.Password,
		Admins:         admins,
		PublicURL:      s.cfg.PublicURL,
		Console:        s.cfg.Console,
		Logins:         api.LoginLimits{PerAccount: s.cfg.FailuresAccount, PerAddress: s.cfg.FailuresAddress, Window: s.cfg.LoginWindow},
		Proxies:        texts(s.cfg.TrustedProxies),
		MaxBodyBytes:   s.cfg.MaxBodyBytes,
		MaxBodiesBytes: s.cfg.MaxBodiesBytes,
		Lease:          lease,
	}, api.Deps{
		Inbox:    s.store,
		Starter:  starter,
		Database: s.store,
		Temporal: func(ctx context.Context) error {
			_, err := s.temporal.CheckHealth(ctx, &client.CheckHealthRequest{})
			return err
		},
		Checks:          checks,
		Admin:           s.admin(),
		Ops:             s.ops(),
		Live:            s.store,
		Stopping:        ctx.Done(),
		System:          s.system(),
		Reconciliations: s.store,
		Meter:           s.apiMeter(),
		Tracer:          s.apiTracer(),
		Log:             s.log,
	})
}

// preparedCheck is optional: deliveries continue without prepared statements.
func (s *service) preparedCheck() api.Check {
	const refused = "refused"
	return api.Check{Name: "prepared_statements", Words: []string{refused}, Optional: true,
		About: "Whether MySQL prepares statements: refused means that deliveries continue without them, a little slower.",
		Probe: func(context.Context) (string, error) {
			if s.store.Prepares() {
				return "ok", nil
			}
			return refused, nil
		}}
}

func texts(nets []netip.Prefix) []string {
	var list []string
	for _, n := range nets {
		list = append(list, n.String())
	}
	return list
}
