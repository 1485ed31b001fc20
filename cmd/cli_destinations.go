package cmd

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"relay/api"
	"relay/internal/relay"
)

const (
	destinationsPath = "/admin/v1/destinations"
	destinationsPage = "100"
)

func destinationsCommand() *cobra.Command {
	var storefront, destination, health, state string
	c := remoteCommand("destinations", "Show the health of the destinations of storefronts, through a relay's API", cobra.NoArgs,
		func(c *cobra.Command, r *remote, _ []string) error {
			q := url.Values{"limit": {destinationsPage}}
			for name, value := range map[string]string{"storefront": storefront, "destination": destination, "health": health, "state": state} {
				if value != "" {
					q.Set(name, value)
				}
			}
			list := api.DestinationList{Items: []api.DestinationView{}}
			for {
				var page api.DestinationList
				if err := r.call(c.Context(), http.MethodGet, destinationsPath, q, nil, &page); err != nil {
					return err
				}
				list.Items = append(list.Items, page.Items...)
				if page.NextCursor == "" {
					break
				}
				q.Set("cursor", page.NextCursor)
			}
			if r.json {
				return r.printJSON(list)
			}
			return r.printDestinations(list.Items)
		})
	c.Flags().StringVar(&storefront, "storefront", "", "the storefront's code")
	c.Flags().StringVar(&destination, "destination", "", "sgtm or a platform's code")
	c.Flags().StringVar(&health, "health", "", "healthy, failing or unhealthy")
	c.Flags().StringVar(&state, "state", "", "those that need a look: ill, unhealthy, failing, off or quiet")
	return c
}

var destinationsHeading = []string{"STOREFRONT", "DESTINATION", "EVENTS", "HEALTH", "CAUSE", "SINCE (UTC)", "LAST ACCEPTED (UTC)", "NEXT PROBE (UTC)", "WAITING", "FAILED", "LIMITS"}

func (r *remote) printDestinations(list []api.DestinationView) error {
	var rows [][]string
	for _, d := range list {
		rows = append(rows, []string{d.StorefrontCode, d.Destination, receives(d), string(d.Health.State), cause(d.Health.Reason, d.Health.LastStatus),
			clockOf(d.Health.FailingSince), clockOf(d.Health.LastAcceptedAt), clockOf(d.Health.NextProbeAt), strconv.Itoa(d.Waiting), strconv.Itoa(d.Failed), limits(d.Limits)})
	}
	return r.table(destinationsHeading, rows)
}

// receives describes whether a destination receives events: yes, or the reason why not; yes with a reason means only some of them.
func receives(d api.DestinationView) string {
	switch {
	case d.Receives && d.Reason == "":
		return "yes"
	case d.Receives:
		return "some (" + string(d.Reason) + ")"
	}
	text := "no (" + string(d.Reason)
	for _, s := range d.Switches { // the one that is off, and the admin that set it
		if !s.On && s.SetBy != "" {
			text += ", by " + s.SetBy
			break
		}
	}
	return text + ")"
}

func cause(reason relay.Reason, status int) string {
	if status == 0 {
		return string(reason)
	}
	return fmt.Sprintf("%s, %d", reason, status)
}

func limits(l api.LimitsView) string {
	var parts []string
	if l.InFlight > 0 {
		parts = append(parts, fmt.Sprintf("%d at a time", l.InFlight))
	}
	if l.PerSecond > 0 {
		parts = append(parts, fmt.Sprintf("%g a second", l.PerSecond))
	}
	return strings.Join(parts, ", ")
}

func clockOf(t *time.Time) string {
	if t == nil {
		return ""
	}
	return clock(*t)
}

func probeCommand() *cobra.Command {
	return writeCommand("probe STOREFRONT DESTINATION", "Probe an unhealthy destination now, through a relay's API",
		cobra.ExactArgs(2), func(c *cobra.Command, r *remote, args []string) error {
			var response api.ProbeAnswer
			path := destinationsPath + "/" + url.PathEscape(args[0]) + "/" + url.PathEscape(args[1]) + "/probe"
			if err := r.call(c.Context(), http.MethodPost, path, nil, nil, &response); err != nil {
				return err
			}
			if r.json {
				if err := r.printJSON(response); err != nil {
					return err
				}
			} else if err := r.printf("%s\n", response.Text); err != nil {
				return err
			}
			if response.Probe == "not_needed" {
				return errors.New("nothing was probed")
			}
			return nil
		})
}
