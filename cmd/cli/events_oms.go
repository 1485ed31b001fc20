package cli

import (
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"
)

const ingestPath = "/v1/events"

// eventsSend posts a batch as OMS does.
func (s *surroundings) eventsSend() *cobra.Command {
	c := s.remoteCommand("send [FILE]", "Send a batch of events, as OMS does", cobra.MaximumNArgs(1), func(c *cobra.Command, r *remote, args []string) error {
		batch, err := readItem(r.in, args)
		if err != nil {
			return err
		}
		raw, err := r.raw(c.Context(), http.MethodPost, ingestPath, nil, batch)
		if err != nil {
			return err
		}
		return (&call{row: row{fails: func(v any) error {
			if n := text(at(v, "rejected")); n != "" && n != "0" {
				return problem("%s items were rejected", n)
			}
			return nil
		}}}).print(r, raw)
	})
	c.Long = "Sends the body of POST /v1/events, from a file or from standard input: an object with a list of items in data. The events are delivered. It needs " +
		"the login of OMS, where admins have their own."
	return uses(c, "post-events")
}

// eventsStatus asks as OMS does: by order, without attempts and payload.
func (s *surroundings) eventsStatus() *cobra.Command {
	c := s.remoteCommand("status ORDER...", "Show the delivery status of orders, as OMS sees it", cobra.MinimumNArgs(1), func(c *cobra.Command, r *remote, args []string) error {
		method, path, query, body := http.MethodGet, ingestPath, url.Values{"order_id": args}, any(nil)
		if len(args) > 1 {
			method, path, query, body = http.MethodPost, ingestPath+"/status", nil, map[string][]string{"ids": args}
		}
		raw, err := r.raw(c.Context(), method, path, query, body)
		if err != nil {
			return err
		}
		v, err := parseValue(raw)
		if err != nil {
			return err
		}
		if r.json {
			err = r.printJSON(json.RawMessage(raw))
		} else {
			err = r.printItems(columns("ORDER=order_id EVENT=event_id TYPE=event_type STOREFRONT=storefront_code STATUS=status REASON=reason WAITS_FOR=waiting_for "+
				"NEXT_ATTEMPT_(UTC)=next_attempt_at ENDED_(UTC)=finished_at DETAIL=detail"), listAt(v, "items"))
		}
		if unknown := listAt(v, "unknown"); err == nil && len(unknown) > 0 {
			err = withCode(ExitNotFound, unknownOrders(unknown))
		}
		return err
	})
	c.Long = "Asks for orders, or for events' own ids. It needs the login of OMS, where admins have their own."
	return uses(c, "get-status", "list-statuses")
}

// unknownOrders is the error of orders of which there is no event.
type unknownOrders []any

func (u unknownOrders) Error() string { return "there is no event of " + text([]any(u)) }
