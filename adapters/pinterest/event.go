package pinterest

import (
	"encoding/json"

	"relay/adapters/canonical"
	"relay/internal/relay"
)

type body struct {
	Data []event `json:"data"`
}

type event struct {
	EventName      string      `json:"event_name"`
	ActionSource   string      `json:"action_source"`
	EventTime      int64       `json:"event_time"` // seconds
	EventID        string      `json:"event_id"`
	EventSourceURL string      `json:"event_source_url,omitempty"`
	OptOut         bool        `json:"opt_out"` // said also where it is false: some senders' default is true
	UserData       userData    `json:"user_data"`
	CustomData     *customData `json:"custom_data,omitempty"`
}

// userData holds hashes down to external_id, the rest as the browser sent it.
type userData struct {
	canonical.Person
	ClickID string `json:"click_id,omitempty"`
}

// customData has its sums of money as texts; a number is refused.
type customData struct {
	Value           string      `json:"value,omitempty"`
	Currency        string      `json:"currency,omitempty"`
	OrderID         string      `json:"order_id,omitempty"`
	ContentIDs      []string    `json:"content_ids,omitempty"`
	Contents        []content   `json:"contents,omitempty"`
	ContentName     string      `json:"content_name,omitempty"`
	ContentCategory string      `json:"content_category,omitempty"`
	ContentBrand    string      `json:"content_brand,omitempty"`
	NumItems        json.Number `json:"num_items,omitempty"`
	SearchString    string      `json:"search_string,omitempty"`
	OptOutType      string      `json:"opt_out_type,omitempty"`
	PredictedLTV    string      `json:"predicted_ltv,omitempty"`
}

type content struct {
	ID       string      `json:"id,omitempty"`
	Name     string      `json:"item_name,omitempty"`
	Category string      `json:"item_category,omitempty"`
	Brand    string      `json:"item_brand,omitempty"`
	Price    string      `json:"item_price,omitempty"`
	Quantity json.Number `json:"quantity,omitempty"`
}

// Action sources. Pinterest drops second copies of web events alone.
const (
	web     = "web"
	offline = "offline"
)

func newEvent(f *canonical.Fields, d relay.Destination, e relay.Event) (event, error) {
	custom, err := newCustomData(f)
	if err != nil {
		return event{}, err
	}
	user := newUserData(f)
	if err := user.sufficient(); err != nil {
		return event{}, err
	}
	placed := user.placed()
	if d.Options.LimitedDataUse && placed != nil {
		return event{}, placed
	}
	if f.Consent.Restricted && placed == nil {
		custom.OptOutType = "LDP"
	}
	ev := event{
		EventName:      f.Name,
		ActionSource:   offline,
		EventTime:      canonical.Time(e).Unix(),
		EventID:        f.EventID(),
		EventSourceURL: f.SourceURL(),
		// Pinterest ignores LDP without a place, so a shopper's own opt-out also sets the flag that needs none.
		OptOut:   !f.Consent.Personalized() || f.Consent.Restricted && !d.Options.LimitedDataUse,
		UserData: user,
	}
	if user.ClientUserAgent != "" {
		ev.ActionSource = web
	}
	if !custom.empty() {
		ev.CustomData = &custom
	}
	return ev, nil
}

func newUserData(f *canonical.Fields) userData {
	u := userData{
		Person:  f.Person(),
		ClickID: f.Identifier(nil, canonical.Spellings("epik")...),
	}
	return u
}

// sufficient refuses events that Pinterest cannot match: it requires an e-mail address, or IP address and user agent. A phone
// number alone is not enough.
func (u userData) sufficient() error {
	ip, agent := u.ClientIPAddress != "", u.ClientUserAgent != ""
	switch {
	case u.Email != nil, ip && agent:
		return nil
	case ip:
		return relay.Refuse(relay.ReasonMissingField, "user_agent, or email")
	case agent:
		return relay.Refuse(relay.ReasonMissingField, "client_ip, or email")
	}
	return relay.Refuse(relay.ReasonMissingField, "email, or client_ip and user_agent")
}

// placed refuses limited data processing without a state and country: Pinterest then processes the data without limits.
//
// Source: https://developers.pinterest.com/docs/track-conversions/use-limited-data-processing-flag/
func (u userData) placed() error {
	switch {
	case u.State == nil:
		return relay.Refuse(relay.ReasonMissingField, "state")
	case u.Country == nil:
		return relay.Refuse(relay.ReasonMissingField, "country")
	}
	return nil
}

func newCustomData(f *canonical.Fields) (customData, error) {
	value, currency, err := f.Money()
	if err != nil {
		return customData{}, err
	}
	c := customData{
		Value: canonical.Decimal(value), Currency: currency, OrderID: f.OrderID(), NumItems: f.Integer("num_items"),
		ContentName: f.Listed("content_name"), ContentCategory: f.Listed("content_category"),
		ContentBrand: f.Listed("content_brand"), SearchString: f.Listed("search_string"),
		PredictedLTV: canonical.Decimal(f.Amount("predicted_ltv")),
	}
	if value != "" && c.Value == "" {
		return customData{}, relay.Refuse(relay.ReasonInvalidField, "order_revenue")
	}
	items := f.Items(canonical.ItemName, canonical.ItemBrand, canonical.ItemCategory)
	c.ContentIDs = canonical.IDs(items)
	for _, i := range items {
		c.Contents = append(c.Contents, content{i.ID, i.Name, i.Category, i.Brand, canonical.Decimal(i.Price), i.Quantity})
	}
	return c, nil
}

func (c customData) empty() bool {
	words := c.Value + c.OrderID + c.ContentName + c.ContentCategory + c.ContentBrand + string(c.NumItems) + c.SearchString
	return words+c.OptOutType+c.PredictedLTV == "" && len(c.Contents) == 0
}
