package console

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// replayPages are the list of replays, a new one, and one with its progress.
func replayPages() []page {
	return []page{
		{path: "replays", place: "Replays", title: "Replays", template: "replays", show: showReplays},
		{path: "replays/new", place: "Replays", title: "Replay events", template: "replay-new", show: showNewReplay, act: startReplay},
		{path: "replays/{id}", place: "Replays", title: "Replay", template: "replay", show: showReplay, act: steerReplay},
		{path: "replays/{id}/events", place: "Replays", title: "Events of a replay", template: "replay-events", show: showReplayEvents},
		{path: "replays/{id}/cancel", place: "Replays", title: "Cancel a replay", template: "replay-cancel", show: showReplay, act: steerReplay},
	}
}

// Replay is a replay as REST has it.
type Replay struct {
	ID          int64        `json:"id"`
	State       string       `json:"state"`
	Filter      replayFilter `json:"filter"`
	Resend      []string     `json:"resend"`
	Rate        int          `json:"rate"`
	CreatedBy   string       `json:"created_by"`
	CreatedAt   time.Time    `json:"created_at"`
	EndedAt     *time.Time   `json:"ended_at"`
	Matched     int64        `json:"matched"`
	Started     int64        `json:"started"`
	Delivered   int64        `json:"delivered"`
	Failed      int64        `json:"failed"`
	Skipped     int64        `json:"skipped"`
	InFlight    int64        `json:"in_flight"`
	Held        int64        `json:"held"`
	Remaining   int64        `json:"remaining"`
	ETA         *time.Time   `json:"eta"`
	WorkflowURL string       `json:"workflow_url"`
}

type replayFilter struct {
	Storefront   string    `json:"storefront"`
	StorefrontID int64     `json:"storefront_id"`
	OrderID      string    `json:"order_id"`
	Type         string    `json:"type"`
	Statuses     []string  `json:"statuses"`
	Reasons      []string  `json:"reasons"`
	Source       string    `json:"source"`
	Destination  string    `json:"destination"`
	From         time.Time `json:"from"`
	To           time.Time `json:"to"`
}

// Words is the filter as it is read.
func (f replayFilter) Words() string {
	var parts []string
	add := func(label, value string) {
		if value != "" {
			parts = append(parts, label+value)
		}
	}
	add("", strings.Join(f.Statuses, " and "))
	add("of ", f.Storefront)
	if f.Storefront == "" && f.StorefrontID != 0 {
		add("of storefront ", strconv.FormatInt(f.StorefrontID, 10))
	}
	add("", f.Type)
	if f.OrderID != "" {
		add("", "one order")
	}
	add("because of ", words(strings.Join(f.Reasons, ", ")))
	add("ended at ", f.Destination)
	add("from ", f.Source)
	if !f.From.IsZero() {
		add("received since ", f.From.UTC().Format("2006-01-02 15:04"))
	}
	if !f.To.IsZero() {
		add("until ", f.To.UTC().Format("2006-01-02 15:04"))
	}
	return strings.Join(parts, ", ")
}

// Ended reports whether nothing more is started.
func (r Replay) Ended() bool { return r.State == "done" || r.State == "cancelled" }

// Events is the list of what it may have picked, whatever became of it: its reasons and statuses were those of before.
func (r Replay) Events() string {
	q := join("storefront", r.Filter.Storefront, "event_type", r.Filter.Type, "source", r.Filter.Source)
	for name, t := range map[string]time.Time{"from": r.Filter.From, "to": r.Filter.To} {
		if !t.IsZero() {
			q.Set(name, t.UTC().Format(time.RFC3339))
		}
	}
	return address("events", q)
}

// Share is how much of it has been started, in percent.
func (r Replay) Share() int64 {
	all := r.Started + r.Remaining
	switch {
	case r.State == "done", all == 0 && r.Ended():
		return 100
	case all == 0:
		return 0
	}
	return r.Started * 100 / all
}

type replayList struct {
	Items []Replay
	More  string
}

func showReplays(v *visit) (any, error) {
	var list struct {
		Items      []Replay `json:"items"`
		NextCursor string   `json:"next_cursor"`
	}
	if err := v.get("/admin/v1/replays", join("limit", "50", "cursor", v.query.Get("cursor")), &list); err != nil {
		return nil, err
	}
	l := replayList{Items: list.Items}
	if list.NextCursor != "" {
		l.More = address("replays", join("cursor", list.NextCursor))
	}
	return l, nil
}

func (v *visit) replayPath() string { return "/admin/v1/replays/" + segment(v.part("id")) }

func showReplay(v *visit) (any, error) {
	var r Replay
	if err := v.get(v.replayPath(), nil, &r); err != nil {
		return nil, err
	}
	v.title = "Replay " + v.part("id")
	return r, nil
}

// replayEvents are the events of a replay that are on their way, or held.
type replayEvents struct {
	ID   string
	Page eventList
	More string
}

func showReplayEvents(v *visit) (any, error) {
	e := replayEvents{ID: v.part("id")}
	v.title = "Events of replay " + e.ID
	err := v.get(v.replayPath()+"/events", join("limit", "50", "cursor", v.query.Get("cursor")), &e.Page)
	if e.Page.NextCursor != "" {
		e.More = address("replays/"+segment(e.ID)+"/events", join("cursor", e.Page.NextCursor))
	}
	return e, err
}

// steerReplay pauses, resumes and cancels, and changes the rate.
func steerReplay(v *visit) (next, error) {
	here := "replays/" + segment(v.part("id"))
	do := v.form.Get("do")
	switch do {
	case "pause", "resume", "cancel":
		if err := v.post(v.replayPath()+"/"+do, nil, nil, nil); err != nil {
			return next{}, err
		}
	case "rate":
		rate, err := strconv.Atoi(v.form.Get("rate"))
		if err != nil {
			return next{}, &Problem{Status: http.StatusUnprocessableEntity, Field: "rate", Detail: "The rate is a number of events a second.", RequestID: v.id}
		}
		if _, err := v.do(call{method: http.MethodPatch, path: v.replayPath(), body: map[string]int{"rate": rate}}, nil); err != nil {
			return next{}, err
		}
	default:
		return next{}, &Problem{Status: http.StatusBadRequest, Detail: "The form asks for nothing that this page does.", RequestID: v.id}
	}
	return v.done(here), nil
}
