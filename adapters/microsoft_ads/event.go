package microsoftads

import (
	"encoding/json"
	"regexp"

	"relay/adapters/canonical"
	"relay/internal/relay"
)

type body struct {
	Data []event `json:"data"`
}

type event struct {
	EventType        string     `json:"eventType"`
	EventName        string     `json:"eventName"`
	EventID          string     `json:"eventId"` // together with eventName, equal to those of the UET tag's event
	EventTime        int64      `json:"eventTime"`
	AdStorageConsent string     `json:"adStorageConsent,omitempty"`
	UserData         userData   `json:"userData"`
	CustomData       customData `json:"customData,omitzero"`
}

// userData has e-mail, phone and external id hashed, and the other fields as the browser sent them.
type userData struct {
	Email      string `json:"em,omitempty"`
	Phone      string `json:"ph,omitempty"` // digits, without "+"
	ExternalID string `json:"externalId,omitempty"`
	ClickID    string `json:"msclkid,omitempty"`
	ClientIP   string `json:"clientIpAddress,omitempty"`
	UserAgent  string `json:"clientUserAgent,omitempty"`
}

type customData struct {
	Value         json.Number `json:"value,omitempty"`
	Currency      string      `json:"currency,omitempty"`
	TransactionID string      `json:"transactionId,omitempty"`
	Items         []item      `json:"items,omitempty"`
	ItemIDs       []string    `json:"itemIds,omitempty"`
}

type item struct {
	ID       string      `json:"id,omitempty"`
	Quantity json.Number `json:"quantity,omitempty"`
	Price    json.Number `json:"price,omitempty"`
	Name     string      `json:"name,omitempty"`
}

// granted is Microsoft's value for given consent. Without a statement the field is omitted, and Microsoft's default applies.
const granted = "G"

func newEvent(f *canonical.Fields, e relay.Event) (event, error) {
	custom, err := newCustomData(f)
	if err != nil {
		return event{}, err
	}
	ev := event{EventType: "custom", EventName: f.Name, EventID: f.EventID(), EventTime: canonical.Time(e).Unix(), UserData: newUserData(f), CustomData: custom}
	if f.Consent.AdStorage == canonical.Granted {
		ev.AdStorageConsent = granted
	}
	return ev, ev.UserData.sufficient()
}

// clickID matches an msclkid: a UUID with or without dashes.
var clickID = regexp.MustCompile(`^[0-9A-Fa-f-]{32,36}$`)

func newUserData(f *canonical.Fields) userData {
	return userData{
		Email: f.Email(), Phone: f.PhoneDigits(), ExternalID: f.ExternalID(), ClickID: f.Identifier(click, "msclkid"),
		ClientIP: f.IP(), UserAgent: f.UserAgent(),
	}
}

func click(s string) string {
	if !clickID.MatchString(s) {
		return ""
	}
	return s
}

// sufficient refuses events that Microsoft cannot match. It does not say whether an address and a browser are enough; one of them
// alone is not. Nor is an external id: Microsoft hashes only em and ph, so that the hash that the relay sends matches no user
// unless the UET tag sends it as well.
func (u userData) sufficient() error {
	if u.Email == "" && u.Phone == "" && u.ClickID == "" && (u.ClientIP == "" || u.UserAgent == "") {
		return relay.Refuse(relay.ReasonMissingField, "msclkid, email or phone, or client_ip and user_agent")
	}
	return nil
}

func newCustomData(f *canonical.Fields) (customData, error) {
	value, currency, err := f.Money()
	if err != nil {
		return customData{}, err
	}
	c := customData{Value: value, Currency: currency, TransactionID: f.OrderID()}
	items := f.Items(canonical.ItemName)
	c.ItemIDs = canonical.IDs(items)
	for _, i := range items {
		c.Items = append(c.Items, item{i.ID, i.Quantity, i.Price, i.Name})
	}
	return c, nil
}
