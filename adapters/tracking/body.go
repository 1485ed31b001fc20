package tracking

import (
	"cmp"
	"encoding/json"
	"regexp"
	"strings"
	"time"

	"relay/adapters/canonical"
	"relay/internal/relay"
)

// body is one call. It has a user, an anonymous user or both; a call with neither is refused.
type body struct {
	Event       string     `json:"event"`
	UserID      string     `json:"userId,omitempty"`
	AnonymousID string     `json:"anonymousId,omitempty"`
	MessageID   string     `json:"messageId"`
	Timestamp   string     `json:"timestamp"` // ISO 8601
	Properties  properties `json:"properties"`
	Context     context    `json:"context,omitzero"`
}

type properties struct {
	OrderID      string      `json:"order_id,omitempty"`
	Revenue      json.Number `json:"revenue,omitempty"`
	Total        json.Number `json:"total,omitempty"` // of an event that takes a sale back
	Currency     string      `json:"currency,omitempty"`
	Products     []product   `json:"products,omitempty"`
	StorefrontID string      `json:"storefront_id,omitempty"` // this and the next are keys of our own
	AffiliateID  string      `json:"affiliate_id,omitempty"`  // the t-value
}

type product struct {
	ID       string      `json:"product_id,omitempty"`
	Name     string      `json:"name,omitempty"`
	Price    json.Number `json:"price,omitempty"`
	Quantity json.Number `json:"quantity,omitempty"`
}

type context struct {
	IP        string   `json:"ip,omitempty"`
	UserAgent string   `json:"userAgent,omitempty"`
	Page      page     `json:"page,omitzero"`
	Campaign  campaign `json:"campaign,omitzero"`
}

type page struct {
	URL      string `json:"url,omitempty"`
	Referrer string `json:"referrer,omitempty"`
}

type campaign struct {
	Source  string `json:"source,omitempty"`
	Medium  string `json:"medium,omitempty"`
	Name    string `json:"name,omitempty"`
	Term    string `json:"term,omitempty"`
	Content string `json:"content,omitempty"`
}

func newBody(f *canonical.Fields, e relay.Event) (body, error) {
	came := f.Campaign()
	p, err := newProperties(f, e)
	if err != nil {
		return body{}, err
	}
	p.AffiliateID = came.AffiliateID
	b := body{
		Event: f.Name, UserID: f.OwnExternalID(), MessageID: f.EventID(), Properties: p,
		Timestamp: canonical.Time(e).UTC().Truncate(time.Millisecond).Format(time.RFC3339Nano),
		Context: context{IP: f.IP(), UserAgent: f.UserAgent(), Page: page{f.SourceURL(), f.Referrer()},
			Campaign: campaign{came.UTMSource, came.UTMMedium, came.UTMCampaign, came.UTMTerm, came.UTMContent}},
	}
	b.AnonymousID = anonymous(f, e, b.UserID != "")
	return b, nil
}

func newProperties(f *canonical.Fields, e relay.Event) (properties, error) {
	value, currency, err := f.Money()
	if err != nil {
		return properties{}, err
	}
	p := properties{OrderID: f.OrderID(), Revenue: value, Currency: currency, StorefrontID: f.Storefront()}
	if canonical.TakesBack(e) {
		p.Revenue, p.Total = "", value
	}
	for _, i := range f.Items(canonical.ItemName) {
		p.Products = append(p.Products, product{i.ID, i.Name, i.Price, i.Quantity})
	}
	return p, nil
}

// browserID is the form of the anonymous ids that the vendors' scripts write into a cookie, with quotes or without.
var browserID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,100}$`)

// anonymous is the anonymous user of an event: the browser's, by which the vendor joins what the shopper did before. An event without a
// user needs one: the hash of the shop's own id of the person, else the session, else an id made from the order. That one is no person's,
// and the vendor may bill it as a user.
func anonymous(f *canonical.Fields, e relay.Event, known bool) string {
	id := f.Identifier(browser, "anonymous_id", "ajs_anonymous_id", "rl_anonymous_id")
	if id != "" || known {
		return id
	}
	if id = cmp.Or(f.ExternalID(), f.Identifier(nil, "session_id")); id != "" {
		return id
	}
	f.Warn("no identifier leaves: the event is of an anonymous user made from its order")
	return canonical.MadeID(e)
}

func browser(s string) string {
	if s = strings.Trim(s, `"`); !browserID.MatchString(s) {
		return ""
	}
	return s
}
