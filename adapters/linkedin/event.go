package linkedin

import (
	"regexp"
	"strings"

	"relay/adapters/canonical"
	"relay/adapters/identity"
	"relay/internal/relay"
)

type event struct {
	Conversion string `json:"conversion"`           // the URN of the rule
	HappenedAt int64  `json:"conversionHappenedAt"` // milliseconds
	Value      *money `json:"conversionValue,omitempty"`
	EventID    string `json:"eventId"` // the Insight Tag's of the same event
	User       user   `json:"user"`
}

type money struct {
	Currency string `json:"currencyCode"`
	Amount   string `json:"amount"` // LinkedIn refuses a number
}

type user struct {
	IDs         []id      `json:"userIds"` // also where it is empty: LinkedIn responds 422 without it
	Info        *userInfo `json:"userInfo,omitempty"`
	ExternalIDs []string  `json:"externalIds,omitempty"` // at most one
}

type id struct {
	Type  string `json:"idType"`
	Value string `json:"idValue"`
}

// userInfo has both names or is not sent.
type userInfo struct {
	FirstName string `json:"hashedFirstName"`
	LastName  string `json:"hashedLastName"`
	Country   string `json:"countryCode,omitempty"` // two letters
}

// Types of ids.
const (
	idEmail = "SHA256_EMAIL"
	idClick = "LINKEDIN_FIRST_PARTY_ADS_TRACKING_UUID" // the cookie li_fat_id
	idIP    = "PLAINTEXT_IP_ADDRESS"
)

// ruleURN begins the URN of a conversion rule.
const ruleURN = "urn:lla:llaPartnerConversion:"

func newEvent(f *canonical.Fields, e relay.Event) (event, error) {
	value, err := newMoney(f)
	if err != nil {
		return event{}, err
	}
	ev := event{Conversion: ruleURN + f.Name, HappenedAt: canonical.Time(e).UnixMilli(), Value: value, EventID: f.EventID(), User: newUser(f)}
	return ev, ev.User.sufficient()
}

// newMoney is nil for an event without a value.
func newMoney(f *canonical.Fields) (*money, error) {
	value, currency, err := f.Money()
	if err != nil || value == "" {
		return nil, err
	}
	amount := canonical.Decimal(value)
	if amount == "" {
		return nil, relay.Refuse(relay.ReasonInvalidField, "order_revenue")
	}
	return &money{currency, amount}, nil
}

// clickID is wider than the UUIDs that LinkedIn writes into the cookie, whose form it does not document.
var clickID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,100}$`)

func newUser(f *canonical.Fields) user {
	u := user{IDs: []id{}, Info: newUserInfo(f)}
	for _, one := range []id{{idEmail, f.Email()}, {idClick, f.Identifier(click, "li_fat_id")}, {idIP, f.IP()}} {
		if one.Value != "" {
			u.IDs = append(u.IDs, one)
		}
	}
	if external := f.ExternalID(); external != "" {
		u.ExternalIDs = []string{external}
	}
	return u
}

func click(s string) string {
	if !clickID.MatchString(s) {
		return ""
	}
	return s
}

// newUserInfo is nil without both names: a country alone matches no member.
func newUserInfo(f *canonical.Fields) *userInfo {
	if f.Peek(identity.Name, "first_name") == "" || f.Peek(identity.Name, "last_name") == "" {
		return nil
	}
	info := userInfo{FirstName: f.FirstName(), LastName: f.LastName()}
	if info.FirstName == "" || info.LastName == "" { // the admin denies one
		return nil
	}
	info.Country = strings.ToUpper(f.PlainCountry())
	return &info
}

// sufficient refuses events that LinkedIn cannot match. It matches by these; whether an address or names alone are enough is
// UNCONFIRMED.
func (u user) sufficient() error {
	if len(u.IDs) == 0 && u.Info == nil {
		return relay.Refuse(relay.ReasonMissingField, "email, li_fat_id, client_ip, or first_name and last_name")
	}
	return nil
}
