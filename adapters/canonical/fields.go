package canonical

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"relay/internal/relay"
)

// Fields reads the fields of one event that may leave, and records those that left and those that a rule withheld. It serves one
// request.
type Fields struct {
	Name     string        // the vendor's name of the event
	MaxAge   time.Duration // how old the event may be at this destination
	Warnings []string      // about this event, for an admin; without values
	Consent  Consent       // the shopper's and the admin's, the stricter of both

	container   bool
	health      bool // the data policy health binds this request
	measures    bool // the destination measures, and may do so without ads
	plainIDs    bool // the destination matches by identifiers that are not hashes
	destination relay.Destination
	event       relay.Event
	lists       lists
	source      *source
	hidden      string // the event type, where the vendor is not to read it
	left        map[string]bool
	inner       []string          // fields inside of items that do not leave
	withheld    map[string]string // field to the rule that kept it back
}

func newFields(d relay.Destination, e relay.Event, r Rules, name string, c Consent) *Fields {
	f := &Fields{
		Name: name, MaxAge: Window(d, r.MaxAge), Consent: c, container: r.Container, health: e.Storefront.Health() && !r.Container, measures: r.Consent != nil, plainIDs: r.Plain,
		destination: d, event: e, lists: newLists(d.Options), source: newSource(e.Payload), left: map[string]bool{}, withheld: map[string]string{},
	}
	if !strings.EqualFold(name, e.Type) {
		f.hidden = e.Type
	}
	f.markSent("event_name")
	if _, _, ok := e.Payload.EventTime(); ok {
		f.markSent("event_time")
	}
	return f
}

// Warn adds a warning.
func (f *Fields) Warn(text string) { f.Warnings = append(f.Warnings, text) }

// Dropped are the names of the payload fields that do not leave, sorted. Of an object of which a part leaves, they are the
// other parts.
func (f *Fields) Dropped() []string {
	names := append(f.unread("", f.source), f.inner...)
	slices.Sort(names)
	return slices.Compact(names)
}

func (f *Fields) unread(prefix string, s *source) []string {
	var names []string
	for name := range s.fields {
		path := prefix + name
		switch child := s.children[name]; {
		case f.left[path]:
		case child != nil && f.anyLeft(path+"."):
			names = append(names, f.unread(path+".", child)...)
		default:
			names = append(names, path)
		}
	}
	return names
}

func (f *Fields) anyLeft(prefix string) bool {
	for path := range f.left {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return false
}

func (f *Fields) markSent(path string) { f.left[path] = true }

// Withheld are the fields that a rule kept back, and the rule, sorted by field.
func (f *Fields) Withheld() []relay.Withheld {
	var list []relay.Withheld
	for _, field := range slices.Sorted(maps.Keys(f.withheld)) {
		list = append(list, relay.Withheld{Field: field, Why: f.withheld[field]})
	}
	return list
}

func (f *Fields) withhold(field, why string) { f.withheld[field] = why }

// Withhold records that a rule of the platform's own keeps a field back, where the payload has it and identifiers are switched on.
func (f *Fields) Withhold(field, why string) {
	if path, _ := f.source.first(Spellings(field)); path != "" && f.Identifies() {
		f.withhold(path, why)
	}
}

// query names a field of the payload, and the conditions under which it may leave.
type query struct {
	names  []string                       // spellings; the first is the field's own name
	clean  func(path, text string) string // "" for a malformed text; nil accepts everything
	listed string                         // where it is set, the field leaves only if allow names it, for this reason
	plain  bool                           // the vendor reads the text as it is
	id     bool                           // placeholders are not values
}

// read is the first field that may leave and of which clean leaves something; it then counts as left.
func (f *Fields) read(q query) string {
	for _, name := range q.names {
		path, raw := f.source.find(name)
		text := f.adFree(relay.Payload{"v": raw}.Text("v"))
		if path == "" || text == "" || !f.permits(path, name, q.names[0]) || q.id && relay.Placeholder(text) {
			continue
		}
		if q.listed != "" && !f.names(path, name) {
			f.withhold(path, q.listed)
			continue
		}
		if why := f.reads(text); q.plain && why != "" {
			f.withhold(path, why)
			continue
		}
		if q.clean != nil {
			text = q.clean(path, text)
		}
		if text != "" {
			f.markSent(path)
			return text
		}
	}
	return ""
}

// permits reports whether the admin's lists let a field leave: deny names it under no spelling, and allow, where it is not
// empty, names it. Here path is where the field is and name the spelling that led to it.
func (f *Fields) permits(path, name, field string) bool {
	if covers(f.lists.deny, path, name, field) || f.adsLimited() && (IsAdID(path) || IsAdID(field)) {
		return false
	}
	return f.container || len(f.lists.allow) == 0 || covers(f.lists.allow, path, name)
}

// adsLimited reports whether the event is measured without the ad platforms' ids of clicks and browsers. The
// platforms for ads get no such event at all, or have a field of their own for it.
func (f *Fields) adsLimited() bool { return f.measures && f.Consent.AdsLimited(f.destination.Options) }

// adFree is a text without the ids of clicks and browsers, where they have to stay here: a page's query may hold some.
func (f *Fields) adFree(text string) string {
	if f.adsLimited() {
		return WithoutAdIDs(text)
	}
	return text
}

// names reports whether allow names one of the paths itself, and deny none. An object around it is not enough: an admin that allows
// items has not allowed their names.
func (f *Fields) names(paths ...string) bool {
	named := slices.ContainsFunc(paths, func(path string) bool { return f.lists.allow[pathKey(path)] })
	return named && !covers(f.lists.deny, paths...)
}

// Named reports whether the admin's allow-list names a field, under any spelling, and deny does not.
func (f *Fields) Named(field string) bool { return f.names(Spellings(field)...) }

// denies reports whether the admin forbids a field by name.
func (f *Fields) denies(field string) bool { return covers(f.lists.deny, field) }

// Text is the first non-empty text, or number's digits, among payload fields that may leave. A text that holds an e-mail
// address, or the event's own name where the vendor gets another one, stays here.
func (f *Fields) Text(fields ...string) string {
	q := query{names: fields, plain: true}
	if f.health && !slices.Contains(harmless, fields[0]) {
		q.listed = whyHealth
	}
	return f.read(q)
}

// Listed is Text for fields that may reveal a treatment (names of goods, search terms): they leave only
// where the admin's list of allowed fields names them.
func (f *Fields) Listed(fields ...string) string {
	return f.read(query{names: fields, plain: true, listed: f.why()})
}

// Scalar is a payload field of any name as JSON: a number or a truth value as it was written, a text under the rules of Text;
// nil where there is none.
func (f *Fields) Scalar(name string, cut func(string) json.RawMessage) json.RawMessage {
	raw := bytes.TrimSpace(f.event.Payload[name])
	switch {
	case len(raw) == 0, strings.ContainsRune("{[n", rune(raw[0])), !f.permits(name, name, name):
		return nil
	case raw[0] == '"':
		return cut(f.Text(name))
	}
	f.markSent(name)
	return raw
}

// Integer is the first count among payload fields: a whole number from 0 to 999,999,999.
func (f *Fields) Integer(fields ...string) json.Number {
	return json.Number(f.read(query{names: fields, clean: func(_, s string) string { return string(count(s)) }}))
}

// Identifier is the first text of an identifier that is not hashed (click ids, browser cookies), unchanged. It leaves only
// where identifiers are switched on, and to a container. clean returns "" for malformed values; nil accepts everything.
func (f *Fields) Identifier(clean func(string) string, fields ...string) string {
	if !f.Identifies() {
		return ""
	}
	return f.read(query{names: fields, clean: pathless(clean), plain: true, id: true})
}

// identifies reports whether a person may leave.
func (f *Fields) identifies() bool { return f.destination.Options.Identifiers == Hashed }

// Identifies reports whether browser identifiers may leave.
func (f *Fields) Identifies() bool { return f.identifies() || f.container }

// pathless is a cleaner that does not ask where the text was.
func pathless(clean func(string) string) func(path, text string) string {
	if clean == nil {
		return nil
	}
	return func(_, text string) string { return clean(text) }
}

// reveals is why a vendor must not read a text; "" where it may.
func (f *Fields) reveals(text string) string {
	switch {
	case relay.Reveals(text, ""):
		return whyMail
	case f.hidden != "" && relay.Reveals(text, f.hidden):
		return whyName
	}
	return ""
}

// reads is reveals for a text that is no order, storefront or part of an item, whose ids may look like telephone numbers.
func (f *Fields) reads(text string) string {
	switch why := f.reveals(text); {
	case why != "":
		return why
	case relay.HoldsTelephone(text):
		return whyPhone
	case f.hasOrder(text):
		return whyOrderInText
	}
	return ""
}

// letters is a name's letters and digits in lower case: "Ad-Storage" and "adStorage" are "adstorage".
func letters(name string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, name)
}
