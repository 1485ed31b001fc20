package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"relay/deploy/dev/demo"
	"relay/deploy/dev/harness"
	"relay/internal/ops"
	"relay/internal/relay"
)

func showResponse(a harness.BatchResponse) {
	say("\nPOST /v1/events with the sample batch responded %d: %d accepted, %d duplicates, %d rejected",
		a.HTTPStatus, a.Accepted, a.Duplicates, a.Rejected)
	if a.Duplicates > 0 {
		say("The duplicates are from an earlier start: an event is delivered once, however often it is posted. The rows are from that start.")
	}
}

// showEvents prints a line for every destination of every event.
func showEvents(events []ops.EventDetail) {
	say("")
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "EVENT\tORDER\tSTOREFRONT\tSTATUS\tDESTINATION\tATTEMPTS\tRESULT\tAT\tDETAIL")
	for _, e := range events {
		lines := destinations(e)
		if len(lines) == 0 {
			lines = []destination{{key: "-"}}
		}
		detail := why(e)
		if len(lines) > 1 {
			detail = "" // it repeats the destinations' lines
		}
		for _, d := range lines {
			_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\t%s\n", e.Type, e.EventID, e.StorefrontCode, e.Status, d.key,
				d.attempts, d.result, d.at, detail)
		}
	}
	_ = w.Flush()
}

type destination struct {
	key, result, at string
	attempts        int
}

// destinations summarises an event's attempts by destination, in the order of the first attempt.
func destinations(e ops.EventDetail) []destination {
	var all []destination
	index := map[string]int{}
	for _, a := range e.Attempts {
		if a.Result.Outcome == relay.NotSent {
			continue // no request was sent
		}
		i, ok := index[a.Destination]
		if !ok {
			i = len(all)
			index[a.Destination] = i
			all = append(all, destination{key: a.Destination})
		}
		all[i].attempts++
		all[i].at = a.StartedAt.Local().Format(time.DateTime)
		all[i].result = string(a.Result.Outcome)
		if a.Result.Status != 0 {
			all[i].result = fmt.Sprintf("%s (%d)", a.Result.Outcome, a.Result.Status)
		}
	}
	return all
}

// showRequests prints the requests that the sandbox has received since its start.
func showRequests(ctx context.Context, system *harness.System) error {
	requests, err := system.Sandbox.Requests(ctx, "", 0)
	if err != nil {
		return fmt.Errorf("read the sandbox's requests: %w", err)
	}
	if len(requests) == 0 {
		say("\nThe sandbox received nothing this time.")
		return nil
	}
	say("\nThe sandbox, which simulates the sGTM container, received:")
	for _, r := range requests {
		say("\n%s %s?%s\n%s", r.Method, r.Path, r.Query, indented(r.Body))
	}
	return nil
}

func indented(body string) string {
	var out bytes.Buffer
	if json.Indent(&out, []byte(body), "", "  ") != nil {
		return body
	}
	return out.String()
}

func (s *settings) showAddresses(system *harness.System, r *harness.Relay, keys secrets) {
	say("\nconsole  %s/console/   login %s, password %s", r.URL, keys.username, keys.password)
	say("         A day of events at four storefronts; one destination, %s/snapchat, is unhealthy, because the sandbox refuses its login.", demo.Lumen)
	say("relay    %s   the same login", r.URL)
	say("Web UI   %s/namespaces/default/workflows", system.Temporal.UIURL())
	say("sandbox  %s", system.Sandbox.BaseURL)
	if s.databaseURL == "" {
		say("mysql    mysql -h %s -P %d -u relay -p%s relay", host, s.mysql.number, keys.mysqlPassword)
	}
	say("logs     %s", filepath.Join(s.stateDir, "*.log"))
	say("\nSend an event of your own:\n\n%s\n\nCtrl-C stops everything.", curl(r.URL, keys, time.Now()))
}

// curl returns a command line that posts a new event.
func curl(url string, keys secrets, now time.Time) string {
	item := fmt.Sprintf(`{"t-value": "demo", "storefront_id": "bosley", "event_name": "purchase_completed", "order_id": "demo-%d", "event_time": %q, "order_revenue": 80.79, "session_id": "sess_1"}`,
		now.Unix(), now.UTC().Format(time.RFC3339))
	return strings.Join([]string{
		"curl -u " + keys.username + ":" + keys.password + " " + url + "/v1/events \\",
		"  -H 'Content-Type: application/json' \\",
		`  -d '{"count": 1, "data": [` + item + `]}'`,
	}, "\n")
}
