package cli

import (
	"cmp"
	"slices"
	"strings"
)

// printSwitched prints where events go now or, of a dry run, would go.
func (r *remote) printSwitched(v any) error {
	lines := []string{}
	if at(v, "dry_run") == true {
		lines = append(lines, "nothing was changed; the switch would concern "+text(at(v, "effect.storefronts"))+" storefronts, and stop the next attempt of "+
			text(at(v, "effect.in_flight"))+" events in delivery")
	} else if at(v, "changed") == false {
		lines = append(lines, "it was switched so before")
	}
	for _, route := range listAt(v, "routes") {
		lines = append(lines, text(at(route, "text")))
	}
	if at(v, "routes_omitted") == true {
		lines = append(lines, "and of further storefronts")
	}
	return r.printf("%s\n", strings.Join(lines, "\n"))
}

// printStats prints a line for each storefront, and one for each of its destinations.
func (r *remote) printStats(v any) error {
	storefronts := listAt(v, "storefronts")
	if unknown := at(v, "unknown_storefront"); unknown != nil && text(at(unknown, "received")) != "0" {
		storefronts = append(slices.Clone(storefronts), unknown)
	}
	if err := r.printf("received from %s to %s UTC\n", text(at(v, "from")), text(at(v, "to"))); err != nil {
		return err
	}
	if err := r.printItems(columns("STOREFRONT=storefront RECEIVED=received DELIVERED=delivered OPEN=open FAILED=failed SKIPPED=skipped"), storefronts); err != nil {
		return err
	}
	var deliveries []any
	for _, s := range storefronts {
		destinations, _ := at(s, "destinations").(object)
		slices.SortFunc(destinations, func(a, b member) int { return cmp.Compare(a.name, b.name) })
		for _, d := range destinations {
			one, _ := d.value.(object)
			deliveries = append(deliveries, append(object{{"storefront", at(s, "storefront")}, {"destination", d.name}}, one...))
		}
	}
	if len(deliveries) == 0 {
		return nil
	}
	if err := r.printf("\n"); err != nil {
		return err
	}
	return r.printItems(columns("STOREFRONT=storefront DESTINATION=destination HEALTH=health DELIVERED=delivered FAILED=failed SKIPPED=skipped"), deliveries)
}

// printSeries prints a line for each interval, and a column for each series.
func (r *remote) printSeries(v any) error {
	series := listAt(v, "series")
	heading := []string{strings.ToUpper(text(at(v, "step"))) + " (UTC)"}
	for _, s := range series {
		heading = append(heading, cmp.Or(text(at(s, "key")), "(none)"))
	}
	var rows [][]string
	for i, t := range listAt(v, "times") {
		line := []string{text(t)}
		for _, s := range series {
			line = append(line, text(listAt(s, "values")[i]))
		}
		rows = append(rows, line)
	}
	total := []string{"in all"}
	for _, s := range series {
		total = append(total, text(at(s, "total")))
	}
	return r.table(heading, append(rows, total))
}

// printMe prints whom the commands work as, and where.
func (r *remote) printMe(v any) error {
	profile := cmp.Or(r.session.profile, "(from the environment)")
	rows := [][]string{{"profile", profile}, {"login", text(at(v, "name"))}, {"may only read", text(at(v, "read_only"))}, {"is OMS's, too", text(at(v, "is_oms"))}}
	return r.table([]string{"relay", r.session.url}, rows)
}
