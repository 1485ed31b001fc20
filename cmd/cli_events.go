package cmd

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"relay/api"
)

const eventsPath = "/admin/v1/events"

func eventsCommand() *cobra.Command {
	c := group("events", "Find, count, show, retry and cancel events, through a relay's API")
	c.AddCommand(eventsList(), eventsCount(), eventsShow(), eventsRetry(), eventsCancel())
	return c
}

func eventsList() *cobra.Command {
	var f filterFlags
	var limit int
	c := remoteCommand("list", "Search events, newest first", cobra.NoArgs, func(c *cobra.Command, r *remote, _ []string) error {
		if limit < 1 {
			return errors.New("--limit: must be at least 1")
		}
		q, err := f.query()
		if err != nil {
			return err
		}
		list := api.EventList{Items: []api.EventView{}}
		for len(list.Items) < limit {
			var page api.EventList
			q.Set("limit", strconv.Itoa(min(limit-len(list.Items), 200)))
			if err := r.call(c.Context(), http.MethodGet, eventsPath, q, nil, &page); err != nil {
				return err
			}
			list.Items, list.NextCursor = append(list.Items, page.Items...), page.NextCursor
			if page.NextCursor == "" {
				break
			}
			q.Set("cursor", page.NextCursor)
		}
		if r.json {
			return r.printJSON(list)
		}
		return r.printEvents(list)
	})
	f.addWaiting(c)
	c.Flags().IntVar(&limit, "limit", 50, "how many at most")
	return c
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

func eventsShow() *cobra.Command {
	var reveal bool
	var note string
	c := remoteCommand("show ID", "Show an event with its attempts", cobra.ExactArgs(1), func(c *cobra.Command, r *remote, args []string) error {
		if reveal != (note != "") {
			return errors.New("--reveal and --note belong together: the audit records the reason")
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
			return fmt.Errorf("the response is not one of a relay: %w", err)
		}
		return r.printEvent(e, raw)
	})
	c.Flags().BoolVar(&reveal, "reveal", false, "show personal data; needs --note and writes an entry to the audit")
	c.Flags().StringVar(&note, "note", "", "why --reveal is needed, for the audit")
	return c
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

func previewCommand() *cobra.Command {
	var id int64
	c := remoteCommand("preview [FILE]", "Show the requests of an event without sending them: a stored one (--id), or one in a file or on standard input", cobra.MaximumNArgs(1),
		func(c *cobra.Command, r *remote, args []string) error {
			body := map[string]any{"id": id}
			if id == 0 {
				item, err := readItem(r.in, args)
				if err != nil {
					return err
				}
				body = map[string]any{"event": item}
			}
			raw, err := r.raw(c.Context(), http.MethodPost, "/admin/v1/preview", nil, body)
			if err != nil {
				return err
			}
			if r.json {
				return r.printJSON(json.RawMessage(raw))
			}
			var v api.PreviewView
			if err := json.Unmarshal(raw, &v); err != nil {
				return fmt.Errorf("the response is not one of a relay: %w", err)
			}
			return r.printPreview(v)
		})
	c.Flags().Int64Var(&id, "id", 0, "row of a stored event")
	return c
}

// readItem reads one event from a file, or from standard input.
func readItem(in io.Reader, args []string) (json.RawMessage, error) {
	if len(args) == 1 && args[0] != "-" {
		f, err := os.Open(args[0])
		if err != nil {
			return nil, err
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	b, err := io.ReadAll(in)
	if err == nil && !json.Valid(b) {
		err = fmt.Errorf("the event is not JSON")
	}
	return b, err
}

func (r *remote) printPreview(v api.PreviewView) error {
	var rows [][]string
	for _, l := range v.Levels {
		state := "off"
		if l.Active {
			state = "on"
		}
		rows = append(rows, []string{l.Level, l.Name, state, l.ReasonText})
	}
	if err := r.table([]string{"LEVEL", "NAME", "STATE", "MEANS"}, rows); err != nil {
		return err
	}
	for _, d := range v.Destinations {
		verdict := "would be sent"
		switch {
		case d.AlreadyAccepted:
			verdict = "has the event already"
		case !d.Sends:
			verdict = "would not be sent: " + d.ReasonText
			if d.Field != "" {
				verdict += " (" + d.Field + ")"
			}
		}
		if err := r.printf("\n%s  %s  %s\n", d.Destination, d.EventName, verdict); err != nil {
			return err
		}
		_ = r.printWarnings("  ", d.Warnings)
		for _, w := range d.Withheld {
			_ = r.printf("  withheld: %s (%s)\n", w.Field, w.Why)
		}
		if len(d.DroppedFields) > 0 {
			_ = r.printf("  dropped: %v\n", d.DroppedFields)
		}
		if d.Request != nil {
			_ = r.printf("  %s %s\n  ", d.Request.Method, d.Request.URL)
			if err := r.printJSON(d.Request.Body); err != nil {
				return err
			}
		}
	}
	return nil
}
