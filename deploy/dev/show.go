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

func showAnswer(a harness.Answer) {
	say("\nPOST /v1/events with the brief's sample batch answered %d: %d accepted, %d duplicates, %d rejected",
		a.HTTPStatus, a.Accepted, a.Duplicates, a.Rejected)
	if a.Duplicates > 0 {
		say("The duplicates are from an earlier start: an event is delivered once, however often it is posted. The rows are those of then.")
	}
}

// showEvents prints a line for every destination of every event.
func showEvents(events []ops.EventDetail) {
	say("")
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "EVENT\tORDER\tSTOREFRONT\tSTATUS\tDESTINATION\tATTEMPTS\tANSWER\tAT\tDETAIL")
	for _, e := range events {
		lines := destinations(e)
		if len(lines) == 0 {
			lines = []destination{{key: "-"}}
		}
		detail := why(e)
		if len(lines) > 1 {
			detail = "" // it says of each destination what its line says
		}
		for _, d := range lines {
			_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\t%s\n", e.Type, e.EventID, e.StorefrontCode, e.Status, d.key,
				d.attempts, d.answer, d.at, detail)
		}
	}
	_ = w.Flush()
}

type destination struct {
	key, answer, at string
	attempts        int
}

// destinations sums an event's attempts up by destination, in the order of the first attempt.
func destinations(e ops.EventDetail) []destination {
	var all []destination
	index := map[string]int{}
	for _, a := range e.Attempts {
		if a.Result.Outcome == relay.NotSent {
			continue // nothing left
		}
		i, ok := index[a.Destination]
		if !ok {
			i = len(all)
			index[a.Destination] = i
			all = append(all, destination{key: a.Destination})
		}
		all[i].attempts++
		all[i].at = a.StartedAt.Local().Format(time.DateTime)
		all[i].answer = string(a.Result.Outcome)
		if a.Result.Status != 0 {
			all[i].answer = fmt.Sprintf("%s (%d)", a.Result.Outcome, a.Result.Status)
		}
	}
	return all
}

// showRequests prints what the sandbox got since it was started.
func showRequests(ctx context.Context, system *harness.System) error {
	requests, err := system.Sandbox.Requests(ctx, "", 0)
	if err != nil {
		return fmt.Errorf("ask the sandbox: %w", err)
	}
	if len(requests) == 0 {
		say("\nThe sandbox got nothing this time.")
		return nil
	}
	say("\nWhat the sandbox, which plays the sGTM container, got:")
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

// curl is a command line that posts a new event.
func curl(url string, keys secrets, now time.Time) string {
	item := fmt.Sprintf(`{"t-value": "demo", "storefront_id": "bosley", "event_name": "purchase_completed", "order_id": "try-%d", "event_time": %q, "order_revenue": 80.79, "session_id": "sess_1"}`,
		now.Unix(), now.UTC().Format(time.RFC3339))
	return strings.Join([]string{
		"curl -u " + keys.username + ":" + keys.password + " " + url + "/v1/events \\",
		"  -H 'Content-Type: application/json' \\",
		`  -d '{"count": 1, "data": [` + item + `]}'`,
	}, "\n")
}
