package console

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// auditPages are the audit.
func auditPages() []page {
	return []page{{path: "audit", place: "Audit", title: "Audit", template: "audit", show: showAudit}}
}

// auditFilters are the parameters of the list, as REST has them.
var auditFilters = []struct{ Name, Label string }{{"actor", "login"}, {"action", "action"}, {"entity", "kind"}, {"entity_id", "id"}, {"from", "from"}, {"to", "until"}}

// auditKinds are the kinds of things that the audit knows, as REST names them.
var auditKinds = []string{"storefronts", "sgtm-configs", "credentials", "platforms", "destinations", "events", "replays", "erasures", "encryption-keys"}

// audit is one page of what was done.
type audit struct {
	Filter      url.Values
	Chips       []chip
	Kinds       []string
	Lines       []AuditLine
	Problem     *Problem
	First, More string
	JSON        string // the same from REST
	CLI         string
}

func showAudit(v *visit) (any, error) {
	shown, rest := url.Values{}, url.Values{}
	for _, f := range auditFilters {
		value := strings.TrimSpace(v.query.Get(f.Name))
		if value == "" {
			continue
		}
		shown.Set(f.Name, value)
		if t, err := time.Parse("2006-01-02T15:04", value); err == nil { // as a field for a time sends it, here in UTC
			value = t.Format(time.RFC3339)
		}
		rest.Set(f.Name, value)
	}
	a := audit{Filter: shown, Kinds: auditKinds, Chips: auditChips(shown), JSON: base + "../admin/v1/audit?" + with(rest, "limit", "200").Encode()}
	var list struct {
		Items      []AuditLine `json:"items"`
		NextCursor string      `json:"next_cursor"`
	}
	page := with(rest, "limit", "50")
	if c := v.query.Get("cursor"); c != "" {
		page.Set("cursor", c)
		a.First = address("audit", shown)
	}
	a.Problem = problemOf(v.get("/admin/v1/audit", page, &list))
	a.Lines = list.Items
	if list.NextCursor != "" {
		a.More = address("audit", with(shown, "cursor", list.NextCursor))
	}
	return a, nil
}

// with is a query with one more parameter.
func with(q url.Values, name, value string) url.Values {
	out := url.Values{name: {value}}
	for n, values := range q {
		out[n] = values
	}
	return out
}

func auditChips(shown url.Values) []chip {
	var list []chip
	for _, f := range auditFilters {
		if value := shown.Get(f.Name); value != "" {
			without := url.Values{}
			for n, values := range shown {
				if n != f.Name {
					without[n] = values
				}
			}
			list = append(list, chip{Text: f.Label + ": " + value, Link: address("audit", without)})
		}
	}
	return list
}

// done are the texts of the actions.
var done = map[string]string{"create": "created", "replace": "replaced", "patch": "changed", "delete": "deleted", "activate": "switched on", "deactivate": "switched off",
	"retry": "retried", "reveal": "revealed", "cancel": "cancelled", "probe": "probed", "test": "sent a test event to", "replay": "began", "resend": "began", "erase": "began",
	"pause": "paused", "resume": "resumed", "rotate": "rotated"}

// Did is the text of the action.
func (l AuditLine) Did() string {
	if text := done[l.Action]; text != "" {
		return text
	}
	return words(l.Action)
}

// Page is the page of the thing that a line is about; nothing where it has none.
func (l AuditLine) Page() string {
	id := strconv.FormatInt(l.EntityID, 10)
	storefront, destination, nested := strings.Cut(l.Name, "/")
	switch {
	case l.Action == "delete":
	case l.Entity == "storefronts" && !nested && l.Name != "":
		return base + "storefronts/" + segment(l.Name)
	case l.Entity == "sgtm-configs" && storefront != "":
		return Destination{Storefront: storefront, Key: sgtm}.Address()
	case (l.Entity == "credentials" || l.Entity == "destinations") && nested:
		return Destination{Storefront: storefront, Key: destination}.Address()
	case l.Entity == "platforms" && l.Name != "":
		return base + "platforms/" + segment(l.Name)
	case (l.Entity == "events" || l.Entity == "replays" || l.Entity == "erasures") && l.EntityID != 0:
		return base + l.Entity + "/" + id
	}
	return ""
}

// It is a line's thing in words, on a page that says which one.
func (l AuditLine) It() string {
	if l.Action == "test" { // it is kept with the settings by which it was sent
		return "the destination"
	}
	return "the " + l.kind()
}

func (l AuditLine) kind() string {
	if l.Entity == "sgtm-configs" {
		return "container"
	}
	return strings.TrimSuffix(strings.ReplaceAll(l.Entity, "-", " "), "s")
}

// Kind is the kind of a line's thing in words; nothing where its name says it, as that of replay 3.
func (l AuditLine) Kind() string {
	if first, _, _ := strings.Cut(l.Name, " "); first == l.kind() || first == l.Action {
		return ""
	}
	return l.kind()
}

// Called is what a line calls its thing.
func (l AuditLine) Called() string {
	if l.Name == "" && l.EntityID != 0 {
		return "#" + strconv.FormatInt(l.EntityID, 10)
	}
	return l.Name
}

// Shown are the changes without what the line says by itself: the note, and the state of a switch that was flipped.
func (l AuditLine) Shown() []auditChange {
	flips := l.Action == "activate" || l.Action == "deactivate"
	return slices.DeleteFunc(slices.Clone(l.Changes), func(c auditChange) bool {
		return c.Field == "note" && l.Note != "" || c.Field == "is_active" && flips
	})
}
