package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"relay/internal/relay"
)

// Role names the parts that a process runs, and so the checks of its readiness.
type Role string

// The roles. Serve is api and worker in one process.
const (
	RoleServe  Role = "serve"
	RoleAPI    Role = "api"
	RoleWorker Role = "worker"
)

// Bounds of a batch. Lists of errors and warnings stop at maxListed; the rest is counted.
const (
	maxItems  = 10_000
	maxListed = 1_000
)

// Defaults of Config, and the time limits of one request.
const (
	defaultMaxBody = 32 << 20
	defaultLease   = 30 * time.Second
	storeTimeout   = 20 * time.Second // resolving and storing a batch; below the default lease
	retryAfter     = 5 * time.Second  // of a 503

	writablePatience = time.Second // for the reason of a 503
)

// DefaultMaxBodies is the default of MaxBodiesBytes. A body costs up to six times its size while it is decoded and stored, so the
// memory of a container is made for this (deploy/checks holds the manifests to it).
const DefaultMaxBodies = 48 << 20

// minBodies is the least that MaxBodiesBytes may be: a largest body and a few small ones beside it.
func minBodies(maxBody int64) int64 { return maxBody + 4*maxAdminBody }

// Config holds the values of the HTTP side. The zero MaxBodyBytes is 32 MiB, the zero Lease 30 s. The worker role needs
// no login.
type Config struct {
	Role         Role
	Username     string
	Password     relay.Secret
	Admins       []AdminLogin // who may use the admin API; none: the login above
	PublicURL    string       // where browsers find this API, if a proxy changes the Host header; "" where none does
	Console      bool         // whether the web console is served
	Logins       LoginLimits  // how many failed logins are too many
	Proxies      []string     // CIDRs of proxies whose X-Forwarded-For names the client; none: the connection's own address counts
	MaxBodyBytes int64        // of a request body, as sent and as decompressed
	// MaxBodiesBytes is the limit of all bodies that are being read or stored at a time, as unpacked; 0 is
	// DefaultMaxBodies. It is at least the need of the largest body.
	MaxBodiesBytes int64
	Lease          time.Duration // for this time PollInbox skips the rows that this process starts itself
	LiveEvery      time.Duration // between two looks of the live stream at the database; 0 is 2 s
}

// LoginLimits bound the failed logins within a window: of one account, and from one address (of IPv6: from one /64). Zero
// values are 10, 50 and 15 minutes.
type LoginLimits struct {
	PerAccount, PerAddress int
	Window                 time.Duration
}

// Inbox is where accepted events are kept.
type Inbox interface {
	// StorefrontIDs returns the ids of the known codes, inactive storefronts included.
	StorefrontIDs(ctx context.Context, codes []string) (map[string]int64, error)
	// InsertEvents stores events in one transaction, all or none, and returns a result for each, in their order. Leased ones
	// are kept from other starters for the lease. An error that wraps relay.ErrUnavailable may be retried.
	InsertEvents(ctx context.Context, events []relay.NewEvent, lease time.Duration) ([]relay.InsertResult, error)
}

// Starter starts deliveries off the request path. It never blocks.
type Starter interface {
	// Reserve says how many of n events of a storefront this process will start itself at once: 0 to n. Every one of them
	// is returned by Start or by Release.
	Reserve(ctx context.Context, storefront string, n int) int
	// Start takes over events that are stored and leased. They belong to the trace of ctx, and outlive it.
	Start(ctx context.Context, rows []relay.PendingDelivery)
	// Release returns reservations that will not be used.
	Release(storefront string, n int)
}

// Database checks MySQL, for readiness.
type Database interface {
	// Ping fails if MySQL does not respond.
	Ping(ctx context.Context) error
	// Writable fails if an event cannot be stored now: with *relay.Unwritable if MySQL responds.
	Writable(ctx context.Context) error
	// Current reports whether the schema has every migration that this program knows.
	Current(ctx context.Context) (bool, error)
}

// Meter counts requests and batches.
type Meter interface {
	// Request counts a request; method is one of HTTP or other, route as it was registered or none.
	Request(method, route string, status int, took time.Duration)
	// Batch counts the items of a batch: accepted ones by storefront, errors by code.
	Batch(items int, accepted, duplicates, rejected map[string]int)
}

// Tracer makes each request part of a trace.
type Tracer interface {
	// Request returns the context of the span, and the function that ends it.
	Request(r *http.Request) (ctx context.Context, end func(method, route string, status int))
}

// Deps are the collaborators. The worker role needs Database, Temporal and Log; the others need all.
type Deps struct {
	Inbox           Inbox
	Starter         Starter
	Database        Database
	Temporal        func(context.Context) error // fails if Temporal does not respond
	Checks          []Check                     // of /health/ready, besides database, migrations and temporal
	Admin           *Admin                      // nil: no admin API
	Ops             *Ops                        // nil: no operations on events but ingestion
	Live            LiveStore                   // nil: no /admin/v1/live
	Stopping        <-chan struct{}             // closed when the process is about to stop: streams end then
	System          *System                     // nil: no /admin/v1/system
	Reconciliations ReconciliationReader        // nil: /health/ready?verbose says nothing of the reconciler
	Meter           Meter                       // nil: nothing is counted
	Tracer          Tracer                      // nil: nothing is traced
	Log             *slog.Logger
}

func (c Config) check() error {
	switch c.Role {
	case RoleWorker:
		return nil
	case RoleServe, RoleAPI:
	default:
		return errors.New("field Role must be serve, api or worker")
	}
	switch {
	case c.Username == "":
		return errors.New("field Username is missing")
	case !c.Password.IsSet():
		return errors.New("field Password is missing")
	case c.MaxBodyBytes < 0:
		return errors.New("field MaxBodyBytes must not be negative")
	case c.MaxBodiesBytes < 0:
		return errors.New("field MaxBodiesBytes must not be negative")
	case c.Logins.PerAccount < 0, c.Logins.PerAddress < 0, c.Logins.Window < 0:
		return errors.New("field Logins must not be negative")
	case c.Lease < 0:
		return errors.New("field Lease must not be negative")
	}
	return c.checkAdmins()
}

func (c Config) withDefaults() Config {
	if c.MaxBodyBytes == 0 {
		c.MaxBodyBytes = defaultMaxBody
	}
	c.MaxBodiesBytes = max(cmp.Or(c.MaxBodiesBytes, DefaultMaxBodies), minBodies(c.MaxBodyBytes))
	if c.Lease == 0 {
		c.Lease = defaultLease
	}
	c.Logins.PerAccount = cmp.Or(c.Logins.PerAccount, 10)
	c.Logins.PerAddress = cmp.Or(c.Logins.PerAddress, 50)
	c.Logins.Window = cmp.Or(c.Logins.Window, 15*time.Minute)
	return c
}

func (d Deps) check(role Role) error {
	missing := ""
	switch ingests := role != RoleWorker; {
	case d.Log == nil:
		missing = "Log"
	case d.Database == nil:
		missing = "Database"
	case d.Temporal == nil:
		missing = "Temporal"
	case d.checkChecks() != nil:
		return d.checkChecks()
	case ingests && d.Inbox == nil:
		missing = "Inbox"
	case ingests && d.Starter == nil:
		missing = "Starter"
	case ingests && d.Ops.check() != nil:
		return d.Ops.check()
	case ingests && d.Admin != nil:
		return d.Admin.check()
	default:
		return nil
	}
	return fmt.Errorf("collaborator %s is missing", missing)
}
