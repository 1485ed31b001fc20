package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"relay/api"
	"relay/internal/ops"
)

const (
	replaysPath = "/admin/v1/replays"
	watchEvery  = time.Second
)

func (s *surroundings) replayCommand() *cobra.Command {
	c := Group("replay", nouns["replay"].short)
	c.AddCommand(s.replayStart(), s.replayWatch(), s.replayRate())
	return c
}

func (s *surroundings) replayStart() *cobra.Command {
	var f filterFlags
	var request api.ReplayIn
	var dryRun, yes, detach bool
	c := s.writeCommand("start", "Count the events that match a filter, ask, and deliver them again", cobra.NoArgs, func(c *cobra.Command, r *remote, _ []string) error {
		var err error
		if request.Filter, err = f.filter(); err != nil {
			return err
		}
		if r.json && !yes && !dryRun {
			return usagef("--json does not ask: set --yes or --dry-run")
		}
		request.Resend = len(request.Destinations) > 0
		dry, err := r.dryRun(c.Context(), request, !r.json || dryRun)
		if err != nil || dryRun {
			return err
		}
		if dry.Events == 0 {
			return problem("nothing was started: no event that matches the filter can be delivered again")
		}
		if !yes {
			if err := r.confirm(c.Context(), fmt.Sprintf("Deliver %d events again?", dry.Events), "started"); err != nil {
				return err
			}
		}
		request.Confirm = nil
		if request.Resend {
			request.Confirm = &dry.Events
		}
		var response api.ReplayAnswer
		if err := r.call(c.Context(), http.MethodPost, replaysPath, nil, request, &response); err != nil {
			return err
		}
		if r.json {
			return r.printJSON(response.Replay)
		}
		if err := r.printf("replay %d\n", response.Replay.ID); err != nil || detach {
			return err
		}
		return r.watch(c.Context(), strconv.FormatInt(response.Replay.ID, 10))
	})
	f.add(c)
	c.Flags().IntVar(&request.Rate, "rate", ops.DefaultReplayRate, "events a second")
	c.Flags().StringSliceVar(&request.Destinations, "resend", nil, "send events again that these destinations have accepted; several with commas")
	c.Flags().BoolVar(&dryRun, "dry-run", false, "only count")
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	c.Flags().BoolVar(&detach, "detach", false, "do not watch it")
	describe(c, "dry-run", "dry_run", "")
	return uses(c, "create-replay")
}

// dryRun counts and shows the events that would be started.
func (r *remote) dryRun(ctx context.Context, request api.ReplayIn, show bool) (*api.DryRunView, error) {
	var response api.ReplayAnswer
	if err := r.call(ctx, http.MethodPost, replaysPath, url.Values{"dry_run": {"true"}}, request, &response); err != nil {
		return nil, err
	}
	dry := response.DryRun
	if dry == nil {
		return nil, errors.New("the response is not one of a relay")
	}
	if !show {
		return dry, nil
	}
	if r.json {
		return dry, r.printJSON(dry)
	}
	var rows [][]string
	for _, t := range dry.Tallies {
		rows = append(rows, []string{t.StorefrontCode, t.Destination, string(t.Reason), strconv.FormatInt(t.Events, 10), strconv.FormatInt(t.TooOld, 10)})
	}
	if err := r.table([]string{"STOREFRONT", "DESTINATION", "REASON", "EVENTS", "TOO OLD"}, rows); err != nil {
		return nil, err
	}
	if err := r.printf("%d events in all%s\n", dry.Events, map[bool]string{true: "; the table counts the oldest of them only"}[dry.Partial]); err != nil {
		return nil, err
	}
	return dry, r.warn(response.Unhealthy)
}

// warn names the unhealthy destinations that a replay may concern.
func (r *remote) warn(unhealthy []api.UnhealthyView) error {
	for _, d := range unhealthy {
		err := r.printf("%s of %s is unhealthy (%s): its events wait until it has recovered; one is sent first, as a probe.\n",
			d.Destination, d.StorefrontCode, cause(d.Reason, d.LastStatus))
		if err != nil {
			return err
		}
	}
	return nil
}

// replayRate is not a row: its body is an argument.
func (s *surroundings) replayRate() *cobra.Command {
	return uses(s.writeCommand("rate ID EVENTS", "Change how many events a second a replay starts", cobra.ExactArgs(2), func(c *cobra.Command, r *remote, args []string) error {
		rate, err := strconv.Atoi(args[1])
		if err != nil || rate < 1 {
			return usagef("EVENTS: must be a whole number of 1 or more")
		}
		raw, err := r.raw(c.Context(), http.MethodPatch, replaysPath+"/"+url.PathEscape(args[0]), nil, map[string]int{"rate": rate})
		if err != nil {
			return err
		}
		return (&call{}).print(r, raw)
	}), "patch-replay")
}

func (s *surroundings) replayWatch() *cobra.Command {
	return s.remoteCommand("watch ID", "Watch a replay until its last event has ended", cobra.ExactArgs(1), func(c *cobra.Command, r *remote, args []string) error {
		return r.watch(c.Context(), args[0])
	})
}

// watch draws a bar until the replay has ended. Without a terminal each change is a line.
func (r *remote) watch(ctx context.Context, id string) error {
	begin, end := lineEnds(r.out)
	goesOn, last := "\nThe replay continues; relay replay watch "+id+" shows it.\n", ""
	for {
		var v api.ReplayView
		if err := r.call(ctx, http.MethodGet, replaysPath+"/"+url.PathEscape(id), nil, nil, &v); err != nil {
			return r.left(ctx, err, goesOn)
		}
		if line := bar(v); line != last {
			last = line
			if err := r.printf("%s%s%s", begin, line, end); err != nil {
				return err
			}
		}
		if v.EndedAt != nil {
			if end == "" {
				return r.printf("\n")
			}
			return nil
		}
		select {
		case <-ctx.Done():
			return r.left(ctx, ctx.Err(), goesOn)
		case <-time.After(watchEvery):
		}
	}
}

// left is the error of a watch that ended. Where Ctrl-C ended it, it says that what was watched goes on.
func (r *remote) left(ctx context.Context, err error, goesOn string) error {
	if ctx.Err() == nil {
		return err
	}
	out := r.out
	if r.json {
		out = r.notices
	}
	_, failed := io.WriteString(out, goesOn)
	return cmp.Or(failed, ctx.Err())
}

// bar shows a replay's progress on one line: # has ended, > is in flight.
func bar(v api.ReplayView) string {
	all := max(1, v.Matched, v.Started)
	if v.Remaining == 0 {
		all = max(1, v.Started)
	}
	ended := int(barWidth * (v.Started - v.InFlight) / all)
	started := int(barWidth * v.Started / all)
	line := fmt.Sprintf("[%s%s%s] %d of %d started, %d delivered, %d failed, %d skipped, %s", strings.Repeat("#", ended), strings.Repeat(">", started-ended),
		strings.Repeat(".", barWidth-started), v.Started, all, v.Delivered, v.Failed, v.Skipped, v.State)
	if v.Held > 0 {
		line += fmt.Sprintf(", %d wait for an unhealthy destination", v.Held)
	}
	if v.ETA != nil {
		line += ", all started by " + v.ETA.UTC().Format("15:04:05") + " UTC"
	}
	return line
}
