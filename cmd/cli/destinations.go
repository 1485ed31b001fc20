package cli

import (
	"context"
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

func (s *surroundings) destinationsCommand() *cobra.Command {
	var f struct{ storefront, destination, health, state string }
	c := s.remoteCommand("destinations", "Show the health of the destinations of storefronts", cobra.NoArgs, func(c *cobra.Command, r *remote, _ []string) error {
		q := url.Values{}
		for name, value := range map[string]string{"storefront": f.storefront, "destination": f.destination, "health": f.health, "state": f.state} {
			if value != "" {
				q.Set(name, value)
			}
		}
		list, err := r.destinations(c.Context(), q)
		if err != nil {
			return err
		}
		if r.json {
			return r.printJSON(list)
		}
		return r.printDestinations(list.Items)
	})
	c.Flags().StringVar(&f.storefront, "storefront", "", "the storefront's code")
	c.Flags().StringVar(&f.destination, "destination", "", "sgtm or a platform's code")
	c.Flags().StringVar(&f.health, "health", "", "healthy, failing or unhealthy")
	c.Flags().StringVar(&f.state, "state", "", "those that need a look: ill, unhealthy, failing, off or quiet")
	describe(c, "storefront", "storefront", namesOfStorefronts)
	describe(c, "destination", "destination", namesOfDestinations)
	describe(c, "health", "health", "")
	describe(c, "state", "state", "")
	return uses(c, "list-destinations")
}

// destinations lists all destinations that match.
func (r *remote) destinations(ctx context.Context, q url.Values) (api.DestinationList, error) {
	list := api.DestinationList{Items: []api.DestinationView{}}
	q.Set("limit", destinationsPage)
	for {
		var page api.DestinationList
		if err := r.call(ctx, http.MethodGet, destinationsPath, q, nil, &page); err != nil {
			return list, err
		}
		list.Items = append(list.Items, page.Items...)
		if page.NextCursor == "" {
			return list, nil
		}
		q.Set("cursor", page.NextCursor)
	}
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

func (s *surroundings) probeCommand() *cobra.Command {
	c := s.writeCommand("probe STOREFRONT DESTINATION", "Probe an unhealthy destination now",
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
				return problem("nothing was probed")
			}
			return nil
		})
	c.ValidArgsFunction = s.completeWords(namesOfStorefronts, namesOfDestinations)
	return uses(c, "probe-destination")
}
