package meta

import (
	"encoding/json"
	"slices"

	"relay/adapters/canonical"
	"relay/internal/relay"
)

type body struct {
	Data          []event `json:"data"`
	TestEventCode string  `json:"test_event_code,omitempty"`
}

// event: https://developers.facebook.com/docs/marketing-api/conversions-api/parameters/server-event
type event struct {
	EventName      string     `json:"event_name"`
	EventTime      int64      `json:"event_time"` // seconds
	EventID        string     `json:"event_id"`
	ActionSource   string     `json:"action_source"`
	EventSourceURL string     `json:"event_source_url,omitempty"`
	ReferrerURL    string     `json:"referrer_url,omitempty"`
	OptOut         bool       `json:"opt_out,omitempty"`
	UserData       userData   `json:"user_data"`
	CustomData     customData `json:"custom_data,omitzero"`
	*canonical.DataProcessing
}

// userData holds hashes down to external_id, the rest as the browser sent it.
// https://developers.facebook.com/docs/marketing-api/conversions-api/parameters/customer-information-parameters
type userData struct {
	canonical.Person
	ClickID   string `json:"fbc,omitempty"`
	BrowserID string `json:"fbp,omitempty"`
}

// customData: https://developers.facebook.com/docs/marketing-api/conversions-api/parameters/custom-data; the keys from
// storefront_id on are our own, which Meta takes.
type customData struct {
	Value           json.Number `json:"value,omitempty"`
	Currency        string      `json:"currency,omitempty"`
	OrderID         string      `json:"order_id,omitempty"`
	ContentType     string      `json:"content_type,omitempty"`
	ContentIDs      []string    `json:"content_ids,omitempty"`
	Contents        []content   `json:"contents,omitempty"`
	ContentName     string      `json:"content_name,omitempty"`
	ContentCategory string      `json:"content_category,omitempty"`
	NumItems        json.Number `json:"num_items,omitempty"`
	PredictedLTV    json.Number `json:"predicted_ltv,omitempty"`
	NetRevenue      json.Number `json:"net_revenue,omitempty"`
	SearchString    string      `json:"search_string,omitempty"`
	Status          string      `json:"status,omitempty"`
	StorefrontID    string      `json:"storefront_id,omitempty"`
	canonical.Campaign
}

type content struct {
	ID        string      `json:"id,omitempty"`
	Quantity  json.Number `json:"quantity,omitempty"`
	ItemPrice json.Number `json:"item_price,omitempty"`
	Title     string      `json:"title,omitempty"`
	Brand     string      `json:"brand,omitempty"`
	Category  string      `json:"category,omitempty"`
	Delivery  string      `json:"delivery_category,omitempty"`
}

func newEvent(f *canonical.Fields, e relay.Event) (event, error) {
	custom, err := newCustomData(f)
	if err != nil {
		return event{}, err
	}
	ev := event{
		EventName:      f.Name,
		EventTime:      canonical.Time(e).Unix(),
		EventID:        f.EventID(),
		ActionSource:   "system_generated",
		EventSourceURL: f.SourceURL(),
		ReferrerURL:    f.Referrer(),
		OptOut:         !f.Consent.Personalized(),
		UserData:       newUserData(f, canonical.Time(e)),
		CustomData:     custom,
		DataProcessing: f.Consent.DataProcessing(),
	}
	if ev.UserData.ClientUserAgent != "" && ev.EventSourceURL != "" {
		ev.ActionSource = "website" // Meta wants both of them then
	}
	if !ev.UserData.matches() {
		return event{}, relay.Refuse(relay.ReasonMissingField, "email, phone, external_id, fbc, fbp or client_ip")
	}
	return ev, nil
}

func newCustomData(f *canonical.Fields) (customData, error) {
	value, currency, err := f.Money()
	if err != nil {
		return customData{}, err
	}
	if value == "" && f.Name == "Purchase" {
		return customData{}, relay.Refuse(relay.ReasonMissingField, "order_revenue")
	}
	c := customData{
		Value: value, Currency: currency, OrderID: f.OrderID(), NumItems: f.Integer("num_items"),
		PredictedLTV: f.Amount("predicted_ltv"), NetRevenue: f.Amount("net_revenue"),
		ContentName: f.Listed("content_name"), ContentCategory: f.Listed("content_category"),
		SearchString: f.Listed("search_string"), Status: f.Listed("status"),
		StorefrontID: f.Storefront(), Campaign: f.Campaign(),
	}
	items := f.Items(canonical.ItemName, canonical.ItemBrand, canonical.ItemCategory, canonical.ItemDelivery)
	if c.ContentIDs = canonical.IDs(items); c.ContentIDs != nil {
		c.ContentType = "product"
	}
	for _, i := range items {
		c.Contents = append(c.Contents, content{i.ID, i.Quantity, i.Price, i.Name, i.Brand, i.Category, i.Delivery})
	}
	return c, nil
}

// tooBroad are the sets of which each, and each part of each, names too many people: Meta refuses an event that says no
// more of its person (subcode 2804050).
// https://developers.facebook.com/docs/marketing-api/conversions-api/best-practices, "Baseline requirements for matching"
var tooBroad = [][]string{
	{"ct", "country", "st", "zp", "ge", "client_user_agent"},
	{"db", "client_user_agent"},
	{"fn", "ge"},
	{"ln", "ge"},
}

// matches reports whether Meta can find a person by it.
func (u userData) matches() bool {
	if u.Email != nil || u.Phone != nil || u.ExternalID != nil || u.ClientIPAddress+u.ClickID+u.BrowserID != "" {
		return true
	}
	var keys []string
	for _, k := range []struct {
		name string
		set  bool
	}{
		{"fn", u.FirstName != nil}, {"ln", u.LastName != nil}, {"ge", u.Gender != nil}, {"db", u.Birthday != nil},
		{"ct", u.City != nil}, {"st", u.State != nil}, {"zp", u.Zip != nil}, {"country", u.Country != nil},
		{"client_user_agent", u.ClientUserAgent != ""},
	} {
		if k.set {
			keys = append(keys, k.name)
		}
	}
	return !slices.ContainsFunc(tooBroad, func(set []string) bool {
		return !slices.ContainsFunc(keys, func(k string) bool { return !slices.Contains(set, k) })
	})
}
