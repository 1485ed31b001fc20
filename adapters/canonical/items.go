package canonical

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"

	"relay/internal/relay"
)

// Item is one line of an order. Every part may be "".
type Item struct {
	ID       string
	Quantity json.Number // whole, from 1 up
	Price    json.Number // of one, as it was written
	Name     string      // only where the admin lists item_name; likewise the next two
	Brand    string
	Category string
	Delivery string // in_store, curbside or home_delivery
}

// Parts of an item. Name, brand and category stay here by default: a drug's name beside a person's hash must never
// leave by accident. Not every platform accepts them.
const (
	ItemID       = "item_id"
	ItemName     = "item_name"
	ItemBrand    = "item_brand"
	ItemCategory = "item_category"
	ItemDelivery = "delivery_category"
)

// IDs are the ids of items that have one.
func IDs(items []Item) []string {
	var ids []string
	for _, item := range items {
		if item.ID != "" {
			ids = append(ids, item.ID)
		}
	}
	return ids
}

// Items are the lines of the order. A line without an id is left out, unless its id is held back or the data policy health
// holds ids back: then quantity and price remain. Of the parts that not every platform takes, only those of takes are read:
// the others stay here, and count as dropped.
func (f *Fields) Items(takes ...string) []Item {
	for _, name := range spellings["items"] {
		path, raw := f.source.find(name)
		var lines []json.RawMessage
		if path == "" || !f.permitsList(path, name) || json.Unmarshal(raw, &lines) != nil {
			continue
		}
		if items := f.linesOf(path, name, lines, takes); len(items) > 0 {
			if len(items) < len(lines) {
				f.Warn("a line of the order has no id and is left out")
			}
			f.markSent(path)
			return items
		}
		f.inner = nil
	}
	return nil
}

// permitsList is permits for a list of which the admin may have allowed parts alone.
func (f *Fields) permitsList(path, name string) bool {
	if covers(f.lists.deny, path, name) {
		return false
	}
	return f.permits(path, name, path) || within(f.lists.allow, path, name, "items")
}

func (f *Fields) linesOf(path, name string, lines []json.RawMessage, takes []string) []Item {
	var items []Item
	for _, raw := range lines {
		p := relay.Payload{}
		if len(bytes.TrimSpace(raw)) == 0 || json.Unmarshal(raw, &p) != nil {
			continue
		}
		l := line{fields: f, path: path, name: name, source: newSource(p), left: map[string]bool{}}
		if item := l.item(takes); item.ID != "" || (f.health || l.idHeld) && item != (Item{}) {
			items = append(items, item)
		}
		for _, part := range slices.Sorted(maps.Keys(p)) {
			if !l.left[part] {
				f.inner = append(f.inner, path+"."+part)
			}
		}
	}
	return items
}

// line is one line of an order as it is read.
type line struct {
	fields     *Fields
	path, name string // of the list: where it is, and the spelling that led to it
	source     *source
	left       map[string]bool
	idHeld     bool // there is an id, which does not leave
}

func (l *line) item(takes []string) Item {
	item := Item{
		ID:       l.text(ItemID, l.fields.health),
		Quantity: json.Number(l.part("quantity", positive)),
		Price:    json.Number(l.part("price", amount)),
	}
	for _, part := range []struct {
		name string
		to   *string
	}{{ItemName, &item.Name}, {ItemBrand, &item.Brand}, {ItemCategory, &item.Category}} {
		if slices.Contains(takes, part.name) {
			*part.to = l.text(part.name, true)
		}
	}
	if slices.Contains(takes, ItemDelivery) {
		item.Delivery = l.part(ItemDelivery, delivery)
	}
	return item
}

// text is a part that the vendor reads as it is; with listed it leaves only where allow names it.
func (l *line) text(part string, listed bool) string {
	f := l.fields
	return l.read(part, func(path, s string, paths []string) string {
		why := f.reveals(s)
		if listed && !f.names(paths...) {
			why = f.why()
		}
		if why != "" || !l.permits(paths) {
			l.idHeld = l.idHeld || part == ItemID
		}
		if why != "" {
			f.withhold(path, why)
			return ""
		}
		return s
	})
}

func (l *line) part(part string, clean func(string) string) string {
	return l.read(part, func(_, s string, _ []string) string { return clean(s) })
}

// read is the first spelling of a part that may leave and of which clean leaves something. paths are the names under which
// the admin's lists may have it: as it is written, and by the relay's own names of list and part.
func (l *line) read(part string, clean func(path, s string, paths []string) string) string {
	for _, spelling := range Spellings(part) {
		key, raw := l.source.find(spelling)
		s := relay.Payload{"v": raw}.Text("v")
		if key == "" || s == "" || part == ItemID && placeholder(s) {
			continue
		}
		path := l.path + "." + key
		paths := []string{path, l.path + "." + part, "items." + key, "items." + part, part}
		if l.name != l.path {
			paths = append(paths, l.name+"."+key, l.name+"."+part)
		}
		if !l.permits(paths) {
			l.idHeld = l.idHeld || part == ItemID
			continue
		}
		if s = clean(path, s, paths); s != "" {
			l.left[key] = true
			return s
		}
	}
	return ""
}

// permits reports whether the admin's lists let a part of the line leave. A list that is allowed by name has all its parts
// allowed.
func (l *line) permits(paths []string) bool {
	f := l.fields
	if covers(f.lists.deny, paths...) {
		return false
	}
	return f.container || len(f.lists.allow) == 0 || covers(f.lists.allow, paths...) || covers(f.lists.allow, l.path, l.name)
}

// delivery returns the way of delivery in the values that Meta and Snapchat define.
func delivery(s string) string {
	if s == "in_store" || s == "curbside" || s == "home_delivery" {
		return s
	}
	return ""
}

func positive(s string) string {
	if s == "0" {
		return ""
	}
	return string(count(s))
}

func amount(s string) string {
	if v := (relay.Payload{"v": json.RawMessage(s)}).Number("v"); isAmount(v) {
		return string(v)
	}
	return ""
}
