package snapchat

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

// event: https://developers.snap.com/api/marketing-api/Conversions-API/Parameters
type event struct {
	EventName      string     `json:"event_name"`
	EventTime      int64      `json:"event_time"` // seconds
	ActionSource   string     `json:"action_source"`
	EventSourceURL string     `json:"event_source_url,omitempty"`
	EventID        string     `json:"event_id"` // the pixel's client_dedup_id
	OptOut         bool       `json:"opt_out,omitempty"`
	UserData       userData   `json:"user_data"`
	CustomData     customData `json:"custom_data,omitzero"`
	*canonical.DataProcessing
}

// userData holds hashes down to external_id, the rest as the browser sent it.
type userData struct {
	canonical.Person
	ClickID string `json:"sc_click_id,omitempty"`
	Cookie  string `json:"sc_cookie1,omitempty"`
}

type customData struct {
	Value           json.Number `json:"value,omitempty"`
	Currency        string      `json:"currency,omitempty"`
	OrderID         string      `json:"order_id,omitempty"`
	ContentIDs      []string    `json:"content_ids,omitempty"`
	ContentCategory string      `json:"content_category,omitempty"`
	Contents        []content   `json:"contents,omitempty"`
	NumItems        json.Number `json:"num_items,omitempty"`
	SearchString    string      `json:"search_string,omitempty"`
	SignUpMethod    string      `json:"sign_up_method,omitempty"`
	PredictedLTV    json.Number `json:"predicted_ltv,omitempty"`
}

type content struct {
	ID        string      `json:"id,omitempty"`
	Quantity  json.Number `json:"quantity,omitempty"`
	ItemPrice json.Number `json:"item_price,omitempty"`
	Brand     string      `json:"brand,omitempty"`
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
		ActionSource:   "OFFLINE",
		EventSourceURL: f.SourceURL(),
		EventID:        f.EventID(),
		OptOut:         !f.Consent.Personalized(),
		UserData:       newUserData(f),
		CustomData:     custom,
		DataProcessing: f.Consent.DataProcessing(),
	}
	if ev.UserData.ClientUserAgent != "" && ev.EventSourceURL != "" {
		ev.ActionSource = "WEB" // Snap wants both of them then
	}
	if err := ev.UserData.sufficient(); err != nil {
		return event{}, err
	}
	return ev, nil
}

func newUserData(f *canonical.Fields) userData {
	return userData{
		Person:  f.Person(),
		ClickID: f.Identifier(nil, canonical.Spellings("ScCid")...),
		Cookie:  f.Identifier(nil, canonical.Spellings("_scid")...),
	}
}

// sufficient refuses events that Snapchat cannot match: it requires an e-mail address, a phone number, or IP address and user
// agent.
func (u userData) sufficient() error {
	ip, agent := u.ClientIPAddress != "", u.ClientUserAgent != ""
	switch {
	case u.Email != nil, u.Phone != nil, ip && agent:
		return nil
	case ip:
		return relay.Refuse(relay.ReasonMissingField, "user_agent, or email or phone")
	case agent:
		return relay.Refuse(relay.ReasonMissingField, "client_ip, or email or phone")
	}
	return relay.Refuse(relay.ReasonMissingField, "email or phone, or client_ip and user_agent")
}

func newCustomData(f *canonical.Fields) (customData, error) {
	value, currency, err := f.Money()
	switch {
	case err != nil:
		return customData{}, err
	case value == "" && f.Name == purchase:
		return customData{}, relay.Refuse(relay.ReasonMissingField, "order_revenue")
	case value != "" && !slices.Contains(Currencies, currency):
		return customData{}, relay.Refuse(relay.ReasonInvalidField, "currency")
	}
	c := customData{
		Value: value, Currency: currency, OrderID: f.OrderID(), NumItems: f.Integer("num_items"),
		ContentCategory: f.Listed("content_category"), SearchString: f.Listed("search_string"), SignUpMethod: f.Text("sign_up_method"),
		PredictedLTV: f.Amount("predicted_ltv"),
	}
	items := f.Items(canonical.ItemBrand, canonical.ItemDelivery)
	c.ContentIDs = canonical.IDs(items)
	for _, i := range items {
		c.Contents = append(c.Contents, content{i.ID, i.Quantity, i.Price, i.Brand, i.Delivery})
	}
	return c, nil
}
