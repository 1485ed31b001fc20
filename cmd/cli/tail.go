package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"relay/api"
)

const livePath = "/admin/v1/live"

// Waits before a stream that broke is opened again: the first, doubled up to the last.
const (
	reconnectFirst = time.Second
	reconnectLast  = 30 * time.Second
)

// maxSeen is how many attempts are remembered, so that a stream that begins again repeats none: it begins with up to 500.
const maxSeen = 2000

func (s *surroundings) eventsTail() *cobra.Command {
	var storefront, destination string
	var outcomes, kinds []string
	var since time.Duration
	c := s.remoteCommand("tail", "Follow attempts, health and replays as they happen", cobra.NoArgs, func(c *cobra.Command, r *remote, _ []string) error {
		if since < 0 {
			return usagef("--since: must be 0 or more")
		}
		q := url.Values{"kinds": {strings.Join(kinds, ",")}}
		for name, value := range map[string]string{"storefront": storefront, "destination": destination, "outcome": strings.Join(outcomes, ",")} {
			if value != "" {
				q.Set(name, value)
			}
		}
		t := tail{remote: r, since: since, sending: slices.Contains(outcomes, "sending"), seen: map[string]bool{}}
		return t.follow(c.Context(), q)
	})
	c.Long = "Shows each attempt when it ends, each change of a destination's health and of a replay, until Ctrl-C. A stream that breaks is opened again, " +
		"without repeating attempts; what happens meanwhile is shown as far as the relay still has it. Under heavy load the attempts are a sample."
	c.Flags().StringVar(&storefront, "storefront", "", "the storefront's code")
	c.Flags().StringVar(&destination, "destination", "", "sgtm or a platform's code")
	c.Flags().StringSliceVar(&outcomes, "outcome", nil, "attempts that end so: accepted, retry, rejected, ...; sending shows their begin, too")
	c.Flags().StringSliceVar(&kinds, "kinds", []string{"attempt", "health", "replay"}, "attempt, health, replay, figures; several with commas")
	c.Flags().DurationVar(&since, "since", time.Minute, "begin with attempts as old as this, as far as they are known")
	describe(c, "storefront", "storefront", namesOfStorefronts)
	describe(c, "destination", "destination", namesOfDestinations)
	describe(c, "outcome", "outcome", "")
	describe(c, "kinds", "kinds", "")
	return uses(c, "get-live")
}

// tail follows the stream of a relay.
type tail struct {
	*remote
	since   time.Duration
	sending bool // show attempts that begin

	from  time.Time       // of the first stream: attempts before are left out
	seen  map[string]bool // attempts and health that were shown
	order []string
}

// follow prints events until ctx ends. The first stream must begin; later ones are tried for ever.
func (t *tail) follow(ctx context.Context, q url.Values) error {
	client, wait, begun := streamClient(), reconnectFirst, false
	for {
		err := t.stream(ctx, client, livePath, q, func(at time.Time) {
			if begun {
				_, _ = fmt.Fprintln(t.notices, "connected again")
			} else {
				t.from = at.Add(-t.since)
			}
			wait, begun = reconnectFirst, true
		}, t.message)
		if ctx.Err() != nil {
			return nil
		}
		if !begun || lasting(err) {
			return err
		}
		_, _ = fmt.Fprintf(t.notices, "the stream broke (%v); trying again in %s\n", err, wait)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
		wait = min(2*wait, reconnectLast)
	}
}

// message prints one event of the stream.
func (t *tail) message(kind, data string) error {
	line, key, err := t.line(kind, []byte(data))
	if err != nil || line == "" || !t.first(key) {
		return nil // an event of a newer relay is not for this program
	}
	if t.json {
		line = fmt.Sprintf(`{"kind":%q,"data":%s}`, kind, data)
	}
	return output(t.printf("%s\n", line))
}

// line is the text of an event, and a key under which it is shown once; "" is always shown.
func (t *tail) line(kind string, data []byte) (line, key string, err error) {
	switch kind {
	case "attempt":
		var a api.LiveAttempt
		err = json.Unmarshal(data, &a)
		if a.Outcome == "sending" && !t.sending || a.At.Before(t.from) {
			return "", "", err
		}
		return attemptLine(a), fmt.Sprintf("attempt %d %s", a.ID, a.Outcome), err
	case "health":
		var h api.LiveHealth
		err = json.Unmarshal(data, &h)
		return fmt.Sprintf("%8s  %-12s %-12s now %s  %s", "", h.Storefront, h.Destination, h.State, cause(h.Reason, h.LastStatus)),
			fmt.Sprintf("health %s %s %s %v", h.Storefront, h.Destination, h.State, h.Since), err
	case "replay":
		var v api.LiveReplay
		err = json.Unmarshal(data, &v)
		return fmt.Sprintf("%8s  replay %d  %s: %d of %d started, %d delivered, %d failed, %d skipped", "", v.ID, v.State, v.Started, max(v.Matched, v.Started),
			v.Delivered, v.Failed, v.Skipped), "replay " + string(data), err
	case "figures":
		var f api.LiveCounts
		err = json.Unmarshal(data, &f)
		return fmt.Sprintf("%s  %d wait, %d of them in delivery, the oldest for %.0f s; %d unhealthy destinations; 24 h: %d received, %d failed", f.At.UTC().Format(time.TimeOnly),
			f.Pending+f.Processing, f.Processing, f.Oldest, f.Unhealthy, f.Received, f.Failed), "", err
	}
	return "", "", nil
}

func attemptLine(a api.LiveAttempt) string {
	status := ""
	if a.Status != 0 {
		status = fmt.Sprint(a.Status)
	}
	line := fmt.Sprintf("%s  %-12s %-12s %-12s %3s %7.0f ms  event %d", a.At.UTC().Format(time.TimeOnly), a.Storefront, a.Destination, a.Outcome, status, a.MS, a.EventID)
	if a.Number > 1 {
		line += fmt.Sprintf(", attempt %d", a.Number)
	}
	if a.Reason != "" {
		line += "  " + string(a.Reason)
	}
	return line
}

// first reports whether something is shown for the first time.
func (t *tail) first(key string) bool {
	if key == "" {
		return true
	}
	if t.seen[key] {
		return false
	}
	t.seen[key], t.order = true, append(t.order, key)
	if len(t.order) > maxSeen {
		delete(t.seen, t.order[0])
		t.order = t.order[1:]
	}
	return true
}

// outputError is the error of a line that could not be printed, to a pipe that was closed for example: it is not the relay's.
type outputError struct{ error }

func (e *outputError) Unwrap() error { return e.error }

func output(err error) error {
	if err == nil {
		return nil
	}
	return &outputError{err}
}

// lasting reports whether a stream that is opened again would end the same way.
func lasting(err error) bool {
	var printing *outputError
	code := ExitCode(err)
	return errors.As(err, &printing) || code == ExitUnauthorized || code == ExitRefused
}
