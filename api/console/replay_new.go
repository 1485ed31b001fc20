package console

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// newReplay is a replay before it begins: its filter, and what it would start.
type newReplay struct {
	Filter  url.Values
	Frozen  url.Values // with its times as they were when it was counted
	CLI     string
	Resend  bool
	To      string // destinations of a resend
	Rate    string
	Counted bool
	Count   part[replayAnswer]
	Events  string
}

// replayAnswer is REST's answer to a new replay, or to its dry run.
type replayAnswer struct {
	DryRun struct {
		Events  int64   `json:"events"`
		Partial bool    `json:"partial"`
		Tallies []tally `json:"by"`
	} `json:"dry_run"`
	Replay    Replay `json:"replay"`
	Unhealthy []struct {
		Storefront  string     `json:"storefront_code"`
		Destination string     `json:"destination"`
		Reason      string     `json:"reason"`
		NextProbeAt *time.Time `json:"next_probe_at"`
	} `json:"unhealthy"`
}

type tally struct {
	Storefront  string `json:"storefront_code"`
	Destination string `json:"destination"`
	Reason      string `json:"reason"`
	Events      int64  `json:"events"`
	TooOld      int64  `json:"too_old"`
}

// TooOld is how many a destination would refuse for their age.
func (a replayAnswer) TooOld() int64 {
	var n int64
	for _, t := range a.DryRun.Tallies {
		n += t.TooOld
	}
	return n
}

// showNewReplay counts at once: what a replay is about to do is to be seen before anything else.
func showNewReplay(v *visit) (any, error) {
	from := v.query
	if len(v.form) > 0 {
		from = v.form
	}
	filter := v.filter(from)
	if filter.Get("to") == "" { // what is received after this moment is not what was counted
		filter.Set("to", v.now.Add(time.Second).Truncate(time.Second).Format(time.RFC3339))
	}
	n := newReplay{Filter: listed(from), Frozen: filter, Resend: from.Get("resend") != "", To: strings.TrimSpace(from.Get("destinations")), Rate: from.Get("rate"), Events: address("events", listed(from)),
		Counted: from.Get("count") != "" || len(v.form) > 0 || len(listed(from)) > 0}
	n.CLI = commandLine("relay replay start", filter)
	if n.Resend {
		n.CLI += " --resend " + quoted(n.To)
	}
	if n.Counted && (!n.Resend || n.To != "") && !v.visitor.ReadOnly {
		n.Count.Problem = problemOf(v.post("/admin/v1/replays", url.Values{"dry_run": {"true"}}, n.request(filter, nil), &n.Count.Value))
	} else {
		n.Counted = false
	}
	return n, nil
}

// Uncounted reports whether there are too many events to count. Only a resend needs their number.
func (n newReplay) Uncounted() bool {
	return !n.Resend && n.Count.Problem != nil && n.Count.Problem.Code == "too_many_events"
}

// request is the body of a new replay. Its filter is REST's own.
func (n newReplay) request(filter url.Values, confirm *int64) map[string]any {
	f := map[string]any{}
	for _, name := range filterNames {
		value := filter.Get(name.Name)
		switch {
		case value == "":
		case name.Name == "status", name.Name == "reason":
			f[name.Name] = split(value)
		default:
			f[name.Name] = value
		}
	}
	body := map[string]any{"filter": f}
	if rate, err := strconv.Atoi(n.Rate); err == nil {
		body["rate"] = rate
	}
	if n.Resend {
		body["resend"], body["destinations"] = true, split(n.To)
	}
	if confirm != nil {
		body["confirm"] = *confirm
	}
	return body
}

func split(s string) []string {
	var list []string
	for _, one := range strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' }) {
		if !slices.Contains(list, one) {
			list = append(list, one)
		}
	}
	return list
}

// startReplay starts what was counted. The number is confirmed for a resend only: while events still fail it changes all the time,
// and to send those again as well does no harm.
func startReplay(v *visit) (next, error) {
	n := newReplay{Resend: v.form.Get("resend") != "", To: v.form.Get("destinations"), Rate: v.form.Get("rate")}
	var confirm *int64
	if n.Resend {
		typed, err := strconv.ParseInt(strings.ReplaceAll(strings.TrimSpace(v.form.Get("typed")), ",", ""), 10, 53)
		if err != nil {
			return next{}, &Problem{Status: http.StatusUnprocessableEntity, Field: "typed", Detail: "Type the number of events that were counted: nothing was started.", RequestID: v.id}
		}
		confirm = &typed
	}
	var a replayAnswer
	if err := v.post("/admin/v1/replays", nil, n.request(v.filter(v.form), confirm), &a); err != nil {
		return next{}, err
	}
	return v.done("replays/" + strconv.FormatInt(a.Replay.ID, 10)), nil
}
