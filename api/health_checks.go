package api

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"relay/internal/relay"
)

// Check is one check of /health/ready. Its name is a field of the response.
type Check struct {
	Name  string   // lower case, such as worker
	About string   // its description in the API's document
	Words []string // of Probe, besides ok and down; for the document
	// Probe returns one of the states, ok where all is well. An error is logged, never shown; with an error and no state, or
	// after two seconds, the word is down.
	Probe func(context.Context) (string, error)
	// Optional means that the process can do its work whatever the word.
	Optional bool
}

// builtIn are the checks of every role, in the order of the report.
func builtIn(role Role, d Deps) []Check {
	return []Check{
		{Name: "database", About: "Whether MySQL responds and accepts writes: down means no response; the other words mean that it " +
			"responds but refuses writes.", Words: refusals, Probe: func(ctx context.Context) (string, error) { return writable(ctx, d.Database) }},
		{Name: "migrations", About: "Whether the tables are up to date.", Words: []string{wordOld, wordUnknown}, Probe: func(ctx context.Context) (string, error) {
			current, err := d.Database.Current(ctx)
			switch {
			case err != nil:
				return wordUnknown, err
			case !current:
				return wordOld, nil
			}
			return wordOK, nil
		}},
		// Without Temporal the API still accepts: the inbox is the outbox. A worker does nothing then.
		{Name: "temporal", About: "Whether Temporal responds. In the api role it may be down: events are stored and delivered later.",
			Optional: role == RoleAPI, Probe: func(ctx context.Context) (string, error) { return wordOK, d.Temporal(ctx) }},
	}
}

// refusals are the states of a database that responds and refuses writes.
var refusals = []string{string(relay.WriteReadOnly), string(relay.WriteNoRoom), string(relay.WriteForbidden), string(relay.WriteStalled)}

// writable is the word of the database. The write gets less time than the check has, so that one that hangs is called stalled.
func writable(ctx context.Context, d Database) (string, error) {
	if err := d.Ping(ctx); err != nil {
		return wordDown, err
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout*3/4)
	defer cancel()
	err := d.Writable(ctx)
	var u *relay.Unwritable
	if errors.As(err, &u) {
		return string(u.Why), err
	}
	return wordOK, err
}

func (d Deps) checkChecks() error {
	taken := []string{"status", "reconciliation", "database", "migrations", "temporal"}
	for _, c := range d.Checks {
		if c.Name == "" || c.Probe == nil || slices.Contains(taken, c.Name) {
			return fmt.Errorf("collaborator Checks: %q lacks a probe or a name of its own", c.Name)
		}
		taken = append(taken, c.Name)
	}
	return nil
}

// readiness probes the dependencies of the role, at most once per probeEvery for all callers together.
type readiness struct {
	checks []Check

	mu   sync.Mutex
	at   time.Time
	last report
}

func (r *readiness) check(ctx context.Context) report {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.at) >= probeEvery {
		// Others get this result, too: it must not depend on the time-out of the first client.
		r.last = r.probe(context.WithoutCancel(ctx))
		r.at = time.Now()
	}
	return r.last
}

func (r *readiness) probe(ctx context.Context) report {
	rep := report{status: statusReady, words: make([]checked, len(r.checks))}
	errs := make([]error, len(r.checks))
	var wg sync.WaitGroup
	for i, c := range r.checks {
		wg.Go(func() {
			word, err := bounded(ctx, c.Probe)
			if err != nil && (word == "" || word == wordOK) {
				word = wordDown
			}
			rep.words[i], errs[i] = checked{c.Name, word}, err
		})
	}
	wg.Wait()
	for i, c := range r.checks {
		if rep.words[i].word != wordOK && !c.Optional {
			rep.status = statusUnavailable
		}
	}
	rep.err = errors.Join(errs...)
	return rep
}

// bounded returns within probeTimeout, even if the probe ignores its context.
func bounded(ctx context.Context, probe func(context.Context) (string, error)) (string, error) {
	type result struct {
		word string
		err  error
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	done := make(chan result, 1)
	go func() {
		defer func() {
			if v := recover(); v != nil {
				done <- result{"", panicError(v)}
			}
		}()
		word, err := probe(ctx)
		done <- result{word, err}
	}()
	select {
	case a := <-done:
		return a.word, a.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}
