package tiktok

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"relay/adapters/canonical"
	"relay/internal/relay"
)

type body struct {
	EventSource   string  `json:"event_source"`
	EventSourceID string  `json:"event_source_id"`
	TestEventCode string  `json:"test_event_code,omitempty"` // of the whole request
	Data          []event `json:"data"`
}

type event struct {
	Event          string     `json:"event"`
	EventTime      int64      `json:"event_time"` // seconds
	EventID        string     `json:"event_id"`   // a number is error 40002
	User           user       `json:"user"`
	Properties     properties `json:"properties,omitzero"`
	Page           page       `json:"page"`
	LimitedDataUse bool       `json:"limited_data_use,omitempty"`
}

// user holds hashes down to zip_code, plain values from city on.
type user struct {
	Email      string `json:"email,omitempty"`
	Phone      string `json:"phone,omitempty"`
	ExternalID string `json:"external_id,omitempty"`
	FirstName  string `json:"first_name,omitempty"`
	LastName   string `json:"last_name,omitempty"`
	ZipCode    string `json:"zip_code,omitempty"`
	City       string `json:"city,omitempty"`
	State      string `json:"state,omitempty"`
	Country    string `json:"country,omitempty"`
	ClickID    string `json:"ttclid,omitempty"`
	Cookie     string `json:"ttp,omitempty"`
	IP         string `json:"ip,omitempty"`
	UserAgent  string `json:"user_agent,omitempty"`
	Locale     string `json:"locale,omitempty"`
}

// properties: the keys from storefront_id on are our own, which TikTok takes.
type properties struct {
	Value        json.Number `json:"value,omitempty"`
	Currency     string      `json:"currency,omitempty"`
	ContentType  string      `json:"content_type,omitempty"`
	ContentIDs   []string    `json:"content_ids,omitempty"`
	Contents     []content   `json:"contents,omitempty"`
	OrderID      string      `json:"order_id,omitempty"`
	ShopID       string      `json:"shop_id,omitempty"`
	Query        string      `json:"query,omitempty"`
	Description  string      `json:"description,omitempty"`
	NumItems     json.Number `json:"num_items,omitempty"`
	Status       string      `json:"status,omitempty"`
	StorefrontID string      `json:"storefront_id,omitempty"`
	canonical.Campaign
}

type content struct {
	ContentID       string      `json:"content_id,omitempty"` // a number is error 40002
	ContentName     string      `json:"content_name,omitempty"`
	ContentCategory string      `json:"content_category,omitempty"`
	Brand           string      `json:"brand,omitempty"`
	Price           json.Number `json:"price,omitempty"`
	Quantity        json.Number `json:"quantity,omitempty"`
}

type page struct {
	URL      string `json:"url"`
	Referrer string `json:"referrer,omitempty"`
}

func newEvent(f *canonical.Fields, e relay.Event) (event, error) {
	props, err := newProperties(f)
	if err != nil {
		return event{}, err
	}
	ev := event{
		Event:          f.Name,
		EventTime:      canonical.Time(e).Unix(),
		EventID:        f.EventID(),
		User:           newUser(f),
		Properties:     props,
		Page:           page{f.SourceURL(), f.Referrer()},
		LimitedDataUse: f.Consent.Restricted || !f.Consent.Personalized(),
	}
	if ev.Page.URL == "" {
		return event{}, relay.Refuse(relay.ReasonMissingField, "page_location")
	}
	if u := ev.User; u.Email+u.Phone+u.ExternalID+u.ClickID+u.Cookie+u.IP == "" {
		return event{}, relay.Refuse(relay.ReasonMissingField, "email, phone, external_id, ttclid, ttp or client_ip")
	}
	return ev, nil
}

var locale = regexp.MustCompile(`^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$`)

func newUser(f *canonical.Fields) user {
	return user{
		Email:      f.Email(),
		Phone:      f.PhoneE164(),
		ExternalID: f.ExternalID(),
		FirstName:  f.FirstName(),
		LastName:   f.LastName(),
		ZipCode:    f.Zip(),
		City:       f.PlainCity(),
		State:      f.PlainState(),
		Country:    f.PlainCountry(),
		ClickID:    f.Identifier(nil, "ttclid"),
		Cookie:     f.Identifier(nil, canonical.Spellings("ttp")...),
		IP:         f.IP(),
		UserAgent:  f.UserAgent(),
		Locale: f.Identifier(func(s string) string {
			if !locale.MatchString(s) {
				return ""
			}
			return s
		}, "locale"),
	}
}

func newProperties(f *canonical.Fields) (properties, error) {
	value, currency, err := f.Money()
	if err != nil {
		return properties{}, err
	}
	if value == "" && slices.Contains(withRevenue, f.Name) {
		return properties{}, relay.Refuse(relay.ReasonMissingField, "order_revenue")
	}
	if currency != "" && !strings.Contains(currencies, currency) {
		return properties{}, relay.Refuse(relay.ReasonInvalidField, "currency")
	}
	p := properties{
		Value: value, Currency: currency, OrderID: f.OrderID(), NumItems: f.Integer("num_items"),
		ShopID: f.Listed("shop_id"), Query: f.Listed("search_string", "query"), Description: f.Listed("description"),
		Status: f.Listed("status"), StorefrontID: f.Storefront(), Campaign: f.Campaign(),
	}
	items := f.Items(canonical.ItemName, canonical.ItemBrand, canonical.ItemCategory)
	if p.ContentIDs = canonical.IDs(items); p.ContentIDs != nil {
		p.ContentType = "product"
	}
	for _, i := range items {
		p.Contents = append(p.Contents, content{i.ID, i.Name, i.Category, i.Brand, i.Price, i.Quantity})
	}
	return p, nil
}

// currencies are those that TikTok counts.
const currencies = "AED ARS AUD BDT BHD BIF BOB BRL CAD CHF CLP CNY COP CRC CZK DKK DZD EGP EUR GBP GTQ HKD HNL HUF IDR ILS INR ISK " +
	"JPY KES KHR KRW KWD KZT MAD MOP MXN MYR NGN NIO NOK NZD OMR PEN PHP PKR PLN PYG QAR RON RUB SAR SEK SGD THB TRY TWD UAH " +
	"USD VES VND ZAR"
