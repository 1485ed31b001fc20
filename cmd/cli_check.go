package cmd

import (
	"errors"
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

func checkCommand() *cobra.Command {
	var f checkFlags
	c := writeCommand("check STOREFRONT DESTINATION", "Check a destination's settings, and with --send-test send it one made-up event",
		cobra.ExactArgs(2), func(c *cobra.Command, r *remote, args []string) error {
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
			if f.send || f.code != "" || f.preview != "" {
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
				err = errors.New("the check failed")
			}
			return err
		})
	c.Flags().BoolVar(&f.send, "send-test", false, "send one made-up event: to a platform in its own test mode, to a container under the name relay_test")
	c.Flags().StringVar(&f.code, "test-event-code", "", "send it under this code of Meta's, TikTok's or Reddit's test page")
	c.Flags().StringVar(&f.preview, "preview-header", "", "send it with this value of X-Gtm-Server-Preview, so that the container's preview shows it")
	return c
}

// destinationPath finds a storefront's container or credential.
func (r *remote) destinationPath(c *cobra.Command, storefront, destination string) (string, error) {
	path, q := "/admin/v1/credentials", url.Values{"storefront_code": {storefront}, "platform_code": {destination}}
	if destination == relay.SGTM {
		path, q = "/admin/v1/sgtm-configs", url.Values{"storefront_code": {storefront}}
	}
	var list struct {
		Items []struct {
			ID int64 `json:"id"`
		} `json:"items"`
	}
	if err := r.call(c.Context(), http.MethodGet, path, q, nil, &list); err != nil {
		return "", err
	}
	if len(list.Items) == 0 {
		return "", fmt.Errorf("storefront %s has no destination %s", storefront, destination)
	}
	return path + "/" + strconv.FormatInt(list.Items[0].ID, 10), nil
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
