package console

import (
	"maps"
	"slices"
	"strings"
)

// option is one of the options of a destination, as its form shows it.
type option struct {
	name, label, kind, help string
	choices                 []string
	only                    string // for containers (sgtm) or for platforms (platform) alone
}

// isFor reports whether a destination has the option.
func (o option) isFor(key string) bool {
	return o.only == "" || (o.only == sgtm) == (key == sgtm)
}

// options are those of REST, in the order of the form. Names with a dot are in an object of their own.
var options = []option{
	{name: "identifiers", label: "Identifiers", kind: "select", choices: []string{"", "none", "hashed"}, help: "Whether e-mail, phone and the like leave, hashed. By default none do."},
	{name: "plain_identifiers", label: "Identifiers as they are", kind: "select", choices: []string{"", "baa_signed"}, only: "platform", help: "Only where the vendor has signed a business associate agreement: e-mail, phone and the shop's own id leave as they are, to platforms that cannot match hashes."},
	{name: "send_ip", label: "Send the IP address", kind: "check"},
	{name: "send_user_agent", label: "Send the user agent", kind: "check"},
	{name: "keep_url_query", label: "Keep the query of page URLs", kind: "check"},
	{name: "consent", label: "Consent", kind: "select", choices: []string{"", "enforce", "forward"}, only: "sgtm", help: "Of shoppers who refused: enforce ends the event as skipped, or sends it without what was refused; forward sends it with the decision in it, for tags to obey. Without it, ga4 enforces and custom forwards."},
	{name: "custom_aliases", label: "Add GA4-style names", kind: "check", only: "sgtm", help: "Of the client type custom."},
	{name: "allow", label: "Allow", kind: "lines", help: "Payload fields, one a line, or parts of items such as items.sku. If there are any, only these leave; what the data policy withholds leaves only where it is named here."},
	{name: "deny", label: "Deny", kind: "lines", help: "Payload fields that never leave, one a line."},
	{name: "external_id_from_session", label: "The session's id stands for the person's", kind: "check", help: "Where the payload has none."},
	{name: "limited_data_use", label: "Limited data use", kind: "check", help: "The vendor's privacy flag of this name."},
	{name: "limited_country", label: "Limited data use: country", kind: "number", help: "1 is the US."},
	{name: "limited_state", label: "Limited data use: state", kind: "number", help: "1000 is California."},
	{name: "opt_out", label: "Opt out", kind: "check", help: "The vendor's privacy flag of this name."},
	{name: "limits.in_flight", label: "Requests at a time", kind: "number", help: "By all workers together; empty is no limit of its own."},
	{name: "limits.per_second", label: "Requests a second", kind: "number", help: "By all workers together; empty is no limit of its own."},
	{name: "max_age_hours", label: "Oldest event, in hours", kind: "number", help: "Empty is the destination's own limit."},
	{name: "api_version", label: "API version", kind: "text", help: "Over the relay's own choice."},
	{name: "eu", label: "Send to the European Union", kind: "check", help: "Where the vendor has an address there (GA4)."},
	{name: "test", label: "Only validate", kind: "check", help: "Sends to the vendor's validating endpoint, where nothing is recorded (GA4, Snapchat, Pinterest, Google Ads)."},
}

// optionInputs are the fields of the form for the options of a destination.
func (v *visit) optionInputs(key string, stored map[string]any) []input {
	var list []input
	for _, o := range options {
		if !o.isFor(key) {
			continue
		}
		outer, name, nested := strings.Cut(o.name, ".")
		value := stored[outer]
		if m, ok := value.(map[string]any); nested && ok {
			value = m[name]
		} else if nested {
			value = nil
		}
		list = append(list, v.input(input{Name: "o." + o.name, Label: o.label, Kind: o.kind, Help: o.help, Choices: o.choices}, text(value), "options."+o.name))
	}
	return list
}

// optionsOf are the options that a form asks for, over those that are stored: what the form does not know stays.
func (v *visit) optionsOf(key string, stored map[string]any) map[string]any {
	out := maps.Clone(stored)
	if out == nil {
		out = map[string]any{}
	}
	limits := map[string]any{}
	for _, o := range options {
		if !o.isFor(key) {
			continue
		}
		value := v.optionValue(o)
		if name, nested := strings.CutPrefix(o.name, "limits."); nested {
			set(limits, name, value)
			continue
		}
		set(out, o.name, value)
	}
	set(out, "limits", limits)
	set(out, "events", v.rulesOf())
	return out
}

// optionValue is one of the options as JSON; nil where it is not set.
func (v *visit) optionValue(o option) any {
	sent := strings.TrimSpace(v.form.Get("o." + o.name))
	switch {
	case o.kind == "check" && v.form.Has("o."+o.name):
		return true
	case o.kind == "check" || sent == "":
		return nil
	case o.kind == "lines":
		return lines(sent)
	case o.kind == "number":
		return numeral(sent)
	}
	return sent
}

// set sets what has a value, and removes what has none.
func set(m map[string]any, name string, value any) {
	if inner, ok := value.(map[string]any); value == nil || ok && len(inner) == 0 {
		delete(m, name)
		return
	}
	m[name] = value
}

// eventRule is what becomes of one type of event at a destination.
type eventRule struct {
	Type, Name, Default, Proposed string
	Skip                          bool
	Problem                       string
}

// rules are the types of events that a destination has names for, with what the options say of each.
func (v *visit) rules(p platform, stored map[string]any) []eventRule {
	events, _ := stored["events"].(map[string]any)
	types := slices.Concat(slices.Collect(maps.Keys(p.EventNames)), slices.Collect(maps.Keys(p.Proposed)), slices.Collect(maps.Keys(events)), v.form["type"])
	slices.Sort(types)
	var list []eventRule
	for _, kind := range slices.Compact(types) {
		if kind == "" {
			continue
		}
		r := eventRule{Type: kind, Default: p.EventNames[kind], Proposed: p.Proposed[kind], Problem: v.problem.Of("options.events." + kind)}
		if rule, ok := events[kind].(map[string]any); ok {
			r.Name, r.Skip = text(rule["name"]), rule["skip"] == true
		}
		if len(v.form) > 0 {
			r.Name, r.Skip = v.form.Get("name."+kind), v.form.Has("skip."+kind)
		}
		list = append(list, r)
	}
	return list
}

// rulesOf are the rules that a form asks for.
func (v *visit) rulesOf() map[string]any {
	rules := map[string]any{}
	add := func(kind, name string, skip bool) {
		rule := map[string]any{}
		if name = strings.TrimSpace(name); name != "" {
			rule["name"] = name
		}
		if skip {
			rule["skip"] = true
		}
		if kind != "" && len(rule) > 0 {
			rules[kind] = rule
		}
	}
	for _, kind := range v.form["type"] {
		add(kind, v.form.Get("name."+kind), v.form.Has("skip."+kind))
	}
	if kind := strings.TrimSpace(v.form.Get("new_type")); kind != "" {
		add(kind, v.form.Get("new_name"), v.form.Has("new_skip"))
	}
	return rules
}
