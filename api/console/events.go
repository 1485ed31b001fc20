package console

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// eventPages are the list of events, the search and the event itself.
func eventPages() []page {
	return []page{
		{path: "events", place: "Events", title: "Events", template: "events", show: showEvents},
		{path: "search", place: "Events", title: "Search", template: "search", show: showSearch, act: search},
		{path: "events/{id}", place: "Events", title: "Event", template: "event", show: showEvent, act: actOnEvent},
		{path: "events/{id}/cancel", place: "Events", title: "Cancel an event", template: "event-cancel", show: showEvent, act: cancelEvent},
	}
}

// Event is one event as REST lists it.
type Event struct {
	ID            int64      `json:"id"`
	EventID       string     `json:"event_id"`
	OrderID       string     `json:"order_id"`
	Type          string     `json:"event_type"`
	Storefront    string     `json:"storefront_code"`
	StorefrontID  int64      `json:"storefront_id"`
	Source        string     `json:"source_system"`
	Status        string     `json:"status"`
	Reason        string     `json:"reason"`
	ReasonText    string     `json:"reason_text"`
	Detail        string     `json:"detail"`
	Warnings      []string   `json:"warnings"`
	Generation    int        `json:"generation"`
	CreatedAt     time.Time  `json:"created_at"`
	UpdatedAt     time.Time  `json:"updated_at"`
	WaitingFor    string     `json:"waiting_for"`
	NextAttemptAt *time.Time `json:"next_attempt_at"`
	FinishedAt    *time.Time `json:"finished_at"`
	ErasedAt      *time.Time `json:"erased_at"`
	WorkflowURL   string     `json:"workflow_url"`
}

// Open reports whether an event has not ended.
func (e Event) Open() bool { return e.Status == "pending" || e.Status == "processing" }

type eventList struct {
	Items      []Event `json:"items"`
	NextCursor string  `json:"next_cursor"`
}

// filterNames are the parameters of the filter, as REST has them, with their labels. An order's id is none of them: an address
// ends in the logs of proxies, and beside a type of event it is health data.
var filterNames = []struct{ Name, Label string }{{"status", "status"}, {"storefront", "storefront"}, {"reason", "reason"}, {"destination", "destination"},
	{"failed_at", "failed at"}, {"waiting_at", "waiting at"}, {"event_type", "type"}, {"source", "source"}, {"from", "from"}, {"to", "until"}}

// events is the list, and the filter that made it.
type events struct {
	Filter  url.Values
	Window  string
	Chips   []chip
	Presets []chip
	Windows []window
	List    part[eventList]
	Count   part[count]
	More    string
	First   string // the first page, where this is another one
	Replay  string
	CLI     string
}

// chip is a filter that is on, with the address of the list without it; or a list that is often wanted.
type chip struct {
	Text, Link string
	On         bool
}

// count is how many events match, as far as it was counted.
type count struct {
	Count int64  `json:"count"`
	More  bool   `json:"more"`
	Text  string `json:"text"`
}

// filter reads the filter of an address, for REST. A window is a time before now.
func (v *visit) filter(from url.Values) url.Values {
	q := url.Values{}
	for _, f := range filterNames {
		if value := strings.TrimSpace(from.Get(f.Name)); value != "" {
			q.Set(f.Name, value)
		}
	}
	for _, name := range []string{"from", "to"} {
		if t, err := time.Parse("2006-01-02T15:04", q.Get(name)); err == nil { // as a field for a time sends it, here in UTC
			q.Set(name, t.Format(time.RFC3339))
		}
	}
	for _, w := range windows {
		if w.Name == from.Get("window") && q.Get("from") == "" {
			q.Set("from", v.now.Add(-w.Hour).Truncate(time.Minute).Format(time.RFC3339))
		}
	}
	return q
}

// listed is the part of an address that is the filter. A window that is none filters nothing.
func listed(from url.Values) url.Values {
	q := url.Values{}
	for name, values := range from {
		if name == "window" || slices.ContainsFunc(filterNames, func(f struct{ Name, Label string }) bool { return f.Name == name }) {
			if values[0] != "" && (name != "window" || slices.ContainsFunc(windows, func(w window) bool { return w.Name == values[0] })) {
				q.Set(name, values[0])
			}
		}
	}
	return q
}

func showEvents(v *visit) (any, error) {
	rest, shown := v.filter(v.query), listed(v.query)
	e := events{Filter: shown, Window: shown.Get("window"), Windows: windows, Presets: presets(shown), Chips: chips(shown), CLI: commandLine("relay events list", rest)}
	page := url.Values{"limit": {"50"}}
	for name := range rest {
		page.Set(name, rest.Get(name))
	}
	if c := v.query.Get("cursor"); c != "" {
		page.Set("cursor", c)
		e.First = address("events", shown)
	}
	v.followEvents(shown)
	v.together(func() {
		e.List.Problem = problemOf(v.get("/admin/v1/events", page, &e.List.Value))
	}, func() {
		if v.request.Header.Get(refreshHeader) != "" {
			return // the count is in none of the parts
		}
		e.Count.Problem = problemOf(v.get("/admin/v1/events/count", rest, &e.Count.Value))
	})
	if e.List.Problem != nil && e.List.Problem.Status < 500 && v.problem == nil {
		v.problem = e.List.Problem // a filter that is refused is shown beside its fields
		e.List.Problem = nil
	}
	if next := e.List.Value.NextCursor; next != "" {
		q := url.Values{"cursor": {next}}
		for name := range shown {
			q.Set(name, shown.Get(name))
		}
		e.More = address("events", q)
	}
	e.Replay = address("replays/new", shown)
	return e, nil
}

// followEvents picks what may change a list of events: attempts at its storefront, and at its destination if there is but one.
func (v *visit) followEvents(filter url.Values) {
	destination := filter.Get("destination")
	switch waiting := filter.Get("waiting_at"); {
	case destination == "":
		destination = waiting
	case waiting != "" && waiting != destination:
		destination = ""
	}
	v.follow(join("storefront", filter.Get("storefront"), "destination", destination))
}

// address is a page with parameters.
func address(path string, q url.Values) string {
	if len(q) == 0 {
		return base + path
	}
	return base + path + "?" + q.Encode()
}

// chips are the filters that are on.
func chips(shown url.Values) []chip {
	var list []chip
	add := func(name, text string) {
		without := url.Values{}
		for n := range shown {
			if n != name {
				without.Set(n, shown.Get(n))
			}
		}
		list = append(list, chip{Text: text, Link: address("events", without)})
	}
	for _, f := range filterNames {
		if value := shown.Get(f.Name); value != "" {
			add(f.Name, f.Label+": "+strings.ReplaceAll(value, ",", ", "))
		}
	}
	if w := shown.Get("window"); w != "" {
		add("window", "last "+w)
	}
	return list
}

// presets are lists that are often wanted.
func presets(shown url.Values) []chip {
	list := []chip{{Text: "All", Link: address("events", nil), On: len(shown) == 0}}
	for _, p := range []struct {
		text string
		q    url.Values
	}{
		{"Failed today", join("status", "failed", "window", "24h")},
		{"Waiting", join("status", "pending,processing")},
		{"Skipped today", join("status", "skipped", "window", "24h")},
		{"Direct rows", join("source", "oms_direct")},
		{"Unknown storefront", join("reason", "unknown_storefront")},
	} {
		list = append(list, chip{p.text, address("events", p.q), p.q.Encode() == shown.Encode()})
	}
	return list
}

// commandLine is the same by the command line.
func commandLine(command string, q url.Values) string {
	flags := map[string]string{"event_type": "type"}
	for _, f := range filterNames {
		value := q.Get(f.Name)
		if value == "" {
			continue
		}
		name := f.Name
		if flags[name] != "" {
			name = flags[name]
		}
		command += " --" + strings.ReplaceAll(name, "_", "-") + " " + quoted(value)
	}
	return command
}

// quoted is a text for a shell.
func quoted(s string) string {
	if strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.,:") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// found is what a search found.
type found struct {
	Asked string
	Items []Event
}

func showSearch(v *visit) (any, error) { return found{Asked: v.form.Get("id")}, nil }

// search looks for a row, and for an order's or an event's own id. What is looked for comes in a form, and so in no address.
func search(v *visit) (next, error) {
	f := found{Asked: strings.TrimSpace(v.form.Get("id"))}
	if f.Asked == "" {
		return next{to: "search"}, nil
	}
	var list eventList
	var row Event
	var byOrder, byRow error = nil, errNoRow
	v.together(func() {
		byOrder = v.get("/admin/v1/events", url.Values{"order_id": {f.Asked}, "limit": {"50"}}, &list)
	}, func() {
		if id, err := strconv.ParseInt(f.Asked, 10, 53); err == nil && id > 0 {
			byRow = v.get("/admin/v1/events/"+strconv.FormatInt(id, 10), nil, &row)
		}
	})
	if byOrder != nil && byRow != nil {
		return next{}, byOrder
	}
	f.Items = list.Items
	if byRow == nil && !slices.ContainsFunc(f.Items, func(e Event) bool { return e.ID == row.ID }) {
		f.Items = append([]Event{row}, f.Items...)
	}
	if len(f.Items) == 1 {
		return next{to: "events/" + strconv.FormatInt(f.Items[0].ID, 10)}, nil
	}
	return next{data: f}, nil
}

var errNoRow = &Problem{Status: 404, Detail: "no row"}
