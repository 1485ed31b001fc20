// Package temporal runs a Temporal server and its Web UI inside this process, for development and tests.
//
// Workflows live in SQLite files, every commit synced; the list that the Web UI searches lives in a file of its own
// that is not synced, because it can be lost without losing a workflow and costs a third of all work. It is not for
// production: one node, no login, listening on 127.0.0.1 only.
package temporal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/membership/static"
	"go.temporal.io/server/common/metrics"
	"go.temporal.io/server/common/primitives"
	"go.temporal.io/server/temporal"

	"relay/internal/proc"
)

// startBound bounds a start on a slow machine under load; usually it takes about a second.
const startBound = 60 * time.Second

// Config configures the server. Only Dir is required.
type Config struct {
	Dir       string // holds the files; created if missing, else reused
	Port      int    // the frontend's; 0 chooses a free one
	UIPort    int    // the Web UI's; 0 chooses a free one, NoUI runs none
	Namespace string // created if missing; default "default"
	LogLevel  string // debug, info, warn or error; default error
	// FaultRate is the share of storage calls that fail, 0 to 1, for tests of recovery.
	FaultRate float64
	// NoFairness ignores fairness keys, as a cluster does by default, in order to measure their effect.
	NoFairness bool
	// ContinueAfter is the number of history events after which Temporal suggests to continue as new; 0 is its default.
	ContinueAfter int
}

// NoUI as a UIPort runs no Web UI.
const NoUI = -1

// Server is a running Temporal server.
type Server struct {
	config   Config
	internal []int // the ports of the services that only the server itself calls
	server   temporal.Server
	ui       webUI
	lock     *os.File
	stopping atomic.Bool
	calls    calls
}

// Start starts a server and returns when a client can use its namespace.
func Start(ctx context.Context, c Config) (*Server, error) {
	ctx, cancel := context.WithTimeout(ctx, startBound)
	defer cancel()
	s, err := complete(ctx, c)
	if err != nil {
		return nil, err
	}
	if s.lock, err = proc.Lock(filepath.Join(c.Dir, "lock")); err != nil {
		return nil, fmt.Errorf("temporal folder %s: %w", s.config.Dir, err)
	}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// complete returns a server with the defaults of c.
func complete(ctx context.Context, c Config) (*Server, error) {
	if c.Dir == "" {
		return nil, errors.New("temporal needs a folder")
	}
	if c.FaultRate < 0 || c.FaultRate > 1 {
		return nil, fmt.Errorf("fault rate %v: want 0 to 1", c.FaultRate)
	}
	c.Namespace = cmp.Or(c.Namespace, "default")
	c.LogLevel = cmp.Or(c.LogLevel, "error")
	var free [5]int
	var err error
	for i := range free {
		if free[i], err = proc.FreePort(ctx); err != nil {
			return nil, err
		}
	}
	c.Port = cmp.Or(c.Port, free[3])
	c.UIPort = cmp.Or(c.UIPort, free[4])
	if c.Dir, err = filepath.Abs(c.Dir); err != nil {
		return nil, err
	}
	return &Server{config: c, internal: free[:3]}, os.MkdirAll(c.Dir, 0o700)
}

func (s *Server) start(ctx context.Context) error {
	store, err := openStore(s.config.Dir)
	if err != nil {
		return err
	}
	if err := store.ensureNamespace(s.config.Namespace); err != nil {
		return err
	}
	server, err := s.newServer(s.settings(store))
	if err != nil {
		return fmt.Errorf("set up temporal: %w", err)
	}
	if err := server.Start(); err != nil {
		return fmt.Errorf("start temporal: %w", errors.Join(err, server.Stop()))
	}
	s.server = server
	if err := s.waitReady(ctx); err != nil {
		return err
	}
	if s.config.UIPort == NoUI {
		return nil
	}
	s.ui, err = startUI(ctx, s.Address(), s.config)
	return err
}

func (s *Server) newServer(settings *config.Config) (temporal.Server, error) {
	hosts := map[primitives.ServiceName]static.Hosts{}
	for _, name := range temporal.DefaultServices {
		hosts[primitives.ServiceName(name)] = static.SingleLocalHost(address(settings.Services[name].RPC.GRPCPort))
	}
	return temporal.NewServer(
		temporal.WithConfig(settings),
		temporal.ForServices(temporal.DefaultServices),
		temporal.WithStaticHosts(hosts), // services of one process need no membership protocol
		temporal.WithLogger(newLogger(s.config.LogLevel, s.LogFile(), &s.stopping)),
		temporal.WithAuthorizer(authorization.NewNoopAuthorizer()),
		temporal.WithClaimMapper(func(*config.Config) authorization.ClaimMapper { return authorization.NewNoopClaimMapper() }),
		temporal.WithDynamicConfigClient(dynamic(s.config)),
		temporal.WithCustomMetricsHandler(metrics.NoopMetricsHandler),
		temporal.WithChainedFrontendGrpcInterceptors(s.calls.count),
	)
}

// waitReady waits until the namespace can be used: the frontend responds before its caches have it.
func (s *Server) waitReady(ctx context.Context) error {
	c, err := client.DialContext(ctx, client.Options{HostPort: s.Address(), Namespace: s.config.Namespace, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return fmt.Errorf("reach temporal on %s: %w", s.Address(), err)
	}
	defer c.Close()
	for {
		_, err := c.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Namespace: s.config.Namespace})
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("temporal's namespace %s is not usable: %w", s.config.Namespace, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Address returns the frontend's host:port, in the form of TEMPORAL_ADDRESS.
func (s *Server) Address() string { return address(s.config.Port) }

// UIURL returns the Web UI's address, "" without one.
func (s *Server) UIURL() string {
	if s.config.UIPort == NoUI {
		return ""
	}
	return "http://" + address(s.config.UIPort)
}

// LogFile returns the server's log file.
func (s *Server) LogFile() string { return filepath.Join(s.config.Dir, "temporal.log") }

// Stop stops the Web UI and the server. Open workflows continue at the next start.
func (s *Server) Stop() error {
	s.stopping.Store(true)
	s.ui.stop()
	var err error
	if s.server != nil {
		err = s.server.Stop()
		s.server = nil
	}
	return errors.Join(err, s.lock.Close())
}

func address(port int) string { return net.JoinHostPort(host, strconv.Itoa(port)) }
