package canonical

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"

	"relay"
)

// OrderID is the order, unless the admin denies it or it repeats what the vendor must not read.
func (f *Fields) OrderID() string {
	if f.destination.Options.Denies("order_id") {
		return ""
	}
	id := f.fit(f.event.OrderID())
	if id != "" && id == f.event.Payload.Text("order_id") {
		f.leave("order_id")
	}
	return id
}

// Storefront is the storefront's code, unless the admin denies it.
func (f *Fields) Storefront() string {
	if f.destination.Options.Denies("storefront_id") {
		return ""
	}
	if f.event.Storefront.Code == f.event.Payload.Text("storefront_id") {
		f.leave("storefront_id")
	}
	return f.event.Storefront.Code
}

// Campaign is where the shopper came from, for platforms that take keys of our own. Term and content may hold what a
// patient searched for: they leave only where the admin lists them.
type Campaign struct {
	UTMSource   string `json:"utm_source,omitempty"`
	UTMMedium   string `json:"utm_medium,omitempty"`
	UTMCampaign string `json:"utm_campaign,omitempty"`
	UTMTerm     string `json:"utm_term,omitempty"`
	UTMContent  string `json:"utm_content,omitempty"`
	AffiliateID string `json:"affiliate_id,omitempty"` // the t-value
}

// Campaign reads utm_* and the t-value.
func (f *Fields) Campaign() Campaign {
	return Campaign{
		UTMSource:   f.Text("utm_source"),
		UTMMedium:   f.Text("utm_medium"),
		UTMCampaign: f.Text("utm_campaign"),
		UTMTerm:     f.Listed("utm_term"),
		UTMContent:  f.Listed("utm_content"),
		AffiliateID: f.Text("t-value"),
	}
}

// Item is one line of an order. Every part but ID may be "".
type Item struct {
	ID       string
	Quantity json.Number // whole, from 1 up
	Price    json.Number // of one, as it was written
	Name     string      // only where the admin lists item_name; likewise the next two
	Brand    string
	Category string
	Delivery string // in_store, curbside or home_delivery
}

// The aliases of an item's fields. Those under a field that must be listed stay here by default: a drug's name beside a
// person's hash is what must never leave by accident.
var (
	itemLists    = []string{"items", "contents", "line_items"}
	itemID       = []string{"item_id", "id", "product_id", "content_id", "sku"}
	itemQuantity = []string{"quantity", "qty"}
	itemPrice    = []string{"item_price", "price", "unit_price"}
	itemName     = []string{ItemName, "name", "title"}
	itemBrand    = []string{ItemBrand, "brand"}
	itemCategory = []string{ItemCategory, "category"}
)

// Parts of an item that not every platform takes.
const (
	ItemName     = "item_name"
	ItemBrand    = "item_brand"
	ItemCategory = "item_category"
	ItemDelivery = "delivery_category"
)

// Items are the lines of the order, those without an id left out. Of the parts that not every platform takes, only those of
// takes are read: the others stay here, and count as dropped.
func (f *Fields) Items(takes ...string) []Item {
	for _, list := range itemLists {
		var raw []json.RawMessage
		if !f.allows(list) || json.Unmarshal(f.event.Payload[list], &raw) != nil {
			continue
		}
		var items []Item
		for _, r := range raw {
			if item := f.item(list, r, takes); item.ID != "" {
				items = append(items, item)
			}
		}
		if len(items) > 0 {
			if len(items) < len(raw) {
				f.Warn("a line of the order has no id and is left out")
			}
			f.leave(list)
			return items
		}
		f.inner = nil
	}
	return nil
}

func (f *Fields) item(list string, raw json.RawMessage, takes []string) Item {
	p := relay.Payload{}
	if len(bytes.TrimSpace(raw)) == 0 || json.Unmarshal(raw, &p) != nil {
		return Item{}
	}
	left := map[string]bool{}
	read := func(clean func(string) string, names []string) string {
		for _, name := range names {
			if s := p.Text(name); s != "" {
				if s = clean(s); s != "" {
					left[name] = true
					return s
				}
			}
		}
		return ""
	}
	listed := func(names []string) string {
		if !f.lists(names[0]) || !slices.Contains(takes, names[0]) {
			return ""
		}
		return read(f.fit, names)
	}
	item := Item{
		ID:       read(f.fit, itemID),
		Quantity: json.Number(read(positive, itemQuantity)),
		Price:    json.Number(read(amount, itemPrice)),
		Name:     listed(itemName),
		Brand:    listed(itemBrand),
		Category: listed(itemCategory),
	}
	if slices.Contains(takes, ItemDelivery) {
		item.Delivery = read(delivery, []string{ItemDelivery})
	}
	for _, name := range slices.Sorted(maps.Keys(p)) {
		if !left[name] {
			f.inner = append(f.inner, list+"."+name)
		}
	}
	return item
}

// delivery is how the goods come, in the words that Meta and Snapchat know.
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
