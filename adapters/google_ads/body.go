package googleads

import (
	"encoding/json"
	"regexp"
	"strings"
	"time"

	"relay/adapters/canonical"
	"relay/adapters/identity"
	"relay/internal/relay"
)

type body struct {
	Destinations []destination `json:"destinations"`
	Events       []event       `json:"events"`
	Encoding     string        `json:"encoding,omitempty"` // of the hashes, where there are any
	ValidateOnly bool          `json:"validateOnly,omitempty"`
}

type destination struct {
	LoginAccount         *account `json:"loginAccount,omitempty"`
	OperatingAccount     account  `json:"operatingAccount"`
	ProductDestinationID string   `json:"productDestinationId"` // the conversion action
}

type account struct {
	AccountType string `json:"accountType"`
	AccountID   string `json:"accountId"`
}

// event has no cart, no variables, no page and no device. Google has no use for addresses from the EEA, the United Kingdom and
// Switzerland and asks not to send them; the relay does not know where a person is.
type event struct {
	TransactionID   string        `json:"transactionId"`
	EventTimestamp  string        `json:"eventTimestamp"`
	EventSource     string        `json:"eventSource"`
	Currency        string        `json:"currency,omitempty"`
	ConversionValue json.Number   `json:"conversionValue,omitempty"`
	AdIdentifiers   adIdentifiers `json:"adIdentifiers,omitzero"`
	UserData        *userData     `json:"userData,omitempty"`
	Consent         consent       `json:"consent,omitzero"`
}

type adIdentifiers struct {
	GCLID  string `json:"gclid,omitempty"`
	GBRAID string `json:"gbraid,omitempty"`
	WBRAID string `json:"wbraid,omitempty"`
}

type userData struct {
	UserIdentifiers []userIdentifier `json:"userIdentifiers"`
}

// userIdentifier has one of its fields.
type userIdentifier struct {
	EmailAddress string `json:"emailAddress,omitempty"`
	PhoneNumber  string `json:"phoneNumber,omitempty"`
}

type consent struct {
	AdUserData        string `json:"adUserData,omitempty"`
	AdPersonalization string `json:"adPersonalization,omitempty"`
}

// whyHealth is Google's rule.
const whyHealth = "data policy health: Google forbids data of the person for health and medical purchases"

// hex is the encoding of all hashes.
const hex = "HEX"

func newBody(f *canonical.Fields, d relay.Destination, e relay.Event) (body, error) {
	ev, err := newEvent(f, e)
	if err != nil {
		return body{}, err
	}
	to := destination{OperatingAccount: accountOf(d.Settings[SettingCustomerID]), ProductDestinationID: f.Name}
	if manager := d.Settings[SettingLoginCustomerID]; manager != "" {
		login := accountOf(manager)
		to.LoginAccount = &login
	}
	b := body{Destinations: []destination{to}, Events: []event{ev}, ValidateOnly: d.Options.Test}
	if ev.UserData != nil {
		b.Encoding = hex
	}
	return b, nil
}

func newEvent(f *canonical.Fields, e relay.Event) (event, error) {
	value, currency, err := f.Money()
	if err != nil {
		return event{}, err
	}
	ev := event{
		TransactionID: transaction(f), EventTimestamp: canonical.Time(e).UTC().Format(time.RFC3339), EventSource: "WEB",
		Currency: currency, ConversionValue: value,
		AdIdentifiers: adIdentifiers{f.Identifier(click, "gclid"), f.Identifier(click, "gbraid"), f.Identifier(click, "wbraid")},
		Consent:       consent{word(f.Consent.AdUserData), word(f.Consent.AdPersonalization)},
	}
	if e.Storefront.Health() { // no option lifts it
		f.Withhold("email", whyHealth)
		f.Withhold("phone", whyHealth)
		if ev.AdIdentifiers == (adIdentifiers{}) {
			return event{}, relay.Refuse(relay.ReasonMissingField, "gclid, gbraid or wbraid")
		}
		return ev, nil
	}
	ev.UserData = newUserData(f)
	if ev.AdIdentifiers == (adIdentifiers{}) && ev.UserData == nil {
		return event{}, relay.Refuse(relay.ReasonMissingField, "gclid, gbraid, wbraid, email or phone")
	}
	return ev, nil
}

// transaction is the order, by which Google drops a copy and by which it knows the tag's own event. Without one it is the event's id.
func transaction(f *canonical.Fields) string {
	if id := f.OrderID(); id != "" {
		return id
	}
	return f.EventID()
}

// clickID is the form of Google's click ids: base64 of URLs.
var clickID = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,500}$`)

func click(s string) string {
	if !clickID.MatchString(s) {
		return ""
	}
	return s
}

// newUserData has the hashes of e-mail and phone; nil without any. Google also takes names with a postal address, which stay here.
func newUserData(f *canonical.Fields) *userData {
	var u userData
	if hash := f.Personal(func(s string) string { return identity.Digest(s, email) }, "email"); hash != "" {
		u.UserIdentifiers = append(u.UserIdentifiers, userIdentifier{EmailAddress: hash})
	}
	if hash := f.PhoneE164(); hash != "" {
		u.UserIdentifiers = append(u.UserIdentifiers, userIdentifier{PhoneNumber: hash})
	}
	if len(u.UserIdentifiers) == 0 {
		return nil
	}
	return &u
}

// email is an address as Google has it before it is hashed: of its own hosts, the mailbox has no dots, no "+" and nothing after it.
func email(raw string) string {
	address := identity.Email(raw)
	mailbox, host, _ := strings.Cut(address, "@")
	if host != "gmail.com" && host != "googlemail.com" {
		return address
	}
	mailbox, _, _ = strings.Cut(mailbox, "+")
	if mailbox = strings.ReplaceAll(mailbox, ".", ""); mailbox == "" {
		return ""
	}
	return mailbox + "@" + host
}

// word is a decision under Google's name; "" for silence, which is not sent.
func word(d canonical.Decision) string {
	if d == canonical.Unset {
		return ""
	}
	return "CONSENT_" + string(d)
}
