package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"flag"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"strconv"
	"time"

	"relay/db/dbtest"
	"relay/deploy/dev/harness"
	"relay/deploy/dev/temporal"
	"relay/deploy/sandbox"
	"relay/deploy/sandbox/vendors"
	"relay/internal/proc"
)

const host = "127.0.0.1"

// temporalGC trades memory for a sixth more workflows a second: the server allocates much short-lived memory.
const temporalGC = 400

// temporalMemory is the size from which Go collects garbage more often: the server's caches are bounded to a fraction of it.
const temporalMemory = 480 << 20

func runTemporal(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("dev temporal", flag.ContinueOnError)
	var c temporal.Config
	flags.StringVar(&c.Dir, "dir", "", "folder of its files; created if missing, else reused")
	flags.IntVar(&c.Port, "port", 0, "port of the frontend; 0 chooses a free one")
	flags.IntVar(&c.UIPort, "ui-port", 0, "port of the Web UI; 0 chooses a free one, -1 runs none")
	flags.StringVar(&c.LogLevel, "log-level", "error", "debug, info, warn or error")
	flags.Float64Var(&c.FaultRate, "fault-rate", 0, "share of the storage calls that fail, such as 0.05")
	flags.BoolVar(&c.NoFairness, "no-fairness", false, "ignore the fairness keys of workflows, as a cluster does by default")
	flags.StringVar(&c.Namespace, "namespace", "", "namespace, created if missing; empty is \"default\"")
	flags.IntVar(&c.ContinueAfter, "continue-after", 0, "history events after which Temporal suggests that a workflow continues as new; 0 is Temporal's default")
	if done, err := parse(flags, args); done {
		return err
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(temporalGC)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(temporalMemory)
	}
	server, err := temporal.Start(ctx, c)
	if err != nil {
		return err
	}
	counts, err := serveCalls(ctx, server)
	if err != nil {
		return errors.Join(err, server.Stop())
	}
	if err := announce(harness.Announcement{Address: server.Address(), UIURL: server.UIURL(), CallsURL: counts}); err != nil {
		return errors.Join(err, server.Stop())
	}
	<-ctx.Done()
	return server.Stop()
}

// serveCalls serves the counts of calls to Temporal on a port of its own, until ctx ends.
func serveCalls(ctx context.Context, server *temporal.Server) (string, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return "", err
	}
	counts := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(server.Calls()) // the client has closed the connection
	})}
	context.AfterFunc(ctx, func() { _ = counts.Close() })
	go func() { _ = counts.Serve(listener) }()
	return "http://" + listener.Addr().String(), nil
}

func runSandbox(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("dev sandbox", flag.ContinueOnError)
	var o sandbox.Options
	port := flags.Int("port", 0, "port; 0 chooses a free one")
	flags.BoolVar(&o.Sink, "sink", false, "only count and accept, as cheaply as possible")
	flags.StringVar(&o.KeyField, "key", "event_id", "JSON field whose value names an event")
	flags.IntVar(&o.Keep, "keep", 0, "deliveries kept in full; 0 means the default")
	certificate := flags.String("tls", "", "also serve HTTPS with HTTP/2 at a port of its own; the file holds certificate and key, and is created if missing")
	if done, err := parse(flags, args); done {
		return err
	}
	var err error
	if *port == 0 {
		if *port, err = proc.FreePort(ctx); err != nil {
			return err
		}
	}
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(*port)))
	if err != nil {
		return err
	}
	o.Play = vendors.Play
	server := &http.Server{Handler: sandbox.New(o), ReadHeaderTimeout: 10 * time.Second, TLSNextProto: sandbox.ServeHTTP2()}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })() // at once: a request that hangs was scripted to
	secure, err := serveTLS(ctx, server, *certificate)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	if err := announce(harness.Announcement{Address: listener.Addr().String(), TLSAddress: secure}); err != nil {
		return errors.Join(err, listener.Close())
	}
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// serveTLS serves HTTPS beside HTTP and returns its address, "" without a certificate.
func serveTLS(ctx context.Context, server *http.Server, certificate string) (string, error) {
	if certificate == "" {
		return "", nil
	}
	pair, err := sandbox.Certificate(certificate)
	if err != nil {
		return "", err
	}
	server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{pair}, NextProtos: []string{"h2", "http/1.1"}}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return "", err
	}
	go func() { _ = server.ServeTLS(listener, "", "") }()
	return listener.Addr().String(), nil
}

func runMySQL(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("dev mysql", flag.ContinueOnError)
	c := dbtest.Config{Durable: true}
	flags.StringVar(&c.Dir, "dir", "", "folder of its data; created if missing, else reused")
	flags.IntVar(&c.Port, "port", 0, "port; 0 chooses a free one")
	if done, err := parse(flags, args); done {
		return err
	}
	server, err := dbtest.Start(ctx, c)
	if err != nil {
		return err
	}
	if err := announce(harness.Announcement{Address: net.JoinHostPort(host, strconv.Itoa(server.Port()))}); err != nil {
		return errors.Join(err, server.Stop())
	}
	select {
	case <-ctx.Done():
		return server.Stop()
	case <-server.Done():
		return errors.New("the database server ended by itself; see " + server.LogFile())
	}
}

// parse reads the options; done reports that the command has nothing more to do.
func parse(flags *flag.FlagSet, args []string) (done bool, err error) {
	err = flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		return true, nil
	}
	if err == nil && flags.NArg() > 0 {
		err = errors.New("unexpected argument " + strconv.Quote(flags.Arg(0)))
	}
	return err != nil, err
}

// announce prints that the part is ready, and its addresses, for the process that started it.
func announce(a harness.Announcement) error { return json.NewEncoder(os.Stdout).Encode(a) }
