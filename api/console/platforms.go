package console

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// platformPages are the catalogue.
func platformPages() []page {
	return []page{
		{path: "platforms", place: "Platforms", title: "Platforms", template: "platforms", show: showPlatforms},
		{path: "platforms/{code}", place: "Platforms", title: "Platform", template: "platform", show: showPlatform},
	}
}

// platforms is one page of the catalogue.
type platforms struct {
	Filter      url.Values
	Chips       []chip
	Items       []platform
	Total       int
	Problem     *Problem
	First, More string
}

type platformList struct {
	Items      []platform `json:"items"`
	Total      int        `json:"total"`
	NextCursor string     `json:"next_cursor"`
}

func showPlatforms(v *visit) (any, error) {
	shown := join("q", v.query.Get("q"), "category", v.query.Get("category"), "tier", v.query.Get("tier"), "has_adapter", v.query.Get("has_adapter"))
	p := platforms{Filter: shown}
	for _, c := range []struct{ text, adapter string }{{"All", ""}, {"With an adapter", "true"}} {
		q := maps.Clone(shown)
		q.Del("has_adapter")
		if c.adapter != "" {
			q.Set("has_adapter", c.adapter)
		}
		p.Chips = append(p.Chips, chip{c.text, address("platforms", q), shown.Get("has_adapter") == c.adapter})
	}
	rest := join("q", shown.Get("q"), "category", shown.Get("category"), "tier", shown.Get("tier"), "sort", "tier", "limit", "50", "cursor", v.query.Get("cursor"))
	adapters := shown.Get("has_adapter") == "true"
	if adapters { // REST has no such filter: the program's adapters are few, and the catalogue fits into one page
		rest.Set("limit", "200")
	}
	var list platformList
	p.Problem = problemOf(v.get("/admin/v1/platforms", rest, &list))
	p.Items, p.Total = list.Items, list.Total
	if adapters {
		p.Items = slices.DeleteFunc(p.Items, func(one platform) bool { return !one.HasAdapter })
		p.Total = len(p.Items)
	}
	if v.query.Get("cursor") != "" {
		p.First = address("platforms", shown)
	}
	if list.NextCursor != "" {
		p.More = address("platforms", with(shown, "cursor", list.NextCursor))
	}
	return p, nil
}

// platformPage is one platform, with the storefronts that use it.
type platformPage struct {
	platform
	Names []eventRule
	Users part[[]Destination]
	More  bool
}

// Switch is its kill switch, for all storefronts.
func (p platform) Switch() Switch { return Switch{ID: p.ID, Level: "platform", On: p.On} }

func showPlatform(v *visit) (any, error) {
	var p platformPage
	var err error
	var list destinationList
	v.title = v.part("code")
	v.together(func() { p.platform, err = v.platform(v.part("code")) }, func() {
		p.Users.Problem = problemOf(v.get("/admin/v1/destinations", url.Values{"destination": {v.part("code")}, "limit": {"100"}}, &list))
	})
	p.Users.Value, p.More = list.Items, list.NextCursor != ""
	slices.SortStableFunc(p.Users.Value, func(a, b Destination) int {
		return cmp.Or(cmp.Compare(b.Health.rank(), a.Health.rank()), strings.Compare(a.Storefront, b.Storefront))
	})
	if err == nil {
		p.Names = v.rules(p.platform, nil)
	}
	return p, err
}
