package cli

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"relay/api"
	"relay/internal/relay"
)

// checkFlags are the flags of relay check.
type checkFlags struct {
	send          bool
	code, preview string
}

// sends reports whether a test event is sent.
func (f checkFlags) sends() bool { return f != checkFlags{} }

func (s *surroundings) checkCommand() *cobra.Command {
	var f checkFlags
	c := s.writeCommand("check STOREFRONT [DESTINATION]", "Show all about a storefront, or check a destination",
		cobra.RangeArgs(1, 2), func(c *cobra.Command, r *remote, args []string) error {
			if note := c.Flag("note"); note.Value.String() != "" && !f.sends() {
				return usagef("--note: only a test event is in the audit; add --send-test, or leave the note out")
			}
			if len(args) == 1 {
				return r.overview(c, args[0], f)
			}
			path, err := r.destinationPath(c, args[0], args[1])
			if err != nil {
				return err
			}
			q := url.Values{}
			if f.code != "" {
				q.Set("test_event_code", f.code)
			}
			if f.preview != "" {
				r.send("X-Gtm-Server-Preview", f.preview)
			}
			if f.sends() {
				q.Set("send", "test")
			}
			var v api.CheckView
			if err := r.call(c.Context(), http.MethodPost, path+"/check", q, nil, &v); err != nil {
				return err
			}
			if r.json {
				err = r.printJSON(v)
			} else {
				err = r.printCheck(v)
			}
			if err == nil && !v.OK {
				err = problem("the check failed")
			}
			return err
		})
	c.Long = "With a storefront alone: one screen with its problems first, then kill switches, destinations with health and last success, backlog, failures by " +
		"reason, credentials that were refused, and warnings about settings. With a destination: checks its settings without a network, and with --send-test " +
		"sends it one made-up event. The exit code is 8 where there is a problem, and 7 where a part could not be read; a part that needs a login with more " +
		"rights is named only."
	c.Example = "  relay check bosley\n  relay check bosley meta_capi --send-test"
	c.Flags().BoolVar(&f.send, "send-test", false, "send one made-up event: to a platform in its own test mode, to a container under the name relay_test")
	c.Flags().StringVar(&f.code, "test-event-code", "", "send it under this code of Meta's, TikTok's or Reddit's test page")
	c.Flags().StringVar(&f.preview, "preview-header", "", "send it with this value of X-Gtm-Server-Preview, so that the container's preview shows it")
	c.Flag("note").Usage = "why the test event is sent, for the audit: a ticket for example"
	describe(c, "send-test", "send", "")
	describe(c, "test-event-code", "test_event_code", "")
	c.ValidArgsFunction = s.completeWords(namesOfStorefronts, namesOfDestinations)
	return uses(c, "check-credential", "check-sgtm-config")
}

// destinationPath finds a storefront's container or credential.
func (r *remote) destinationPath(c *cobra.Command, storefront, destination string) (string, error) {
	kind, args := credentialRef, []string{storefront, destination}
	if destination == relay.SGTM {
		kind, args = containerRef, args[:1]
	}
	id, err := kind.id(c.Context(), r, args)
	if err != nil && ExitCode(err) == ExitNotFound {
		err = withCode(ExitNotFound, fmt.Errorf("storefront %s has no destination %s", storefront, destination))
	}
	return kind.path + "/" + id, err
}

func (r *remote) printCheck(v api.CheckView) error {
	if err := r.printf("%s at %s: %s\n", v.Storefront, v.Destination, v.Message); err != nil {
		return err
	}
	warnings := v.Warnings
	if s := v.Sent; s != nil {
		warnings = append(warnings, s.Warning...)
		rows := [][]string{{"outcome", string(s.Outcome)}, {"reason", string(s.Reason)}, {"trouble", string(s.Trouble)}, {"status", strconv.Itoa(s.Status)},
			{"took", strconv.FormatInt(s.TookMS, 10) + " ms"}, {"trace id", s.TraceID}}
		for _, name := range slices.Sorted(maps.Keys(s.Fields)) {
			rows = append(rows, []string{name, s.Fields[name]})
		}
		rows = slices.DeleteFunc(rows, func(row []string) bool { return row[1] == "" || row[1] == "0" })
		if err := r.table([]string{"sent", s.Request.Method + " " + s.Request.URL}, rows); err != nil {
			return err
		}
	}
	return r.printWarnings("", warnings)
}

// printWarnings prints a line for each.
func (r *remote) printWarnings(indent string, warnings []string) error {
	for _, w := range warnings {
		if err := r.printf("%swarning: %s\n", indent, w); err != nil {
			return err
		}
	}
	return nil
}
