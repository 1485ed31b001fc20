package cli

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"relay/api"
	"relay/internal/relay"
)

// printOverview prints one screen: the problems first, then all that they follow from.
func (r *remote) printOverview(o overview) error {
	if r.json {
		return nil
	}
	s := o.Storefront
	err := r.printf("%s (%s), id %d, at %s UTC\n", s.StorefrontID, s.Name, s.ID, clock(o.At))
	verdict := "no problem found"
	if n := len(o.Problems); n > 0 {
		verdict = counted(n, "problem") + ":"
	}
	_ = r.printf("%s\n", verdict)
	for _, p := range o.Problems {
		_ = r.printf("  ! %s\n", indent(p))
	}
	for _, u := range o.Unread {
		_ = r.printf("  ? %s\n", indent("not read: "+u))
	}
	for _, n := range o.NotChecked {
		_ = r.printf("  - %s\n", indent("not checked: "+n))
	}
	if err != nil {
		return err
	}
	for _, section := range []func(overview) error{r.printSwitches, r.printHealth, r.printWaiting, r.printFailures, r.printNewest, r.printReplays, r.printSettings} {
		if err := section(o); err != nil {
			return err
		}
	}
	return nil
}

// indent breaks a text so that it fits below its first line.
func indent(s string) string {
	return strings.ReplaceAll(wrap(s, helpWidth-4), "\n", "\n    ")
}

func (r *remote) heading(text string) error { return r.printf("\n%s\n", text) }

func (r *remote) printSwitches(o overview) error {
	if err := r.heading("KILL SWITCHES"); err != nil {
		return err
	}
	s := o.Storefront
	rows := [][]string{{"storefront", s.StorefrontID, onOff(s.IsActive), s.SwitchedBy, clockOf(s.SwitchedAt)}}
	for _, c := range o.Containers {
		rows = append(rows, []string{"sgtm", c.SGTMURL + " (" + c.ClientType + ")", onOff(c.IsActive) + ", fallback " + c.Fallback, c.SwitchedBy, clockOf(c.SwitchedAt)})
	}
	for _, d := range o.Destinations {
		for _, w := range d.Switches {
			if w.Level == "platform" || w.Level == "credential" {
				rows = append(rows, []string{w.Level, d.Destination, onOff(w.On), w.SetBy, clockOf(w.SetAt)})
			}
		}
	}
	return r.table([]string{"LEVEL", "NAME", "STATE", "SET BY", "AT (UTC)"}, rows)
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "OFF"
}

func (r *remote) printHealth(o overview) error {
	if err := r.heading("DESTINATIONS"); err != nil {
		return err
	}
	var rows [][]string
	for _, d := range o.Destinations {
		last := "never"
		if at := d.Health.LastAcceptedAt; at != nil {
			last = duration(max(0, o.At.Sub(*at).Seconds())) + " ago"
		}
		rows = append(rows, []string{d.Destination, receives(d), string(d.Health.State), cause(d.Health.Reason, d.Health.LastStatus), last,
			strconv.Itoa(d.Waiting), strconv.Itoa(d.Failed)})
	}
	return r.table([]string{"DESTINATION", "EVENTS", "HEALTH", "CAUSE", "LAST ACCEPTED", "WAITING", "FAILED"}, rows)
}

func (r *remote) printWaiting(o overview) error {
	oldest := ""
	if o.Backlog.Oldest != nil {
		oldest = ", the oldest for " + duration(*o.Backlog.Oldest)
	}
	if err := r.printf("\nBACKLOG\n%d pending%s; %d in delivery\n", o.Backlog.Pending, oldest, o.Backlog.Processing); err != nil {
		return err
	}
	for _, b := range o.Retries {
		if err := r.printf("%s wait for a retry at %s, the first at %s UTC\n", counted(int(b.Events), "event"), b.Destination, clockOf(b.NextAttemptAt)); err != nil {
			return err
		}
	}
	return nil
}

// printFailures prints what failed, by destination and reason, in the hour and in the day.
func (r *remote) printFailures(o overview) error {
	if err := r.printf("\nSINCE %s UTC\n%s\n", clock(o.Day.From), totals(o.Day.StorefrontStats)); err != nil {
		return err
	}
	var rows [][]string
	for _, name := range slices.Sorted(maps.Keys(o.Day.Destinations)) {
		day, hour := o.Day.Destinations[name], o.Hour.Destinations[name]
		rows = append(rows, reasonRows(name, "failed", hour.Failed, day.Failed)...)
		rows = append(rows, reasonRows(name, "skipped", hour.Skipped, day.Skipped)...)
	}
	if len(rows) == 0 {
		return nil
	}
	return r.table([]string{"DESTINATION", "ENDED", "REASON", "SINCE " + o.Hour.From.UTC().Format("15:04"), "IN ALL"}, rows)
}

func totals(s api.StorefrontStats) string {
	return fmt.Sprintf("%d received, %d delivered, %d failed, %d skipped, %d open", s.Received, s.Delivered, sum(s.Failed), sum(s.Skipped), s.Open)
}

func reasonRows(destination, ended string, hour, day map[relay.Reason]int64) [][]string {
	var rows [][]string
	for _, reason := range slices.Sorted(maps.Keys(day)) {
		rows = append(rows, []string{destination, ended, string(reason), strconv.FormatInt(hour[reason], 10), strconv.FormatInt(day[reason], 10)})
	}
	return rows
}

func (r *remote) printNewest(o overview) error {
	if len(o.Failed) == 0 {
		return nil
	}
	if err := r.heading("NEWEST FAILED EVENTS"); err != nil {
		return err
	}
	var rows [][]string
	for _, e := range o.Failed {
		rows = append(rows, []string{strconv.FormatInt(e.ID, 10), e.OrderID, e.EventType, string(e.Reason), clock(e.CreatedAt)})
	}
	return r.table([]string{"ID", "ORDER", "TYPE", "REASON", "RECEIVED (UTC)"}, rows)
}

func (r *remote) printReplays(o overview) error {
	if len(o.Replays) == 0 {
		return nil
	}
	if err := r.heading("REPLAYS"); err != nil {
		return err
	}
	for _, v := range o.Replays {
		if err := r.printf("replay %d, by %s: %s\n", v.ID, v.CreatedBy, bar(v)); err != nil {
			return err
		}
	}
	return nil
}

func (r *remote) printSettings(o overview) error {
	first := true
	for _, c := range o.Checks {
		for _, w := range c.Warnings {
			if first {
				if err := r.heading("WARNINGS ABOUT SETTINGS"); err != nil {
					return err
				}
				first = false
			}
			if err := r.printf("  %s: %s\n", c.Destination, indent(w)); err != nil {
				return err
			}
		}
	}
	if o.System == nil {
		return nil
	}
	return r.printf("\nrelay %s, %s, started %s UTC, %s\n", o.System.Version, o.System.Role, o.System.StartedAt.UTC().Format(time.DateTime), counted(len(o.System.Workers), "worker"))
}
