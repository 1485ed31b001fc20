package bench

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"strconv"
	"time"

	_ "github.com/go-sql-driver/mysql" // the server's own counters are read past the relay's store
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"

	"log/slog"

	"relay/db/dbtest"
	"relay/deploy/dev/harness"
	"relay/workflows"
)

// Parts whose CPU time is counted.
const (
	partRelay    = "relay"
	partFloor    = "bare workflows"
	partTemporal = "Temporal"
	partDatabase = "database"
)

// besidePart names the processes beside the first relay.
func besidePart(i int) string { return "worker " + strconv.Itoa(i+1) }

// env is a fresh system for one scenario, as make dev would run it: every commit synced.
type env struct {
	*harness.System
	relay    *harness.Relay
	beside   []*harness.Relay
	database *sql.DB
	temporal client.Client
	floor    *bareWorkflows
	posted   int   // events so far; they number the orders
	asked    int64 // SELECTs of the benchmark itself, which do not count
}

// envOptions configure an env.
type envOptions struct {
	role        string   // of the relay; default serve
	beside      []string // roles of further relays
	env         []string
	storefronts []string // default: one, a
	scripted    bool     // the sink responds as scripted, instead of as fast as it can
	noFairness  bool
	database    []string // further options of the database server
	floor       bool     // run bare workflows on the side
	rest        bool     // leave the relay out
}

// newEnv starts the parts and warms them up. The caller closes it.
func (r *run) newEnv(ctx context.Context, o envOptions) (*env, error) {
	dir, err := os.MkdirTemp(r.dir, "env-")
	if err != nil {
		return nil, err
	}
	system, err := harness.Start(ctx, harness.Config{
		Programs: r.programs, Dir: dir, Username: "oms", Password: "bench",
		Database: dbtest.Config{Durable: true, Args: o.database}, Env: r.env,
		Temporal: harness.TemporalOptions{UIPort: -1, NoFairness: o.noFairness},
		Sandbox:  harness.SandboxOptions{Sink: !o.scripted},
	})
	if err != nil {
		return nil, err
	}
	l := &env{System: system}
	if err := l.open(ctx, r, o); err != nil {
		return nil, errors.Join(err, l.close(), os.RemoveAll(dir))
	}
	return l, nil
}

func (l *env) open(ctx context.Context, r *run, o envOptions) error {
	var err error
	if l.database, err = sql.Open("mysql", l.DatabaseURL()); err != nil {
		return err
	}
	if err := l.database.QueryRowContext(ctx, "SELECT VERSION()").Scan(&r.machine.Database); err != nil {
		return err
	}
	l.temporal, err = client.DialContext(ctx, client.Options{
		HostPort: l.Temporal.Address(), Logger: sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
	if err != nil {
		return err
	}
	if o.storefronts == nil {
		o.storefronts = []string{"a"}
	}
	for _, code := range o.storefronts {
		if _, err := l.AddStorefront(ctx, code); err != nil {
			return err
		}
	}
	if o.floor {
		if l.floor, err = startBare(ctx, r.programs.Dev, l.Temporal.Address()); err != nil {
			return err
		}
	}
	if o.rest {
		return nil
	}
	return l.startRelay(ctx, o)
}

// startRelay starts the relay and warms it up. Temporal accepts search attributes a second or two after they were
// registered, and the relay looks for them at its start.
func (l *env) startRelay(ctx context.Context, o envOptions) error {
	if err := sleep(ctx, 2*time.Second); err != nil {
		return err
	}
	var err error
	if l.relay, err = l.StartRelay(ctx, harness.RelayOptions{Role: o.role, Env: o.env}); err != nil {
		return err
	}
	for i, role := range o.beside {
		one, err := l.StartRelay(ctx, harness.RelayOptions{Name: besidePart(i), Role: role, Env: o.env})
		if err != nil {
			return err
		}
		l.beside = append(l.beside, one)
	}
	if o.role == "api" && len(o.beside) == 0 {
		return l.settle(ctx)
	}
	if len(o.beside) > 1 { // they learn of one another
		if err := sleep(ctx, 12*time.Second); err != nil {
			return err
		}
	}
	for range 3 {
		if err := l.post(ctx, l.items(o.storefronts[0], 20)); err != nil {
			return err
		}
		if err := l.drained(ctx); err != nil {
			return err
		}
	}
	return l.settle(ctx)
}

// close stops everything and removes its files.
func (l *env) close() error {
	var errs []error
	if l.floor != nil {
		l.floor.stop()
	}
	if l.temporal != nil {
		l.temporal.Close()
	}
	if l.database != nil {
		errs = append(errs, l.database.Close())
	}
	return errors.Join(append(errs, l.Stop())...)
}

// pids returns the process ids of the parts.
func (l *env) pids() map[string]int {
	pids := map[string]int{partTemporal: l.Temporal.Pid(), partDatabase: l.Database.Pid()}
	if l.relay != nil {
		pids[partRelay] = l.relay.Pid()
	}
	for i, one := range l.beside {
		pids[besidePart(i)] = one.Pid()
	}
	if l.floor != nil {
		pids[partFloor] = l.floor.pid()
	}
	return pids
}

// drained waits until no event is open.
func (l *env) drained(ctx context.Context) error {
	const bound = time.Hour
	ctx, cancel := context.WithTimeoutCause(ctx, bound, errors.New("the backlog does not drain"))
	defer cancel()
	for {
		open, err := l.openRows(ctx)
		if err != nil {
			return errors.Join(err, context.Cause(ctx))
		}
		if !open {
			return nil
		}
		if err := sleep(ctx, 25*time.Millisecond); err != nil {
			return context.Cause(ctx)
		}
	}
}

// openRows reports whether any event is open.
func (l *env) openRows(ctx context.Context) (bool, error) {
	l.asked++
	var n int
	err := l.database.QueryRowContext(ctx, `SELECT COUNT(*) FROM (SELECT 1 FROM marketing_events
		WHERE status IN ('pending', 'processing') LIMIT 1) open`).Scan(&n)
	return n > 0, err
}

// count counts rows of the inbox.
func (l *env) count(ctx context.Context, where string, args ...any) (int, error) {
	var n int
	err := l.database.QueryRowContext(ctx, "SELECT COUNT(*) FROM marketing_events WHERE "+where, args...).Scan(&n)
	return n, err
}

// historyEvents returns the length of the history of the latest row's delivery.
func (l *env) historyEvents(ctx context.Context) (int64, error) {
	var id int64
	if err := l.database.QueryRowContext(ctx, "SELECT MAX(id) FROM marketing_events WHERE status = 'delivered'").Scan(&id); err != nil {
		return 0, err
	}
	if err := l.temporal.GetWorkflow(ctx, workflows.DeliverEventID(id), "").Get(ctx, nil); err != nil {
		return 0, err
	}
	d, err := l.temporal.DescribeWorkflowExecution(ctx, workflows.DeliverEventID(id), "")
	if err != nil {
		return 0, err
	}
	return d.GetWorkflowExecutionInfo().GetHistoryLength(), nil
}
