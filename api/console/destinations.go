package console

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// destinationPages are the list of destinations, and one of them: how it fares, its settings, and a try.
func destinationPages() []page {
	const one = "storefronts/{code}/{destination}"
	return []page{
		{path: "destinations", place: "Destinations", title: "Destinations", template: "destinations", show: showDestinations, act: probe},
		{path: one, place: "Destinations", title: "Destination", template: "destination", show: showDestination, act: probe},
		{path: one + "/settings", place: "Destinations", title: "Settings", template: "settings", show: showSettings, act: saveSettings},
		{path: one + "/try", place: "Destinations", title: "Try", template: "try", show: showTry, act: try},
		{path: one + "/try/test", place: "Destinations", title: "Send a test event", template: "test", show: showTest, act: sendTest},
		{path: one + "/_delete", place: "Destinations", title: "Delete", template: "settings-delete", show: showSettings, act: deleteSettings},
	}
}

// destinations is the list, the worst first.
type destinations struct {
	State, Storefront string
	States            []chip
	Rows              []destinationRow
	Problem           *Problem // why there are no rows
	Replays           *Problem // why it is not known which of them are replayed
	First, More       string
	Here              string // this page of the list, for its forms
}

// destinationRow is a destination with the replay that sends its events again.
type destinationRow struct {
	Destination
	Replay *runningReplay
}

// runningReplay is as much of a replay as a destination shows.
type runningReplay struct {
	ID        int64  `json:"id"`
	State     string `json:"state"`
	Started   int64  `json:"started"`
	Held      int64  `json:"held"`
	Remaining int64  `json:"remaining"`
	Filter    struct {
		StorefrontID int64  `json:"storefront_id"`
		Destination  string `json:"destination"`
		FailedAt     string `json:"failed_at"`
	} `json:"filter"`
}

// Address is the page of a destination.
func (d Destination) Address() string {
	return base + "storefronts/" + segment(d.Storefront) + "/" + segment(d.Key)
}

// State is how a destination is, in one word: one that gets no events is neither healthy nor ill.
func (d Destination) State() string {
	switch {
	case d.Receives || d.Health.Ill():
		return d.Health.State
	case d.Reason == "behind_container":
		return d.Reason
	}
	return "off"
}

func showDestinations(v *visit) (any, error) {
	d := destinations{State: v.query.Get("state"), Storefront: v.query.Get("storefront")}
	d.States = stateChips(d.State, d.Storefront)
	v.follow(join("storefront", d.Storefront))
	d.Here = base + v.destinationsHere()
	var ill, page destinationList
	var failedIll, failedPage error
	var running []runningReplay
	// Without a state, those in trouble come before the others, which a page lists by storefront.
	illFirst := d.State == "" && v.query.Get("cursor") == ""
	v.together(func() {
		if illFirst {
			failedIll = v.get("/admin/v1/destinations", join("state", "ill", "storefront", d.Storefront, "limit", "50"), &ill)
		}
	}, func() {
		failedPage = v.get("/admin/v1/destinations", join("state", d.State, "storefront", d.Storefront, "limit", "50", "cursor", v.query.Get("cursor")), &page)
	}, func() {
		running, d.Replays = v.runningReplays()
	})
	d.Problem = problemOf(cmp.Or(failedPage, failedIll))
	d.Rows = rowsOfDestinations(ill.Items, page.Items, running)
	if v.query.Get("cursor") != "" {
		d.First = address("destinations", join("state", d.State, "storefront", d.Storefront))
	}
	if page.NextCursor != "" {
		d.More = address("destinations", join("state", d.State, "storefront", d.Storefront, "cursor", page.NextCursor))
	}
	return d, nil
}

// destinationsHere is the page of the list that the address names.
func (v *visit) destinationsHere() string {
	q := join("state", v.query.Get("state"), "storefront", v.query.Get("storefront"), "cursor", v.query.Get("cursor"))
	return strings.TrimSuffix("destinations?"+q.Encode(), "?")
}

// rowsOfDestinations puts those in trouble first, each once.
func rowsOfDestinations(ill, page []Destination, running []runningReplay) []destinationRow {
	var rows []destinationRow
	seen := map[string]bool{}
	for _, d := range slices.Concat(ill, page) {
		if key := d.Storefront + "/" + d.Key; !seen[key] {
			seen[key] = true
			rows = append(rows, destinationRow{d, replayOf(d, running)})
		}
	}
	slices.SortStableFunc(rows, func(a, b destinationRow) int {
		return cmp.Or(cmp.Compare(b.Health.rank(), a.Health.rank()), cmp.Compare(b.Health.Failures, a.Health.Failures))
	})
	return rows
}

func (v *visit) runningReplays() ([]runningReplay, *Problem) {
	var list struct {
		Items []runningReplay `json:"items"`
	}
	err := v.get("/admin/v1/replays", url.Values{"state": {"running,paused"}}, &list)
	return list.Items, problemOf(err)
}

// replayOf is the replay of a destination's events, if one is under way.
func replayOf(d Destination, running []runningReplay) *runningReplay {
	for _, r := range running {
		if r.Filter.StorefrontID == d.StorefrontID && cmp.Or(r.Filter.FailedAt, r.Filter.Destination) == d.Key {
			return &r
		}
	}
	return nil
}

func stateChips(state, storefront string) []chip {
	var list []chip
	for _, s := range []struct{ text, state string }{{"All", ""}, {"In trouble", "ill"}, {"Unhealthy", "unhealthy"}, {"Failing", "failing"}, {"Off", "off"}, {"Quiet", "quiet"}} {
		list = append(list, chip{s.text, address("destinations", join("state", s.state, "storefront", storefront)), s.state == state})
	}
	return list
}

// probe asks for the probe of a destination, from its page or from its row in the list.
func probe(v *visit) (next, error) {
	if v.form.Get("do") != "probe" {
		return next{}, v.unknownForm()
	}
	code, key, back := v.part("code"), v.part("destination"), ""
	if code == "" {
		code, key = v.form.Get("storefront"), v.form.Get("destination")
		back = v.destinationsHere()
	} else {
		back = v.here()
	}
	if err := v.post("/admin/v1/destinations/"+segment(code)+"/"+segment(key)+"/probe", nil, nil, nil); err != nil {
		return next{}, err
	}
	return v.done(back), nil
}

// unknownForm refuses a form that no page of ours has.
func (v *visit) unknownForm() *Problem {
	return &Problem{Status: http.StatusBadRequest, Detail: "The form asks for nothing that this page does.", RequestID: v.id}
}
