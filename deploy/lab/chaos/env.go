package chaos

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-sql-driver/mysql"
	"go.temporal.io/sdk/client"

	"relay/db"
	"relay/db/dbtest"
	"relay/db/seed"
	"relay/deploy/dev/harness"
	"relay/internal/ops"
	"relay/internal/relay"
)

// The storefronts are two with a container and one with two direct platforms.
const (
	acme  = "acme"
	brio  = "brio"
	corso = "corso"
)

// readOnlyTime bounds the wait for open transactions when the database turns read-only.
const readOnlyTime = 5 * time.Second

var fanOut = []string{"sandbox", "sandbox_b"}

// env is the system of one round.
type env struct {
	system   *harness.System
	ids      map[string]int64 // of the storefronts
	pool     *sql.DB
	temporal client.Client
	trust    string                        // the variable that makes a relay trust the sandbox's HTTPS
	intake   atomic.Pointer[harness.Relay] // the process that accepts events at present

	mu    sync.Mutex
	parts []part // the parts that may be killed at present
}

// newEnv starts a system with its storefronts, and the API and the worker as processes of their own.
func newEnv(ctx context.Context, o Options, dir string, faults float64) (l *env, err error) {
	l = &env{ids: map[string]int64{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.close())
		}
	}()
	l.system, err = harness.Start(ctx, harness.Config{
		Programs:  o.Programs,
		Dir:       dir,
		Database:  dbtest.Config{Durable: true},
		Temporal:  harness.TemporalOptions{UIPort: -1, FaultRate: faults},
		Sandbox:   harness.SandboxOptions{TLS: true},
		BoundUser: true,
		Username:  "oms", Password: "a password of the crash suite",
		// Retries after 1, 2, 4, 8, 16 s, so that a round is soon idle.
		Env: []string{"RETRY_BACKOFF_BASE=1", "MAX_RETRY_ATTEMPTS=6", "POLL_INTERVAL=250ms"},
	})
	if err != nil {
		return l, err
	}
	l.trust = "SSL_CERT_FILE=" + l.system.Sandbox.CAFile
	if err := l.addStorefronts(ctx); err != nil {
		return l, err
	}
	config, err := db.ParseURL(l.system.DatabaseURL())
	if err != nil {
		return l, err
	}
	config.Logger = &mysql.NopLogger{} // lost connections are expected
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return l, err
	}
	l.pool = sql.OpenDB(connector)
	l.temporal, err = client.NewLazyClient(client.Options{HostPort: l.system.Temporal.Address(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return l, err
	}
	return l, l.apart(ctx)
}

func (l *env) addStorefronts(ctx context.Context) error {
	for code, container := range map[string]ops.SGTMConfig{
		// A backlog after a crash waits for the limit.
		acme: {URL: l.system.Sandbox.BaseURL, Options: relay.Options{Limits: relay.Limits{PerSecond: 40, InFlight: 8}}},
		// HTTP/2, whose servers may refuse a request after they have read it.
		corso: {URL: l.system.Sandbox.TLSURL},
	} {
		id, err := seed.On(l.system.Store).CreateStorefront(ctx, relay.Storefront{Code: code, Name: code, Active: true})
		if err != nil {
			return err
		}
		l.ids[code] = id
		container.URL += "/" + code
		container.MeasurementID, container.APISecret, container.Active = "G-CHAOS", relay.NewSecret("secret-of-"+code), true
		if err := seed.On(l.system.Store).PutSGTM(ctx, id, container); err != nil {
			return err
		}
	}
	id, err := seed.On(l.system.Store).CreateStorefront(ctx, relay.Storefront{Code: brio, Name: brio, Active: true}) // without a container
	if err != nil {
		return err
	}
	l.ids[brio] = id
	for _, platform := range fanOut {
		if err := l.system.AddPlatform(ctx, id, brio, platform); err != nil {
			return err
		}
	}
	return nil
}

// apart runs the API and the worker as two processes.
func (l *env) apart(ctx context.Context) error {
	api, err := l.system.StartRelay(ctx, harness.RelayOptions{Name: "api", Role: "api", Env: []string{l.trust}})
	if err != nil {
		return err
	}
	worker, err := l.system.StartRelay(ctx, harness.RelayOptions{Name: "worker", Role: "worker", Env: []string{l.trust}})
	if err != nil {
		return err
	}
	l.run(api, []part{relayPart("api", api), relayPart("worker", worker)})
	return nil
}

// together replaces API and worker by one process for both roles, as a deploy would: it starts the new one, then stops the old
// ones with SIGTERM, under load.
func (l *env) together(ctx context.Context) error {
	serve, err := l.system.StartRelay(ctx, harness.RelayOptions{Name: "serve", Role: "serve", Env: []string{l.trust}})
	if err != nil {
		return err
	}
	l.mu.Lock()
	old := l.parts
	l.mu.Unlock()
	l.run(serve, []part{relayPart("serve", serve)})
	for _, p := range old {
		if p.stop != nil {
			err = errors.Join(err, p.stop())
		}
	}
	return err
}

func (l *env) run(intake *harness.Relay, relays []part) {
	l.intake.Store(intake)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.parts = append(relays,
		part{kind: "database", kill: l.system.Database.Kill, start: l.system.Database.Restart},
		part{kind: "read-only", kill: l.turnReadOnly, start: l.turnWritable},
		part{kind: "Temporal", kill: l.system.Temporal.Kill, start: l.system.Temporal.Start})
}

// turnReadOnly makes the database a replica, as a failover does under the relay's open connections.
func (l *env) turnReadOnly() {
	ctx, cancel := context.WithTimeout(context.Background(), readOnlyTime)
	defer cancel()
	_ = l.system.Database.SetReadOnly(ctx, true) // fails if the server was killed at the same time
}

// turnWritable makes the database a primary again. It repeats until the server responds, because it may have been killed.
func (l *env) turnWritable(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := l.system.Database.SetReadOnly(ctx, false)
		if err == nil {
			return nil
		}
		if sleep(ctx, tick) != nil {
			return err
		}
	}
}

// close stops all parts. Parts that do not stop in time are killed; all checks have ended by then.
func (l *env) close() error {
	if l.temporal != nil {
		l.temporal.Close()
	}
	var err error
	if l.pool != nil {
		err = l.pool.Close()
	}
	if l.system != nil {
		err = errors.Join(err, l.system.Stop())
	}
	return err
}

// sleep waits for d, or until ctx ends, and returns the error of ctx.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
