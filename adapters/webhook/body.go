package webhook

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"relay/adapters/canonical"
	"relay/adapters/measurement"
	"relay/internal/relay"
)

// Sizes of a body in bytes: the largest that is sent, and the largest that Standard Webhooks advises.
const (
	maxBody     = 64 << 10
	advisedBody = 20 << 10
)

// body has the form that the specification advises: type, timestamp, data.
type body struct {
	Type      string `json:"type"`
	Timestamp string `json:"timestamp"`
	Data      data   `json:"data"`
}

type data struct {
	EventID      string                     `json:"event_id"`   // also the message's id
	EventType    string                     `json:"event_type"` // the name that options.events has for it, else our own
	StorefrontID string                     `json:"storefront_id,omitempty"`
	OrderID      string                     `json:"order_id,omitempty"`
	User         user                       `json:"user,omitzero"`
	Items        []canonical.Line           `json:"items,omitempty"`
	Payload      map[string]json.RawMessage `json:"payload"`
}

// user has the personal data that the options permit. Fields named ..._sha256 are hashed.
type user struct {
	EmailHash      string `json:"email_sha256,omitempty"`
	PhoneHash      string `json:"phone_sha256,omitempty"` // "+", country code and number
	FirstNameHash  string `json:"first_name_sha256,omitempty"`
	LastNameHash   string `json:"last_name_sha256,omitempty"`
	ExternalIDHash string `json:"external_id_sha256,omitempty"`
	Email          string `json:"email,omitempty"`
	Phone          string `json:"phone,omitempty"`
	ExternalID     string `json:"external_id,omitempty"`
	ClientIP       string `json:"client_ip,omitempty"`
	UserAgent      string `json:"user_agent,omitempty"`
}

func newBody(f *canonical.Fields, d relay.Destination, e relay.Event) (body, error) {
	payload, err := newPayload(f, e)
	if err != nil {
		return body{}, err
	}
	b := body{Type: f.Name, Timestamp: canonical.Time(e).UTC().Format(time.RFC3339), Data: data{
		EventID: f.EventID(), EventType: f.Name, StorefrontID: f.Storefront(), OrderID: f.OrderID(), User: newUser(f), Payload: payload,
	}}
	if len(d.Options.Allow) > 0 { // without an allow-list, the bought items are not sent
		b.Data.Items = f.Lines(canonical.ItemName, canonical.ItemBrand, canonical.ItemCategory, canonical.ItemDelivery)
	}
	return b, nil
}

// newUser hashes identifiers under options.identifiers. An identifier is sent unhashed only if allow names it and
// options.plain_identifiers permits it, because the receiver may be any third party.
func newUser(f *canonical.Fields) user {
	u := user{
		EmailHash: f.Email(), PhoneHash: f.PhoneE164(), FirstNameHash: f.FirstName(), LastNameHash: f.LastName(), ExternalIDHash: f.ExternalID(),
		ClientIP: f.IP(), UserAgent: f.UserAgent(),
	}
	for _, own := range []struct {
		field string
		to    *string
		read  func() string
	}{{"email", &u.Email, f.OwnEmail}, {"phone", &u.Phone, f.OwnPhone}, {"external_id", &u.ExternalID, f.OwnExternalID}} {
		if f.Named(own.field) {
			*own.to = own.read()
		}
	}
	return u
}

// newPayload returns value, currency and the fields that allow names: texts under the rules of all platforms, numbers as they
// were written. Without an allow-list it returns value and currency alone.
func newPayload(f *canonical.Fields, e relay.Event) (map[string]json.RawMessage, error) {
	p := map[string]json.RawMessage{}
	value, currency, err := f.Money()
	if err != nil {
		return nil, err
	}
	if value != "" {
		p["order_revenue"], p["currency"] = json.RawMessage(value), text(currency)
	}
	for _, name := range slices.Sorted(maps.Keys(e.Payload)) {
		if v := field(f, name); v != nil {
			p[name] = v
		}
	}
	for name, read := range map[string]func() string{"page_location": f.SourceURL, "page_referrer": f.Referrer} {
		if f.Named(name) {
			if v := text(read()); v != nil {
				p[name] = v
			}
		}
	}
	return p, nil
}

// elsewhere lists the payload fields that have their own place in a body.
var elsewhere = []string{"event_id", "event_name", "event_type", "event_time", "order_id", "storefront_id"}

// field returns an allowed field of the payload; nil for a field that has its own place or identifies a person.
func field(f *canonical.Fields, name string) json.RawMessage {
	switch {
	case !f.Named(name), slices.Contains(elsewhere, name), relay.IsPersonalField(name):
		return nil
	case canonical.IsAdID(name):
		return text(f.Identifier(nil, name))
	case canonical.Reads(name) && name != "t-value":
		return nil
	}
	return f.Scalar(name, text)
}

// text returns s as JSON; nil if it is empty.
func text(s string) json.RawMessage {
	if s == "" {
		return nil
	}
	return measurement.Text(s)
}
