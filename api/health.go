package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"relay"
)

const (
	probeTimeout = 2 * time.Second
	// probeEvery bounds what a stranger can cost us: /health/ready needs no login. It is far below any prober's interval.
	probeEvery = 250 * time.Millisecond
)

// Words of a readiness report.
const (
	wordOK      = "ok"
	wordDown    = "down"
	wordOld     = "old"
	wordUnknown = "unknown"
	wordRefused = "refused"
)

// report is what /health/ready answers: words only, because anybody may ask.
type report struct {
	Status     string `json:"status"`
	Database   string `json:"database"`
	Migrations string `json:"migrations"`
	Temporal   string `json:"temporal"`
	// Prepared is there where the server refuses to prepare statements: then deliveries go on by the text protocol.
	Prepared string `json:"prepared_statements,omitempty"`

	err error // for the log
}

func (s *server) health(c *gin.Context, l *line) error {
	l.quiet = true
	write(c, http.StatusOK, "application/json", map[string]string{"status": wordOK})
	return nil
}

func (s *server) healthReady(c *gin.Context, l *line) error {
	l.quiet = true
	if wantsVerbose(c) {
		if err := s.admitVerbose(c, l); err != nil {
			return err
		}
	}
	r := s.ready.check(c.Request.Context())
	l.add(slog.String("database", r.Database), slog.String("migrations", r.Migrations), slog.String("temporal", r.Temporal))
	l.cause = r.err
	status := http.StatusOK
	if r.Status != "ready" {
		status = http.StatusServiceUnavailable
	}
	s.writeReady(c, status, r)
	return nil
}

// readiness probes what the role needs, at most once per probeEvery however many ask.
type readiness struct {
	role     Role
	database Database
	temporal func(context.Context) error

	mu   sync.Mutex
	at   time.Time
	last report
}

func (r *readiness) check(ctx context.Context) report {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.at) >= probeEvery {
		// Others get this answer, too: it must not depend on the patience of the one who asked first.
		r.last = r.probe(context.WithoutCancel(ctx))
		r.at = time.Now()
	}
	return r.last
}

func (r *readiness) probe(ctx context.Context) report {
	var database, written, migrations, temporal error
	current := false
	var wg sync.WaitGroup
	wg.Go(func() { database = bounded(ctx, r.database.Ping) })
	wg.Go(func() { written = bounded(ctx, r.database.Writable) })
	wg.Go(func() { current, migrations = r.current(ctx) })
	wg.Go(func() { temporal = bounded(ctx, r.temporal) })
	wg.Wait()

	rep := report{Status: "ready", Database: wordOK, Migrations: wordOK, Temporal: wordOK}
	rep.err = errors.Join(database, written, migrations, temporal)
	rep.Database = databaseWord(database, written)
	if !r.database.Prepares() {
		rep.Prepared = wordRefused
	}
	if migrations != nil {
		rep.Migrations = wordUnknown
	} else if !current {
		rep.Migrations = wordOld
	}
	if temporal != nil {
		rep.Temporal = wordDown
	}
	// Without Temporal the API still accepts: the inbox is the outbox. A worker does nothing then.
	if rep.Database != wordOK || rep.Migrations != wordOK || rep.Temporal != wordOK && r.role != RoleAPI {
		rep.Status = "unavailable"
	}
	return rep
}

// databaseWord is ok, down, or why a database that answers is not written.
func databaseWord(ping, written error) string {
	var u *relay.Unwritable
	switch {
	case ping != nil:
		return wordDown
	case errors.As(written, &u):
		return string(u.Why)
	case errors.Is(written, context.DeadlineExceeded):
		return string(relay.WriteStalled)
	case written != nil:
		return wordDown
	}
	return wordOK
}

func (r *readiness) current(ctx context.Context) (bool, error) {
	answer := make(chan bool, 1)
	err := bounded(ctx, func(ctx context.Context) error {
		ok, err := r.database.Current(ctx)
		answer <- ok
		return err
	})
	if err != nil {
		return false, err
	}
	return <-answer, nil
}

// bounded asks for at most probeTimeout, also where what is asked does not heed its context.
func bounded(ctx context.Context, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		defer func() {
			if v := recover(); v != nil {
				done <- panicError(v)
			}
		}()
		done <- ask(ctx)
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
