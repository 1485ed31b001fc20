package cli

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/spf13/cobra"

	"relay/api"
)

func (s *surroundings) eventsCount() *cobra.Command {
	var f filterFlags
	c := s.remoteCommand("count", "Count events, up to 10,000", cobra.NoArgs, func(c *cobra.Command, r *remote, _ []string) error {
		q, err := f.query()
		if err != nil {
			return err
		}
		var v api.EventCountView
		if err := r.call(c.Context(), http.MethodGet, eventsPath+"/count", q, nil, &v); err != nil {
			return err
		}
		if r.json {
			return r.printJSON(v)
		}
		return r.printf("%s\n", v.Text)
	})
	f.addWaiting(c)
	return uses(c, "count-events")
}

func (s *surroundings) eventsRetry() *cobra.Command {
	return eachEvent(s, "retry", "Deliver failed or skipped events again", "retried", func(v api.RetryView) (bool, string) { return v.Retried, v.Message },
		func(id int64, why string) api.RetryView { return api.RetryView{ID: id, Message: why} })
}

func (s *surroundings) eventsCancel() *cobra.Command {
	return eachEvent(s, "cancel", "Cancel the delivery of events", "cancelled", func(v api.CancelView) (bool, string) { return v.Cancelled, v.Message },
		func(id int64, why string) api.CancelView { return api.CancelView{ID: id, Message: why} })
}

// endsAll reports that no further event can be done either: the command was interrupted, the login is refused, whose failures count
// against it, or no relay works.
func endsAll(err error) bool {
	switch ExitCode(err) {
	case ExitInterrupted, ExitUnauthorized, ExitUnavailable:
		return true
	}
	return false
}

// eachEvent is a command that does one thing to each of some events. An error has a view with the reason, too, so that each event
// has its line, unless it concerns them all. read returns whether it was done, and the text.
func eachEvent[V any](s *surroundings, verb, short, done string, read func(V) (bool, string), failed func(id int64, why string) V) *cobra.Command {
	return uses(s.writeCommand(verb+" ID...", short, cobra.MinimumNArgs(1), func(c *cobra.Command, r *remote, args []string) error {
		refused := 0
		for _, arg := range args {
			var v V
			err := r.call(c.Context(), http.MethodPost, eventsPath+"/"+url.PathEscape(arg)+"/"+verb, nil, nil, &v)
			if endsAll(err) {
				return fmt.Errorf("stopped at event %s: %w", arg, err)
			}
			if err != nil {
				id, _ := strconv.ParseInt(arg, 10, 64) // 0 where it is none
				v = failed(id, err.Error())
			}
			ok, text := read(v)
			if !ok {
				refused++
			}
			if r.json {
				err = r.printJSON(v)
			} else {
				err = r.printf("event %s: %s\n", arg, text)
			}
			if err != nil {
				return err
			}
		}
		if refused > 0 {
			return problem("%d of %d events were not %s", refused, len(args), done)
		}
		return nil
	}), verb+"-event")
}
