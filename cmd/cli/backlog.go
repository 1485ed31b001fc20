package cli

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/spf13/cobra"

	"relay/api"
)

func (s *surroundings) backlogCommand() *cobra.Command {
	return uses(s.remoteCommand("backlog", "Show what has not ended, by storefront and destination", cobra.NoArgs,
		func(c *cobra.Command, r *remote, _ []string) error {
			var v api.BacklogView
			if err := r.call(c.Context(), http.MethodGet, "/admin/v1/backlog", nil, nil, &v); err != nil {
				return err
			}
			if r.json {
				return r.printJSON(v)
			}
			return r.printBacklog(v)
		}), "get-backlog")
}

func (r *remote) printBacklog(v api.BacklogView) error {
	row := func(name string, pending, processing int64, oldest *float64) []string {
		age := ""
		if oldest != nil {
			age = fmt.Sprintf("%.0f s", *oldest)
		}
		return []string{name, strconv.FormatInt(pending, 10), strconv.FormatInt(processing, 10), age}
	}
	var rows [][]string
	for _, o := range v.Storefronts {
		rows = append(rows, row(o.Storefront, o.Pending, o.Processing, o.Oldest))
	}
	if v.Unknown != nil {
		rows = append(rows, row("(none)", v.Unknown.Pending, v.Unknown.Processing, v.Unknown.Oldest))
	}
	rows = append(rows, row("in all", v.Pending, v.Processing, v.Oldest))
	if err := r.table([]string{"STOREFRONT", "PENDING", "PROCESSING", "OLDEST PENDING"}, rows); err != nil || len(v.Retries) == 0 {
		return err
	}
	rows = nil
	for _, b := range v.Retries {
		rows = append(rows, []string{b.Storefront, b.Destination, strconv.FormatInt(b.Events, 10), clockOf(b.NextAttemptAt)})
	}
	if err := r.printf("\nWaiting for a retry:\n"); err != nil {
		return err
	}
	return r.table([]string{"STOREFRONT", "DESTINATION", "EVENTS", "NEXT ATTEMPT (UTC)"}, rows)
}
