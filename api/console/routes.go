package console

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// routePages are where events go, and the switches.
func routePages() []page {
	return []page{
		{path: "routes", place: "Routes", title: "Routes", template: "routes", show: showRoutes},
		{path: "switches/{kind}/{id}", place: "Routes", title: "Switch", template: "switch", show: showSwitch, act: flip},
	}
}

// kinds are the four levels of kill switches, with the name of their things in REST.
var kinds = map[string]string{"storefront": "storefronts", "sgtm": "sgtm-configs", "platform": "platforms", "credential": "credentials"}

// sgtm is the destination that is a storefront's container.
const sgtm = "sgtm"

// routes is the matrix of storefronts and destinations.
type routes struct {
	Storefront, Show string
	Shows            []chip
	Columns          []column
	Rows             []routeRow
	Problem          *Problem
	More             string
}

// column is a destination, with the switch that a platform has for all storefronts.
type column struct {
	Key    string
	Switch *Switch
}

type routeRow struct {
	Storefront string
	Switch     *Switch // the storefront's
	Cells      []cell
	Offs       []off
}

// cell is a storefront's destination; a nil one is not configured.
type cell struct {
	Key         string
	Destination *Destination
	State, Text string
	Switch      *Switch // the container's, or the credential's
}

// off is a switch that is off, and who did it.
type off struct {
	What string
	Switch
}

func showRoutes(v *visit) (any, error) {
	r := routes{Storefront: strings.TrimSpace(v.query.Get("storefront")), Show: v.query.Get("show")}
	for _, s := range []string{"", "off", "ill"} {
		text := map[string]string{"": "All", "off": "Something is off", "ill": "In trouble"}[s]
		r.Shows = append(r.Shows, chip{Text: text, Link: address("routes", join("storefront", r.Storefront, "show", s)), On: s == r.Show})
	}
	var list destinationList
	err := v.get("/admin/v1/destinations", join("storefront", r.Storefront, "state", r.Show, "storefronts", "50", "cursor", v.query.Get("cursor")), &list)
	r.Problem = problemOf(err)
	if list.NextCursor != "" {
		r.More = address("routes", join("storefront", r.Storefront, "show", r.Show, "cursor", list.NextCursor))
	}
	r.fill(list.Items)
	return r, nil
}

// fill makes the matrix. Its columns are the destinations in use, the container first and then the commonest.
func (r *routes) fill(list []Destination) {
	uses := map[string]int{}
	platforms := map[string]*Switch{}
	var codes []string
	for _, d := range list {
		uses[d.Key]++
		if !slices.Contains(codes, d.Storefront) {
			codes = append(codes, d.Storefront)
		}
		if s := d.level("platform"); s != nil {
			platforms[d.Key] = s
		}
	}
	for key := range uses {
		r.Columns = append(r.Columns, column{key, platforms[key]})
	}
	slices.SortFunc(r.Columns, func(a, b column) int {
		return cmp.Or(cmp.Compare(rank(a.Key), rank(b.Key)), cmp.Compare(uses[b.Key], uses[a.Key]), cmp.Compare(a.Key, b.Key))
	})
	for _, code := range codes {
		r.Rows = append(r.Rows, r.row(code, list))
	}
}

func rank(key string) int {
	if key == sgtm {
		return 0
	}
	return 1
}

func (r *routes) row(code string, list []Destination) routeRow {
	row := routeRow{Storefront: code, Cells: make([]cell, len(r.Columns))}
	for i, c := range r.Columns {
		row.Cells[i] = cell{Key: c.Key}
	}
	for _, d := range list {
		if d.Storefront != code {
			continue
		}
		row.Switch = d.level("storefront")
		i := slices.IndexFunc(r.Columns, func(c column) bool { return c.Key == d.Key })
		row.Cells[i] = cellOf(d)
		for _, s := range d.Switches {
			if !s.On && s.Level != "platform" && (s.Level != "storefront" || len(row.Offs) == 0 || row.Offs[0].What != code) {
				what := d.Key
				if s.Level == "storefront" {
					what = code
				}
				row.Offs = append(row.Offs, off{what, s})
			}
		}
	}
	return row
}

// cellOf says in a word what a destination gets.
func cellOf(d Destination) cell {
	c := cell{Key: d.Key, Destination: &d, Switch: d.level("credential")}
	if d.Key == sgtm {
		c.Switch = d.level(sgtm)
	}
	switch {
	case d.Receives && d.Health.Ill():
		c.State, c.Text = d.Health.State, d.Health.State
	case d.Receives && d.Key == sgtm:
		c.State, c.Text = "on", "gets all"
	case d.Receives:
		c.State, c.Text = "on", "on"
	case d.Reason == "behind_container":
		c.State, c.Text = "none", "behind sGTM"
	case d.Reason == "storefront_disabled":
		c.State, c.Text = "off", "storefront off"
	case d.Reason == "platform_disabled":
		c.State, c.Text = "off", "platform off"
	case c.Switch != nil && !c.Switch.On:
		c.State, c.Text = "off", "off"
	default:
		c.State, c.Text = "off", words(d.Reason)
	}
	return c
}

// level is the switch of a level on a destination's way; nil where there is none.
func (d Destination) level(name string) *Switch {
	for _, s := range d.Switches {
		if s.Level == name {
			return &s
		}
	}
	return nil
}

// Of names a platform's switch.
func (r routes) Of(s *Switch) string {
	for _, c := range r.Columns {
		if c.Switch == s {
			return c.Key + " " + onOff(!s.On) + " for all storefronts…"
		}
	}
	return ""
}

// Lines is the audit of what has the switch.
func (s Switch) Lines() string {
	return address("audit", join("entity", kinds[s.Level], "entity_id", strconv.FormatInt(s.ID, 10)))
}

// Link is the page that confirms a switch's flip.
func (s Switch) Link() string {
	to := "on"
	if s.On {
		to = "off"
	}
	return base + "switches/" + kinds[s.Level] + "/" + strconv.FormatInt(s.ID, 10) + "?to=" + to
}
