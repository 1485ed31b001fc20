package canonical

import (
	"encoding/json"

	"relay/internal/relay"
)

// Properties are an event's properties for platforms that accept keys of our own. The person is not among them.
type Properties struct {
	EventID      string      `json:"event_id"` // the same at every platform
	OrderID      string      `json:"order_id,omitempty"`
	StorefrontID string      `json:"storefront_id,omitempty"`
	Value        json.Number `json:"value,omitempty"`
	Currency     string      `json:"currency,omitempty"`
	Items        []Line      `json:"items,omitempty"`
	Campaign
}

// Line is an Item under keys of our own.
type Line struct {
	ID       string      `json:"item_id,omitempty"`
	Quantity json.Number `json:"quantity,omitempty"`
	Price    json.Number `json:"price,omitempty"`
	Name     string      `json:"item_name,omitempty"`
	Brand    string      `json:"item_brand,omitempty"`
	Category string      `json:"item_category,omitempty"`
	Delivery string      `json:"delivery_category,omitempty"`
}

// Properties reads the properties. The error is a *relay.Refusal: money that is none.
func (f *Fields) Properties() (Properties, error) {
	value, currency, err := f.Money()
	if err != nil {
		return Properties{}, err
	}
	return Properties{
		EventID: f.EventID(), OrderID: f.OrderID(), StorefrontID: f.Storefront(), Value: value, Currency: currency,
		Items: f.Lines(ItemName, ItemBrand, ItemCategory), Campaign: f.Campaign(),
	}, nil
}

// Lines are Items under keys of our own.
func (f *Fields) Lines(takes ...string) []Line {
	var lines []Line
	for _, i := range f.Items(takes...) {
		lines = append(lines, Line(i))
	}
	return lines
}

// TakesBack reports whether an event type returns or cancels what an earlier event earned: its value is no revenue.
func TakesBack(e relay.Event) bool { return takesBack[e.Type] }

var takesBack = map[string]bool{
	"refund": true, "order_refunded": true, "refund_issued": true, "order_cancelled": true, "subscription_cancelled": true, "cancellation": true,
}
