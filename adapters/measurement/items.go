package measurement

import (
	"encoding/json"

	"relay/adapters/canonical"
)

// item is one line of an order. Names, brands and categories are sent only if the admin lists them.
type item struct {
	ID       string      `json:"item_id,omitempty"`
	Name     string      `json:"item_name,omitempty"`
	Brand    string      `json:"item_brand,omitempty"`
	Category string      `json:"item_category,omitempty"`
	Price    json.Number `json:"price,omitempty"`
	Quantity json.Number `json:"quantity,omitempty"`
}

// items are the lines of the order, as many as GA4 takes; nil is none.
func items(f *canonical.Fields) json.RawMessage {
	lines := f.Items(canonical.ItemName, canonical.ItemBrand, canonical.ItemCategory)
	if len(lines) == 0 {
		return nil
	}
	if len(lines) > maxItems {
		f.Warn("GA4 accepts 200 order lines; the rest is left out")
		lines = lines[:maxItems]
	}
	list := make([]item, len(lines))
	for i, l := range lines {
		list[i] = item{
			ID: short(l.ID), Name: short(l.Name), Brand: short(l.Brand), Category: short(l.Category),
			Price: l.Price, Quantity: l.Quantity,
		}
	}
	b, err := json.Marshal(list)
	if err != nil { // an invalid number, which canonical never returns
		return nil
	}
	return b
}
