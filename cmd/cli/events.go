package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"relay/api"
)

const eventsPath = "/admin/v1/events"

func (s *surroundings) eventsCommand() *cobra.Command {
	c := Group("events", nouns["events"].short)
	c.AddCommand(s.eventsList(), s.eventsCount(), s.eventsShow(), s.eventsRetry(), s.eventsCancel(), s.eventsTail(), s.eventsSend(), s.eventsStatus())
	return c
}

func (s *surroundings) eventsList() *cobra.Command {
	var f filterFlags
	var limit int
	c := s.remoteCommand("list", "Search events, newest first", cobra.NoArgs, func(c *cobra.Command, r *remote, _ []string) error {
		if limit < 1 {
			return usagef("--limit: must be at least 1")
		}
		q, err := f.query()
		if err != nil {
			return err
		}
		list, err := r.events(c.Context(), q, limit)
		if err != nil {
			return err
		}
		if r.json {
			return r.printJSON(list)
		}
		return r.printEvents(list)
	})
	f.addWaiting(c)
	c.Flags().IntVar(&limit, "limit", 50, "how many at most")
	describe(c, "limit", "limit", "")
	return uses(c, "list-events")
}

// events lists the newest events that match, up to a limit.
func (r *remote) events(ctx context.Context, q url.Values, limit int) (api.EventList, error) {
	list := api.EventList{Items: []api.EventView{}}
	for len(list.Items) < limit {
		var page api.EventList
		q.Set("limit", strconv.Itoa(min(limit-len(list.Items), 200)))
		if err := r.call(ctx, http.MethodGet, eventsPath, q, nil, &page); err != nil {
			return list, err
		}
		list.Items, list.NextCursor = append(list.Items, page.Items...), page.NextCursor
		if page.NextCursor == "" {
			break
		}
		q.Set("cursor", page.NextCursor)
	}
	return list, nil
}

func (r *remote) printEvents(list api.EventList) error {
	var rows [][]string
	for _, e := range list.Items {
		rows = append(rows, []string{strconv.FormatInt(e.ID, 10), e.OrderID, e.EventType, e.StorefrontCode, string(e.Status), string(e.Reason), clock(e.CreatedAt)})
	}
	if err := r.table([]string{"ID", "ORDER", "TYPE", "STOREFRONT", "STATUS", "REASON", "RECEIVED (UTC)"}, rows); err != nil {
		return err
	}
	for _, e := range list.Items {
		if err := r.printWarnings(strconv.FormatInt(e.ID, 10)+"  ", e.Warnings); err != nil {
			return err
		}
	}
	if list.NextCursor != "" {
		return r.printf("There are more; --limit shows them.\n")
	}
	return nil
}

func (s *surroundings) eventsShow() *cobra.Command {
	var reveal bool
	var note string
	c := s.remoteCommand("show ID", "Show an event with its attempts", cobra.ExactArgs(1), func(c *cobra.Command, r *remote, args []string) error {
		if reveal != (note != "") {
			return usagef("--reveal and --note belong together: the audit records the reason")
		}
		method, path, body := http.MethodGet, eventsPath+"/"+url.PathEscape(args[0]), any(nil)
		if reveal {
			method, path, body = http.MethodPost, path+"/reveal", map[string]string{"note": note}
		}
		raw, err := r.raw(c.Context(), method, path, nil, body)
		if err != nil {
			return err
		}
		if r.json {
			return r.printJSON(json.RawMessage(raw))
		}
		var e api.EventDetailView
		if err := json.Unmarshal(raw, &e); err != nil {
			return errors.New("the response is not one of a relay")
		}
		return r.printEvent(e, raw)
	})
	c.Flags().BoolVar(&reveal, "reveal", false, "show personal data; needs --note and writes an entry to the audit")
	c.Flags().StringVar(&note, "note", "", "why --reveal is needed, for the audit")
	return uses(c, "get-event", "reveal-event")
}

func (r *remote) printEvent(e api.EventDetailView, raw []byte) error {
	var exact struct {
		Payload json.RawMessage `json:"payload"` // with its numbers as they are written
	}
	_ = json.Unmarshal(raw, &exact) // was unmarshalled before
	rows := [][]string{{"order", e.OrderID}, {"type", e.EventType}, {"storefront", e.StorefrontCode}, {"source", e.Source},
		{"status", string(e.Status)}, {"reason", strings.TrimSpace(string(e.Reason) + "  " + e.ReasonText)}, {"detail", e.Detail}, {"received", clock(e.CreatedAt)}}
	if e.WaitingFor != "" {
		wait := string(e.WaitingFor)
		if e.NextAttemptAt != nil {
			wait += ", next attempt at " + clock(*e.NextAttemptAt)
		}
		rows = append(rows, []string{"waits for", wait})
	}
	if e.FinishedAt != nil {
		rows = append(rows, []string{"ended", clock(*e.FinishedAt)})
	}
	if e.WorkflowURL != "" {
		rows = append(rows, []string{"workflow", e.WorkflowURL})
	}
	rows = append(rows, []string{"payload", string(exact.Payload)})
	if err := r.table([]string{"event", strconv.FormatInt(e.ID, 10)}, rows); err != nil {
		return err
	}
	var attempts [][]string
	for _, a := range e.Attempts {
		attempts = append(attempts, []string{a.Destination, strconv.Itoa(a.Number), clock(a.StartedAt), fmt.Sprintf("%.0f ms", a.DurationMS),
			string(a.Outcome), string(a.Reason), strconv.Itoa(a.Response.Status), a.Detail})
	}
	if err := r.printf("\n"); err != nil || len(attempts) == 0 {
		return err
	}
	if err := r.table([]string{"DESTINATION", "ATTEMPT", "AT (UTC)", "TOOK", "OUTCOME", "REASON", "HTTP", "DETAIL"}, attempts); err != nil {
		return err
	}
	for _, a := range e.Attempts {
		if err := r.printWarnings(fmt.Sprintf("%s %d  ", a.Destination, a.Number), a.Request.Warnings); err != nil {
			return err
		}
	}
	return nil
}
