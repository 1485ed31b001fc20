package console

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// storefrontPages are the storefronts. What follows a code and is no destination begins with _, as no code does.
func storefrontPages() []page {
	const place, one = "Storefronts", "storefronts/{code}"
	return []page{
		{path: "storefronts", place: place, title: "Storefronts", template: "storefronts", show: showStorefronts},
		{path: "storefronts/_new", place: place, title: "New storefront", template: "storefront-edit", show: newStorefront, act: createStorefront},
		{path: one, place: place, title: "Storefront", template: "storefront", show: showStorefront},
		{path: one + "/_edit", place: place, title: "Change a storefront", template: "storefront-edit", show: editStorefront, act: changeStorefront},
		{path: one + "/_delete", place: place, title: "Delete a storefront", template: "storefront-delete", show: showStorefront, act: deleteStorefront},
		{path: one + "/_new", place: place, title: "New destination", template: "destination-new", show: newDestination},
	}
}

// storefrontRow is a storefront, as REST lists it.
type storefrontRow struct {
	ID      int64  `json:"id"`
	Code    string `json:"storefront_id"`
	Name    string `json:"name"`
	On      bool   `json:"is_active"`
	Policy  string `json:"data_policy"`
	Consent bool   `json:"require_consent"`
	BaseURL string `json:"base_url"`
	By      string `json:"switched_by"`
}

// storefronts is one page of the list.
type storefronts struct {
	Search, Active string
	Chips          []chip
	Items          []storefrontRow
	Total          int
	Problem        *Problem
	First, More    string
}

func showStorefronts(v *visit) (any, error) {
	s := storefronts{Search: v.query.Get("q"), Active: v.query.Get("is_active")}
	for _, c := range []struct{ text, active string }{{"All", ""}, {"On", "true"}, {"Off", "false"}} {
		s.Chips = append(s.Chips, chip{c.text, address("storefronts", join("q", s.Search, "is_active", c.active)), s.Active == c.active})
	}
	var list struct {
		Items      []storefrontRow `json:"items"`
		Total      int             `json:"total"`
		NextCursor string          `json:"next_cursor"`
	}
	q := join("q", s.Search, "is_active", s.Active, "sort", "storefront_id", "limit", "50", "cursor", v.query.Get("cursor"))
	s.Problem = problemOf(v.get("/admin/v1/storefronts", q, &list))
	s.Items, s.Total = list.Items, list.Total
	if v.query.Get("cursor") != "" {
		s.First = address("storefronts", join("q", s.Search, "is_active", s.Active))
	}
	if list.NextCursor != "" {
		s.More = address("storefronts", join("q", s.Search, "is_active", s.Active, "cursor", list.NextCursor))
	}
	return s, nil
}

// storefront is one of them, with its destinations.
type storefront struct {
	record
	Code         string
	Inputs       []input
	Destinations part[[]Destination]
	Changed      []AuditLine
	Platforms    []platform
}

// On reports whether its switch is.
func (s storefront) On() bool { return s.fields["is_active"] == true }

// Switch is its kill switch.
func (s storefront) Switch() Switch { return Switch{ID: s.ID, Level: "storefront", On: s.On()} }

// Container reports whether it has a container.
func (s storefront) Container() bool {
	return slices.ContainsFunc(s.Destinations.Value, func(d Destination) bool { return d.Key == sgtm })
}

// storefrontFields are those of the form, in its order.
var storefrontFields = []input{
	{Name: "storefront_id", Label: "Code", Kind: "text", Required: true, Help: "By which events name it: lower-case letters, digits, _ and -. It never changes."},
	{Name: "id", Label: "Integer key", Kind: "number", Help: "OMS's own; empty is the next free one. It never changes."},
	{Name: "name", Label: "Name", Kind: "text", Help: "A text for display; the code if empty."},
	{Name: "base_url", Label: "Base URL", Kind: "text", Help: "An absolute https URL, for events that name no page."},
	{Name: "currency", Label: "Currency", Kind: "text", Help: "ISO 4217, for events that name none; USD if empty."},
	{Name: "phone_region", Label: "Phone region", Kind: "text", Help: "ISO 3166, for phone numbers without a country code; US if empty."},
	{Name: "data_policy", Label: "Data policy", Kind: "select", Choices: []string{"health", "standard"}, Help: "health limits what the direct platforms receive: pages as their origin, no referrer, items without what names them, no coupon, campaign, term, content or affiliate, no plain order id, no storefront code. A destination's allow lets one through by name. standard sends them. It does not bind the container."},
	{Name: "require_consent", Label: "Require consent", Kind: "check", Help: "An event without a consent signal counts as a refusal of everything, at every destination that enforces consent."},
	{Name: "use_payload_event_id", Label: "Vendors see the payload's event id", Kind: "check", Help: "Else a hash of it, which tells nothing."},
}

func isFixed(field string) bool { return field == "storefront_id" || field == "id" }

// storefrontInputs are the fields of the form; what never changes is asked for once.
func (v *visit) storefrontInputs(r record) []input {
	var list []input
	for _, i := range storefrontFields {
		if r.ID != 0 && isFixed(i.Name) {
			continue
		}
		stored := r.Get(i.Name)
		if i.Kind == "select" && stored == "" {
			stored = i.Choices[0]
		}
		list = append(list, v.input(i, stored, i.Name))
	}
	return list
}

func newStorefront(v *visit) (any, error) {
	return storefront{Inputs: v.storefrontInputs(record{})}, nil
}

// storefront reads the storefront that the address names.
func (v *visit) storefront() (storefront, error) {
	s := storefront{Code: v.part("code")}
	v.title = s.Code
	var err error
	if s.record, err = v.find("/admin/v1/storefronts", url.Values{"storefront_id": {s.Code}, "limit": {"1"}}); err == nil && s.ID == 0 {
		err = &Problem{Status: http.StatusNotFound, Detail: "There is no storefront with this code.", RequestID: v.id}
	}
	return s, err
}

func showStorefront(v *visit) (any, error) {
	var s storefront
	var err error
	var list destinationList
	var failed *Problem
	v.together(func() { s, err = v.storefront() }, func() {
		failed = problemOf(v.get("/admin/v1/destinations", url.Values{"storefront": {v.part("code")}, "limit": {"100"}}, &list))
	})
	s.Destinations = part[[]Destination]{list.Items, failed}
	s.Inputs, s.Changed = v.storefrontInputs(s.record), v.changedBy("storefronts", s.ID)
	return s, err
}

func editStorefront(v *visit) (any, error) {
	s, err := v.storefront()
	s.Inputs, s.Changed = v.storefrontInputs(s.record), v.changedBy("storefronts", s.ID)
	v.title = "Change " + s.Code
	return s, err
}

// storefrontBody is what a form asks for, as REST takes it.
func (v *visit) storefrontBody(create bool) map[string]any {
	body := map[string]any{}
	for _, i := range storefrontFields {
		value := strings.TrimSpace(v.form.Get(i.Name))
		switch {
		case !create && isFixed(i.Name):
		case i.Kind == "check":
			body[i.Name] = v.form.Has(i.Name)
		case i.Kind == "number" && value != "":
			body[i.Name] = numeral(value)
		case value != "" || !create && i.Name == "base_url":
			body[i.Name] = value
		}
	}
	return body
}

func createStorefront(v *visit) (next, error) {
	if err := v.post("/admin/v1/storefronts", nil, v.storefrontBody(true), nil); err != nil {
		return next{}, err
	}
	return v.done("storefronts/" + segment(strings.TrimSpace(v.form.Get("storefront_id")))), nil
}

// storefrontPath is REST's address of the storefront that a form is about.
func (v *visit) storefrontPath() (string, error) {
	id, err := strconv.ParseInt(v.form.Get("key"), 10, 64)
	if err != nil {
		return "", v.unknownForm()
	}
	return "/admin/v1/storefronts/" + strconv.FormatInt(id, 10), nil
}

func changeStorefront(v *visit) (next, error) {
	path, err := v.storefrontPath()
	if err == nil {
		err = v.change(http.MethodPatch, path, func(record) any { return v.storefrontBody(false) })
	}
	if err != nil {
		return next{}, err
	}
	return v.done("storefronts/" + segment(v.part("code"))), nil
}

// deleteStorefront wants the code typed.
func deleteStorefront(v *visit) (next, error) {
	if strings.TrimSpace(v.form.Get("typed")) != v.part("code") {
		return next{}, &Problem{Status: http.StatusUnprocessableEntity, Code: "confirm_mismatch", Field: "typed", RequestID: v.id,
			Detail: "Type the code of the storefront to delete it. Nothing was deleted."}
	}
	path, err := v.storefrontPath()
	if err == nil {
		err = v.change(http.MethodDelete, path, nil)
	}
	if err != nil {
		return next{}, err
	}
	return v.done("storefronts"), nil
}

// newDestination lists the platforms at which a storefront has no credential yet.
func newDestination(v *visit) (any, error) {
	s := storefront{Code: v.part("code")}
	v.title = "New destination of " + s.Code
	var have destinationList
	var all struct {
		Items []platform `json:"items"`
	}
	var failed, unknown error
	v.together(func() {
		failed = v.get("/admin/v1/destinations", url.Values{"storefront": {s.Code}, "limit": {"100"}}, &have)
	}, func() {
		unknown = v.get("/admin/v1/platforms", url.Values{"limit": {"200"}, "sort": {"tier"}}, &all)
	})
	s.Destinations.Value = have.Items
	s.Platforms = slices.DeleteFunc(all.Items, func(p platform) bool {
		return slices.ContainsFunc(have.Items, func(d Destination) bool { return d.Key == p.Code })
	})
	slices.SortStableFunc(s.Platforms, func(a, b platform) int { return boolRank(b.HasAdapter) - boolRank(a.HasAdapter) })
	if failed == nil {
		failed = unknown
	}
	return s, failed
}

func boolRank(b bool) int {
	if b {
		return 1
	}
	return 0
}
