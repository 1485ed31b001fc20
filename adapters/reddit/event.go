package reddit

import (
	"encoding/json"
	"regexp"
	"strings"
	"unicode/utf8"

	"relay/adapters/canonical"
	"relay/adapters/identity"
	"relay/internal/relay"
)

type body struct {
	Data data `json:"data"`
}

type data struct {
	TestID string  `json:"test_id,omitempty"`
	Events []event `json:"events"`
}

// event has the names of v3. Reddit refuses a request with an unknown one, those of v2 among them (event_type, event_metadata).
type event struct {
	EventAt      int64     `json:"event_at"` // milliseconds
	ActionSource string    `json:"action_source"`
	SourceURL    string    `json:"event_source_url,omitempty"`
	ClickID      string    `json:"click_id,omitempty"`
	Type         eventType `json:"type"`
	User         user      `json:"user,omitzero"`
	Metadata     metadata  `json:"metadata"`
}

type eventType struct {
	TrackingType string `json:"tracking_type"`
	CustomName   string `json:"custom_event_name,omitempty"`
}

// user holds hashes down to external_id, the rest as the browser sent it. In v3 address and browser are not hashed.
type user struct {
	Email          string          `json:"email,omitempty"`
	Phone          string          `json:"phone_number,omitempty"` // of "+", country code and number
	ExternalID     string          `json:"external_id,omitempty"`
	UUID           string          `json:"uuid,omitempty"`
	IP             string          `json:"ip_address,omitempty"`
	UserAgent      string          `json:"user_agent,omitempty"`
	DataProcessing *dataProcessing `json:"data_processing_options,omitempty"`
}

type dataProcessing struct {
	Modes   []string `json:"modes"`
	Country string   `json:"country,omitempty"`
	Region  string   `json:"region,omitempty"`
}

type metadata struct {
	ConversionID string      `json:"conversion_id"` // with the type, the pixel's of the same event
	Value        json.Number `json:"value,omitempty"`
	Currency     string      `json:"currency,omitempty"`
	ItemCount    json.Number `json:"item_count,omitempty"`
	Products     []product   `json:"products,omitempty"`
}

type product struct {
	ID       string      `json:"id,omitempty"`
	Name     string      `json:"name,omitempty"`
	Category string      `json:"category,omitempty"`
	Price    json.Number `json:"item_price,omitempty"`
	Quantity json.Number `json:"quantity,omitempty"`
}

const (
	website = "WEBSITE"
	custom  = "CUSTOM"

	// maxCustomName is Reddit's limit, in characters.
	maxCustomName = 64
)

func newEvent(f *canonical.Fields, e relay.Event) (event, error) {
	kind, err := typeOf(f, e)
	if err != nil {
		return event{}, err
	}
	meta, err := newMetadata(f)
	if err != nil {
		return event{}, err
	}
	page, _, _ := strings.Cut(f.SourceURL(), "?") // Reddit takes a click from the query, also where none may leave
	ev := event{
		EventAt: canonical.Time(e).UnixMilli(), ActionSource: website, SourceURL: page,
		ClickID: f.Identifier(nil, "rdt_cid"), Type: kind, User: newUser(f), Metadata: meta,
	}
	if u := ev.User; ev.ClickID+u.Email+u.Phone+u.ExternalID+u.UUID+u.IP == "" { // thousands of people have the same browser
		return event{}, relay.Refuse(relay.ReasonMissingField, "rdt_cid, email, phone, external_id, _rdt_uuid or client_ip")
	}
	ev.User.DataProcessing = processing(f.Consent)
	return ev, nil
}

// typeOf is a standard event where the name is exactly its, else a custom event of the name.
func typeOf(f *canonical.Fields, e relay.Event) (eventType, error) {
	if Events.IsStandard(f.Name) {
		return eventType{TrackingType: f.Name}, nil
	}
	if utf8.RuneCountInString(f.Name) > maxCustomName {
		return eventType{}, relay.Refuse(relay.ReasonInvalidField, "events."+e.Type)
	}
	return eventType{TrackingType: custom, CustomName: f.Name}, nil
}

func newUser(f *canonical.Fields) user {
	return user{
		Email: f.Personal(func(s string) string { return identity.Digest(s, email) }, "email"),
		Phone: f.PhoneE164(), ExternalID: f.ExternalIDAs(externalID), UUID: f.Identifier(uuid, "_rdt_uuid"),
		IP: f.IP(), UserAgent: f.UserAgent(),
	}
}

// email is an address as Reddit has it before it is hashed: the mailbox without "+" and what follows, and without any character but
// letters and digits, for every host.
func email(raw string) string {
	mailbox, host, ok := strings.Cut(identity.Email(raw), "@")
	mailbox, _, _ = strings.Cut(mailbox, "+")
	mailbox = strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, mailbox)
	if !ok || mailbox == "" {
		return ""
	}
	return mailbox + "@" + host
}

// externalID is the shop's own id of a person, in its own case: of it, Reddit removes only the white space around it.
func externalID(raw string) string {
	if identity.ExternalID(raw) == "" {
		return ""
	}
	return strings.TrimSpace(raw)
}

var uuidForm = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)

// uuid is the browser's id: what follows the time in the pixel's cookie, "1754915740517.70d79c3a-…".
func uuid(s string) string {
	if _, id, ok := strings.Cut(s, "."); ok {
		s = id
	}
	if !uuidForm.MatchString(s) {
		return ""
	}
	return s
}

// The numbers of places in the payload's consent; Reddit has their codes.
const (
	usa        = 1
	california = 1000
)

// processing asks for Reddit's limited data use; nil unless processing is restricted. Not confirmed for v3: the form of a region,
// ISO 3166-2. Without country and region, Reddit finds out where the person is.
func processing(c canonical.Consent) *dataProcessing {
	if !c.Restricted {
		return nil
	}
	p := &dataProcessing{Modes: []string{"LDU"}}
	if c.Country == usa {
		p.Country = "US"
		if c.State == california {
			p.Region = "US-CA"
		}
	}
	return p
}

func newMetadata(f *canonical.Fields) (metadata, error) {
	value, currency, err := f.Money()
	if err != nil {
		return metadata{}, err
	}
	if value == "" && f.Name == purchase {
		return metadata{}, relay.Refuse(relay.ReasonMissingField, "order_revenue")
	}
	m := metadata{ConversionID: f.EventID(), Value: value, Currency: currency, ItemCount: f.Integer("num_items")}
	for _, i := range f.Items(canonical.ItemName, canonical.ItemCategory) {
		m.Products = append(m.Products, product{i.ID, i.Name, i.Category, i.Price, i.Quantity})
	}
	return m, nil
}
