package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"relay/api"
	"relay/internal/relay"
)

// Bounds beyond which the state of a storefront is a problem.
const (
	oldPending = time.Minute
	quietFor   = 24 * time.Hour
)

// findProblems lists what an admin should look at, the widest first.
func (o *overview) findProblems() {
	o.systemProblems()
	o.switchProblems()
	for _, d := range o.Destinations {
		o.destinationProblems(d)
	}
	if age := o.Backlog.Oldest; age != nil && *age > oldPending.Seconds() {
		o.add("the oldest pending event has waited for %s", duration(*age))
	}
	if n := sum(o.Hour.Failed); n > 0 {
		o.add("%s failed since %s: %s", counted(int(n), "event"), o.Hour.From.Format(time.TimeOnly), tally(o.Hour.Failed))
	}
	for _, c := range o.Checks {
		if !c.OK {
			o.add("%s: %s", c.Destination, c.Message)
		}
	}
}

func (o *overview) add(format string, args ...any) {
	o.Problems = append(o.Problems, fmt.Sprintf(format, args...))
}

func (o *overview) systemProblems() {
	if o.System == nil {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(o.System.Checks)) {
		if word := o.System.Checks[name]; word != "ok" && name != "temporal" {
			o.add("the relay's check %s: %s", name, word)
		}
	}
	if !o.System.Temporal.Reached {
		o.add("Temporal does not respond: events are accepted, and none is delivered")
	}
	if len(o.System.Workers) == 0 {
		o.add("no worker shows a sign of life: nothing is delivered")
	}
}

// switchProblems are those of the storefront and its container; those of platforms and credentials are the destinations'.
func (o *overview) switchProblems() {
	if !o.Storefront.IsActive {
		o.add("the storefront is off%s: its events end skipped", setBy(o.Storefront.SwitchedBy, o.Storefront.SwitchedAt))
		return
	}
	for _, c := range o.Containers {
		if !c.IsActive {
			o.add("the container is off%s: fallback %s", setBy(c.SwitchedBy, c.SwitchedAt), c.Fallback)
		}
		if c.SecretsUnreadable {
			o.add("sgtm: no key decrypts its secrets; write them again")
		}
	}
	if o.Destinations != nil && !slices.ContainsFunc(o.Destinations, func(d api.DestinationView) bool { return d.Receives }) {
		o.add("events go nowhere: no destination receives them")
	}
}

func (o *overview) destinationProblems(d api.DestinationView) {
	h := d.Health
	switch {
	case d.Destination != relay.SGTM && o.Storefront.IsActive && !d.Receives:
		for _, s := range d.Switches {
			if !s.On && (s.Level == "platform" || s.Level == "credential") {
				o.add("%s gets no events: its %s is off%s", d.Destination, s.Level, setBy(s.SetBy, s.SetAt))
			}
		}
	case h.Reason == relay.ReasonUnauthorized && h.State != relay.Healthy:
		o.add("%s refuses the credential (%s) since %s UTC: %s", d.Destination, cause(h.Reason, h.LastStatus), clockOf(h.FailingSince), fateOf(d))
	case h.State != relay.Healthy:
		o.add("%s is %s since %s UTC: %s; %s", d.Destination, h.State, clockOf(h.FailingSince), cause(h.Reason, h.LastStatus), fateOf(d))
	case d.Receives && d.Reason == "" && o.Day.Received > 0 && (h.LastAcceptedAt == nil || o.At.Sub(*h.LastAcceptedAt) > quietFor):
		o.add("%s receives events, and has accepted none for 24 hours", d.Destination)
	}
}

// fateOf is what becomes of a destination's events.
func fateOf(d api.DestinationView) string {
	words := counted(d.Waiting, "event") + " in delivery"
	if d.Failed > 0 {
		words += ", " + counted(d.Failed, "event") + " to send again after it has recovered"
	}
	if d.Health.NextProbeAt != nil {
		words += ", next probe " + clockOf(d.Health.NextProbeAt) + " UTC"
	}
	return words
}

// setBy is who set a switch, as an addition to a sentence.
func setBy(who string, at *time.Time) string {
	words := ""
	if who != "" {
		words = ", by " + who
	}
	if at != nil {
		words += " at " + clock(*at) + " UTC"
	}
	return words
}

func sum(counts map[relay.Reason]int64) int64 {
	var n int64
	for _, c := range counts {
		n += c
	}
	return n
}

// tally is the counts by reason, the most first.
func tally(counts map[relay.Reason]int64) string {
	reasons := slices.SortedFunc(maps.Keys(counts), func(a, b relay.Reason) int {
		if counts[a] != counts[b] {
			return int(counts[b] - counts[a])
		}
		return strings.Compare(string(a), string(b))
	})
	var parts []string
	for _, reason := range reasons {
		parts = append(parts, fmt.Sprintf("%s=%d", reason, counts[reason]))
	}
	return strings.Join(parts, " ")
}

// duration is seconds in the units of a person.
func duration(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%.0f min", d.Minutes())
	case d < 48*time.Hour:
		return fmt.Sprintf("%.0f h", d.Hours())
	}
	return fmt.Sprintf("%.0f days", d.Hours()/24)
}
