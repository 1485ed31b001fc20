package console

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
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

// Link is the page that confirms a switch's flip.
func (s Switch) Link() string {
	to := "on"
	if s.On {
		to = "off"
	}
	return Prefix + "switches/" + kinds[s.Level] + "/" + strconv.FormatInt(s.ID, 10) + "?to=" + to
}

// switching is what a flip would do.
type switching struct {
	Kind, Name, What string
	On, To           bool
	Wide             bool // it concerns more than one destination of one storefront: its name is to be typed
	Ways             []flipWay
	Back             string
}

// flipWay is one way to flip: of a container there are two ways off.
type flipWay struct {
	Fallback string
	Effect   part[flipped]
}

// flipped is REST's answer to a flip, or to its dry run.
type flipped struct {
	On      bool       `json:"is_active"`
	Changed bool       `json:"changed"`
	By      string     `json:"switched_by"`
	At      *time.Time `json:"switched_at"`
	Routes  []routeNow `json:"routes"`
	Omitted bool       `json:"routes_omitted"`
	Effect  struct {
		Storefronts  int        `json:"storefronts"`
		InFlight     int        `json:"in_flight"`
		InFlightMore bool       `json:"in_flight_more"`
		Before       []routeNow `json:"before"`
	} `json:"effect"`
}

type routeNow struct {
	Storefront string `json:"storefront_code"`
	Text       string `json:"text"`
}

func (v *visit) switchPath() string {
	return "/admin/v1/" + segment(v.part("kind")) + "/" + segment(v.part("id"))
}

// switchOf reads what is to be switched. Its name comes from REST, never from the address.
func (v *visit) switchOf() (switching, error) {
	s := switching{Kind: v.part("kind"), To: v.query.Get("to") == "on"}
	if len(v.form) > 0 {
		s.To = v.form.Get("to") == "on"
	}
	if !slices.Contains([]string{"storefronts", "sgtm-configs", "platforms", "credentials"}, s.Kind) {
		return s, &Problem{Status: http.StatusNotFound, Detail: "There is no such switch."}
	}
	var raw map[string]any
	if err := v.get(v.switchPath(), nil, &raw); err != nil {
		return s, err
	}
	text := func(name string) string { t, _ := raw[name].(string); return t }
	s.On, _ = raw["is_active"].(bool)
	switch s.Kind {
	case "storefronts":
		s.Name, s.What, s.Wide = text("storefront_id"), "storefront "+text("storefront_id"), true
	case "platforms":
		s.Name, s.What, s.Wide = text("code"), "platform "+text("code")+" for all storefronts", true
	case "sgtm-configs":
		s.Name, s.What = text("storefront_code"), "container of "+text("storefront_code")
	case "credentials":
		s.Name, s.What = text("storefront_code"), text("platform_code")+" of "+text("storefront_code")
	}
	s.Wide = s.Wide && (!s.To || s.Kind == "platforms")
	s.Back = "routes"
	if s.Kind != "platforms" {
		s.Back = "routes?" + url.Values{"storefront": {s.Name}}.Encode()
	}
	return s, nil
}

func verb(on bool) string {
	if on {
		return "/activate"
	}
	return "/deactivate"
}

func showSwitch(v *visit) (any, error) {
	s, err := v.switchOf()
	if err != nil {
		return nil, err
	}
	v.title = "Switch " + onOff(s.To) + " " + s.What
	s.Ways = []flipWay{{}}
	if s.Kind == "sgtm-configs" && !s.To {
		s.Ways = []flipWay{{Fallback: "direct"}, {Fallback: "stop"}}
	}
	var calls []func()
	for i := range s.Ways {
		calls = append(calls, func() {
			w := &s.Ways[i]
			w.Effect.Problem = problemOf(v.post(v.switchPath()+verb(s.To), join("dry_run", "true", "fallback", w.Fallback), nil, &w.Effect.Value))
		})
	}
	v.together(calls...)
	return s, nil
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

func flip(v *visit) (next, error) {
	s, err := v.switchOf()
	if err != nil {
		return next{}, err
	}
	if typed := strings.TrimSpace(v.form.Get("typed")); s.Wide && typed != s.Name {
		return next{}, &Problem{Status: http.StatusUnprocessableEntity, Code: "confirm_mismatch", Field: "typed", Detail: "Type " + s.Name + " to confirm: nothing was switched.", RequestID: v.id}
	}
	if err := v.post(v.switchPath()+verb(s.To), join("fallback", v.form.Get("fallback")), nil, nil); err != nil {
		return next{}, err
	}
	return v.done(s.Back), nil
}
