package console

import (
	"cmp"
	"fmt"
	"html/template"
	"maps"
	"net/url"
	"slices"
	"time"
)

// overviewPages are the first page and what belongs to it.
func overviewPages() []page {
	return []page{
		{path: "", place: "Overview", title: "Overview", template: "overview", show: showOverview},
		{path: "keys", title: "Keys", template: "keys", show: func(*visit) (any, error) { return nil, nil }},
	}
}

// window is a span of time before now that a page can show.
type window struct {
	Name string
	Hour time.Duration
	Step string
}

var windows = []window{{"24h", 24 * time.Hour, "hour"}, {"7d", 7 * 24 * time.Hour, "hour"}, {"30d", 30 * 24 * time.Hour, "day"}}

// windowOf is the window that the address names, else the first.
func (v *visit) windowOf() window {
	for _, w := range windows {
		if w.Name == v.query.Get("window") {
			return w
		}
	}
	return windows[0]
}

// overview answers whether events flow, what is wrong, since when, and whose it is.
type overview struct {
	Window     window
	Windows    []window
	Storefront string
	Ill        part[[]Destination]
	IllMore    bool
	Stats      part[Stats]
	Rows       []overviewRow
	Reasons    []reasonRow
	Chart      part[*bars]
	Service    part[service]
	Nothing    bool
}

// part is a section of a page that can fail alone.
type part[T any] struct {
	Value   T
	Problem *Problem
}

type overviewRow struct {
	StorefrontStats
	Unknown       bool
	Failures      int64
	Skips         int64
	Ill           []illPlace
	Share         template.HTML
	Events        string // the address of its events
	EventsFailed  string
	TopReason     string
	OldestSeconds float64
}

type illPlace struct{ Destination, State string }

type reasonRow struct {
	Reason, Status string
	Events         int64
	Link           string
}

// illShown is how many destinations in trouble are named, the worst first.
const illShown = 20

func showOverview(v *visit) (any, error) {
	w := v.windowOf()
	o := overview{Window: w, Windows: windows, Storefront: v.query.Get("storefront")}
	times := join("storefront", o.Storefront)
	v.follow(join("storefront", o.Storefront))
	if w != windows[0] {
		times.Set("from", v.now.Add(-w.Hour).Truncate(time.Hour).Format(time.RFC3339))
	}
	v.together(func() {
		var err error
		o.Stats.Value, err = v.stats(times)
		o.Stats.Problem = problemOf(err)
	}, func() {
		o.Chart.Value, o.Chart.Problem = v.flow(w, join("storefront", o.Storefront))
	}, func() {
		if o.Storefront == "" { // the levels are those of all
			o.Service.Problem = problemOf(v.get("/admin/v1/service-levels", nil, &o.Service.Value))
		}
	}, func() {
		var list destinationList
		o.Ill.Problem = problemOf(v.get("/admin/v1/destinations", join("state", "ill", "storefront", o.Storefront, "limit", "100"), &list)) // by storefront
		o.Ill.Value, o.IllMore = list.Items, list.NextCursor != "" || len(list.Items) > illShown
	})
	slices.SortStableFunc(o.Ill.Value, func(a, b Destination) int { return cmp.Compare(b.Health.rank(), a.Health.rank()) })
	o.Ill.Value = o.Ill.Value[:min(len(o.Ill.Value), illShown)]
	o.Rows, o.Reasons = v.rowsOf(o.Stats.Value, w)
	o.Nothing = o.Stats.Problem == nil && len(o.Stats.Value.Storefronts) == 0 && o.Storefront == ""
	return o, nil
}

// rowsOf are the storefronts, the worst first, and why events were not delivered.
func (v *visit) rowsOf(s Stats, w window) ([]overviewRow, []reasonRow) {
	var rows []overviewRow
	reasons := map[[2]string]int64{}
	for i, st := range s.all() {
		r := overviewRow{StorefrontStats: st, Unknown: s.Unknown != nil && i == len(s.Storefronts), Failures: total(st.Failed), Skips: total(st.Skipped)}
		for reason, n := range st.Failed {
			reasons[[2]string{"failed", reason}] += n
		}
		for reason, n := range st.Skipped {
			reasons[[2]string{"skipped", reason}] += n
		}
		if r.Unknown && st.Received == 0 && st.Open == 0 {
			continue
		}
		for d, health := range st.Destinations {
			if health.Health == "unhealthy" || health.Health == "failing" {
				r.Ill = append(r.Ill, illPlace{d, health.Health})
			}
		}
		slices.SortFunc(r.Ill, func(a, b illPlace) int {
			return cmp.Or(-cmp.Compare(a.State, b.State), cmp.Compare(a.Destination, b.Destination))
		})
		r.Share = share([]layer{{"c-delivered", "delivered", []int64{st.Delivered}}, {"c-skipped", "skipped", []int64{r.Skips}},
			{"c-open", "open", []int64{st.Open}}, {"c-failed", "failed", []int64{r.Failures}}})
		q := join("storefront", st.Storefront, "window", w.Name)
		if r.Unknown {
			q = join("reason", "unknown_storefront", "window", w.Name)
		}
		r.Events = base + "events?" + q.Encode()
		q.Set("status", "failed")
		r.EventsFailed = base + "events?" + q.Encode()
		rows = append(rows, r)
	}
	slices.SortStableFunc(rows, func(a, b overviewRow) int {
		return cmp.Or(cmp.Compare(b.worst(), a.worst()), cmp.Compare(b.Failures, a.Failures), cmp.Compare(b.Received, a.Received), cmp.Compare(a.Storefront, b.Storefront))
	})
	return rows, reasonRows(reasons, w, v.query.Get("storefront"))
}

// worst orders storefronts: those with unhealthy destinations before those with failing ones and those with failed events.
func (r overviewRow) worst() int {
	switch {
	case slices.ContainsFunc(r.Ill, func(p illPlace) bool { return p.State == "unhealthy" }):
		return 3
	case len(r.Ill) > 0:
		return 2
	case r.Failures > 0:
		return 1
	}
	return 0
}

func reasonRows(reasons map[[2]string]int64, w window, storefront string) []reasonRow {
	var rows []reasonRow
	for k, n := range reasons {
		q := join("status", k[0], "reason", k[1], "window", w.Name, "storefront", storefront)
		rows = append(rows, reasonRow{k[1], k[0], n, base + "events?" + q.Encode()})
	}
	slices.SortFunc(rows, func(a, b reasonRow) int {
		return cmp.Or(cmp.Compare(b.Events, a.Events), cmp.Compare(a.Status, b.Status), cmp.Compare(a.Reason, b.Reason))
	})
	return rows
}

// series are counts over time.
type series struct {
	Times  []time.Time `json:"times"`
	AsOf   *time.Time  `json:"as_of"`
	Series []struct {
		Key    string  `json:"key"`
		Values []int64 `json:"values"`
	} `json:"series"`
}

// layer is a chart's layer of a key, zero where the key has no values.
func (s series) layer(key, name string) layer {
	l := layer{Class: "c-" + key, Name: name, Values: make([]int64, len(s.Times))}
	for _, one := range s.Series {
		if one.Key == key {
			copy(l.Values, one.Values)
		}
	}
	return l
}

// flow is the chart of events over time: of all, or of those of a storefront or a destination.
func (v *visit) flow(w window, of url.Values) (*bars, *Problem) {
	var s series
	q := maps.Clone(of)
	q.Set("step", w.Step)
	q.Set("by", "outcome")
	q.Set("from", v.now.Add(-w.Hour).Truncate(time.Hour).Format(time.RFC3339))
	if err := v.get("/admin/v1/stats/series", q, &s); err != nil {
		return nil, problemOf(err)
	}
	b := &bars{Times: s.Times, Label: "Events received by " + w.Step, Layers: []layer{s.layer("delivered", "delivered"), s.layer("skipped", "skipped"),
		s.layer("open", "open"), s.layer("failed", "failed")}}
	length := map[string]time.Duration{"hour": time.Hour, "day": 24 * time.Hour}[w.Step]
	b.Link = func(i int) string {
		q := maps.Clone(of)
		q.Set("from", s.Times[i].Format(time.RFC3339))
		q.Set("to", s.Times[i].Add(length).Format(time.RFC3339))
		return address("events", q)
	}
	b.Title = func(i int) string {
		text := s.Times[i].Format("Mon 2 Jan 15:04") + " UTC"
		for _, l := range b.Layers {
			if l.Values[i] > 0 {
				text += fmt.Sprintf(", %s %s", number(l.Values[i]), l.Name)
			}
		}
		return text
	}
	return b, nil
}
