package cli

import (
	"net/http"
	"strconv"

	"github.com/spf13/cobra"

	"relay/api"
)

func (s *surroundings) notifyCommand() *cobra.Command {
	c := Group("notify", "Show the state of the relay's notices, or send a test")
	c.AddCommand(
		uses(s.remoteCommand("status", "Show whether notices are configured and when the last was sent", cobra.NoArgs, func(c *cobra.Command, r *remote, _ []string) error {
			var v api.SystemView
			if err := r.call(c.Context(), http.MethodGet, "/admin/v1/system", nil, nil, &v); err != nil {
				return err
			}
			if r.json {
				return r.printJSON(v.Notices)
			}
			return r.printNotices(v.Notices)
		}), "get-system"),
		uses(s.writeCommand("test", "Send one notice as a test", cobra.NoArgs, func(c *cobra.Command, r *remote, _ []string) error {
			var v api.NoticeTestView
			err := r.call(c.Context(), http.MethodPost, "/admin/v1/system/test-notice", nil, nil, &v)
			switch {
			case err != nil:
				return err
			case r.json:
				err = r.printJSON(v)
			case v.OK:
				err = r.printf("%s\n", v.Message)
			}
			if err == nil && !v.OK {
				err = problem("%s", v.Message)
			}
			return err
		}), "test-notice"),
	)
	return c
}

func (r *remote) printNotices(v api.NoticesView) error {
	last := "never"
	if v.LastSentAt != nil {
		last = clock(*v.LastSentAt) + " UTC, " + string(v.LastKind)
	}
	configured := "yes"
	if !v.Configured {
		configured = "no: NOTIFY_URL is not set"
	}
	unsent := strconv.Itoa(v.Unsent)
	if v.Reason != "" {
		unsent += ": " + string(v.Reason)
	}
	return r.table([]string{"NOTICES", ""}, [][]string{{"configured", configured}, {"last sent", last}, {"unsent", unsent}})
}
