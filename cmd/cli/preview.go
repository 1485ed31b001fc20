package cli

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/spf13/cobra"

	"relay/api"
)

func (s *surroundings) previewCommand() *cobra.Command {
	var id int64
	c := s.remoteCommand("preview [FILE]", "Show the requests of an event without sending them", cobra.MaximumNArgs(1),
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
				return errors.New("the response is not one of a relay")
			}
			return r.printPreview(v)
		})
	c.Long = "Shows the route of an event, and the request for each destination, without sending anything: of a stored event (--id), or of one in a file or on " +
		"standard input."
	c.Flags().Int64Var(&id, "id", 0, "row of a stored event")
	return uses(c, "preview")
}

// readItem reads one event from a file, or from standard input.
func readItem(in io.Reader, args []string) (json.RawMessage, error) {
	file := "-"
	if len(args) == 1 {
		file = args[0]
	}
	b, err := readInput(in, file)
	if err == nil && !json.Valid(b) {
		err = errors.New("the event is not JSON")
	}
	return b, usage(err)
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
